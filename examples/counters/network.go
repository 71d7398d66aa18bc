package main

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/topos-go/topos/remote"
)

// network is TCP with a knife: what goes to addresses that are cut off, and what
// comes from there, stays on the way until they are healed. Nobody is told, as
// when a cable is pulled: a connection neither breaks nor is one refused.
//
// It sees to the connections that this process has dialed. Of two processes that
// are to be parted, both must cut the other off, and so every connection between
// them is covered by whoever has dialed it.
type network struct {
	remote.TCP

	mu     sync.Mutex
	healed map[string]chan struct{} // of addresses that are cut off
	pumps  sync.WaitGroup
}

func newNetwork() *network { return &network{healed: make(map[string]chan struct{})} }

// cut cuts addresses off.
func (n *network) cut(addrs []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, addr := range addrs {
		if n.healed[addr] == nil {
			n.healed[addr] = make(chan struct{})
		}
	}
}

// heal ends all cuts.
func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, healed := range n.healed {
		close(healed)
	}
	clear(n.healed)
}

// pass returns when addr is not cut off, and false if done is closed before.
func (n *network) pass(addr string, done <-chan struct{}) bool {
	for {
		n.mu.Lock()
		healed := n.healed[addr]
		n.mu.Unlock()
		if healed == nil {
			return true
		}
		select {
		case <-healed:
		case <-done:
			return false
		}
	}
}

// Dial implements remote.Transport.
func (n *network) Dial(ctx context.Context, addr string) (net.Conn, error) {
	if !n.pass(addr, ctx.Done()) {
		return nil, ctx.Err() // not refused: who is cut off is not known to be down
	}
	wire, err := n.TCP.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	// A pipe has deadlines, and no buffer.
	outer, inner := net.Pipe()
	l := &link{Conn: outer, wire: wire, done: make(chan struct{})}
	n.pumps.Go(func() {
		n.pump(wire, inner, addr, l.done)
		wire.Close() // after what was written before it was closed
	})
	n.pumps.Go(func() {
		n.pump(inner, wire, addr, l.done)
		inner.Close()
	})
	return l, nil
}

// wait returns when all connections that were dialed are closed.
func (n *network) wait() { n.pumps.Wait() }

// pump copies until from has ended, to or done is closed.
func (n *network) pump(to io.Writer, from io.Reader, addr string, done <-chan struct{}) {
	buf := make([]byte, 32<<10)
	for {
		k, err := from.Read(buf)
		if k > 0 {
			if !n.pass(addr, done) {
				return
			}
			if _, err := to.Write(buf[:k]); err != nil {
				return
			}
		}
		if err != nil {
			// Even the end of a connection is not heard across a cut.
			n.pass(addr, done)
			return
		}
	}
}

// link is the dialer's end of a connection.
type link struct {
	net.Conn
	wire net.Conn
	once sync.Once
	done chan struct{}
}

// linger is how long what was written before Close may take to be on its way.
const linger = time.Second

func (l *link) Close() error {
	l.once.Do(func() {
		close(l.done)
		_ = l.wire.SetReadDeadline(time.Now()) // a closed wire does not mind
		_ = l.wire.SetWriteDeadline(time.Now().Add(linger))
	})
	return l.Conn.Close()
}

func (l *link) LocalAddr() net.Addr { return l.wire.LocalAddr() }

func (l *link) RemoteAddr() net.Addr { return l.wire.RemoteAddr() }
