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
type TCP struct {
	// Unacknowledged is how long the other machine's kernel may leave data
	// unacknowledged before the connection counts as broken: this is how a
	// connection is found to be half open while others to the same node work.
	// Zero leaves that to the operating system, and so do those other than
	// Linux.
	Unacknowledged time.Duration
	// BusyWait, if not nil, lets readers wait busily. A connection is no
	// [net.TCPConn] then, and only one goroutine at a time may read it. It is
	// ignored on operating systems other than Linux.
	BusyWait *BusyWait
}

// keepAlive lets the kernel find idle connections that are half open even on
// lanes that have nothing to say.
const keepAlive = 15 * time.Second

// Dial connects to addr, "host:port".
func (t TCP) Dial(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{KeepAlive: keepAlive}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return t.prepare(conn), nil
}

// Listen listens at addr, "host:port". Port 0 is any free port.
func (t TCP) Listen(addr string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: keepAlive}
	l, err := lc.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &tcpListener{l, t}, nil
}

// tcpListener prepares the connections it accepts.
type tcpListener struct {
	net.Listener
	tcp TCP
}

func (l *tcpListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.tcp.prepare(conn), nil
}

// prepare does for a connection what t says, as far as that is possible.
func (t TCP) prepare(conn net.Conn) net.Conn {
	c, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	if t.Unacknowledged > 0 {
		limitUnacknowledged(c, t.Unacknowledged)
	}
	return waitBusily(c, t.BusyWait)
}
