package remote

import (
	"context"
	"net"
	"time"
)

// Transport makes the connections between nodes. [TCP] is the one for use;
// package memory has one for tests. Its methods may be called by any goroutine.
type Transport interface {
	// Dial connects to addr. If the error wraps syscall.ECONNREFUSED, nobody
	// listens there: the node that did is down.
	Dial(ctx context.Context, addr string) (net.Conn, error)
	// Listen listens at addr. The listener's Addr is what others dial.
	Listen(addr string) (net.Listener, error)
}

// TCP is the [Transport] over TCP. Its zero value is ready for use.
type TCP struct{}

// keepAlive lets the kernel find idle connections that are half open even on
// lanes that have nothing to say.
const keepAlive = 15 * time.Second

// Dial connects to addr, "host:port".
func (TCP) Dial(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{KeepAlive: keepAlive}
	return d.DialContext(ctx, "tcp", addr)
}

// Listen listens at addr, "host:port". Port 0 is any free port.
func (TCP) Listen(addr string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: keepAlive}
	return lc.Listen(context.Background(), "tcp", addr)
}
