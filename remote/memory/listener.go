package memory

import (
	"net"
	"slices"
	"time"
)

// backlog is how many connections may wait to be accepted, as an operating
// system has it by default.
const backlog = 128

// listener is a net.Listener. The network's lock guards it.
type listener struct {
	net       *Network
	machine   *machine
	addr      string
	backlog   []*conn
	closed    bool
	accepters waiter
}

func (l *listener) Accept() (net.Conn, error) {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	for {
		switch {
		case l.closed:
			return nil, opError("accept", l.addr, net.ErrClosed)
		case len(l.backlog) > 0 && !l.machine.frozen:
			c := l.backlog[0]
			l.backlog = slices.Delete(l.backlog, 0, 1)
			l.net.diallers.rouse() // there is room
			return c, nil
		}
		l.accepters.wait(&l.net.mu, time.Time{}, nil)
	}
}

func (l *listener) Addr() net.Addr { return address(l.addr) }

func (l *listener) Close() error {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	if l.closed {
		return opError("close", l.addr, net.ErrClosed)
	}
	l.closeLocked()
	return nil
}

func (l *listener) closeLocked() {
	l.closed = true
	delete(l.net.listeners, l.addr)
	for _, c := range l.backlog {
		if _, open := l.net.conns[c]; open {
			c.closeLocked()
		}
	}
	l.backlog = nil
	l.accepters.rouse()
	l.net.diallers.rouse()
}
