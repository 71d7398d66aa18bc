package remote_test

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay/clientserver"
	"github.com/topos-go/topos/remote"
)

// gatherer is a transport whose accepted connections send what was written within a
// millisecond together, as a kernel may.
type gatherer struct{ remote.Transport }

func (g gatherer) Listen(addr string) (net.Listener, error) {
	l, err := g.Transport.Listen(addr)
	return gatheringListener{l}, err
}

type gatheringListener struct{ net.Listener }

func (l gatheringListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &gatheringConn{Conn: c}, nil
}

type gatheringConn struct {
	net.Conn
	mu       sync.Mutex
	gathered bytes.Buffer
}

func (c *gatheringConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gathered.Len() == 0 {
		time.AfterFunc(time.Millisecond, c.flush)
	}
	return c.gathered.Write(b)
}

func (c *gatheringConn) Close() error {
	c.flush()
	return c.Conn.Close()
}

func (c *gatheringConn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.gathered.WriteTo(c.Conn)
}

// The server grants the connection that it has asked a hidden node for, and passes on
// what the other end says at once: both come in one read.
func TestFirstWordsToAHiddenNodeMayComeWithTheGrant(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		cfg := w.config("hub")
		cfg.Topology, cfg.Role, cfg.Transport = remote.ClientServer, clientserver.Server, gatherer{cfg.Transport}
		hub := start(t, cfg)
		var h []*host
		for _, name := range []string{"p", "q"} {
			cfg := w.config(name, hub)
			cfg.Topology, cfg.Role, cfg.Hidden = remote.ClientServer, clientserver.Client, true
			cfg.Advertise = "nowhere:1"
			h = append(h, start(t, cfg))
		}
		meet(t, h[0], h[1], hub)
		pid := h[0].spawn(t, &counter{n: 3})
		begun := time.Now()
		if n, err := actor.Call[int](t.Context(), h[1].sys, pid, Get{}); n != 3 || err != nil || time.Since(begun) > time.Second {
			t.Errorf("%d, %v after %v", n, err, time.Since(begun))
		}
		if hub.Stats().Tunnelled == 0 {
			t.Error("the hub has led nobody on")
		}
	})
}
