package memory

import (
	"net"
	"sync"
	"time"
)

// conn is one end of a connection: a net.Conn.
type conn struct {
	net           *Network
	host, peer    string
	local, remote address
	in, out       *pipe
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, c.wrap("read", err)
}

func (c *conn) Write(b []byte) (int, error) {
	c.net.mu.Lock()
	latency := c.net.latency
	c.net.mu.Unlock()
	n, err := c.out.write(b, latency)
	return n, c.wrap("write", err)
}

// wrap adds to err where it happened, as package net does. io.EOF stays.
func (c *conn) wrap(op string, err error) error {
	if err == nil || err == errEOF {
		return err
	}
	return &net.OpError{Op: op, Net: network, Source: c.local, Addr: c.remote, Err: err}
}

func (c *conn) Close() error {
	c.net.mu.Lock()
	_, open := c.net.conns[c]
	delete(c.net.conns, c)
	c.net.mu.Unlock()
	if !open {
		return net.ErrClosed
	}
	c.in.closeRead()
	c.out.closeWrite()
	return nil
}

// CloseWrite ends the writing half, as that of a net.TCPConn.
func (c *conn) CloseWrite() error {
	c.out.closeWrite()
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error {
	c.in.setDeadline(t, true)
	c.out.setDeadline(t, false)
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(t, true)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(t, false)
	return nil
}

// capacity is how many bytes are on their way at most, as in a socket's buffer.
const capacity = 256 << 10

// pipe is one direction of a connection.
type pipe struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change
	queue   []packet
	size    int
	held    bool // a partition lets nothing through

	readDeadline, writeDeadline     time.Time
	readClosed, writeClosed, broken bool
}

// packet is what one write brought.
type packet struct {
	data []byte
	due  time.Time // when it arrives
}

func newPipe() *pipe { return &pipe{changed: make(chan struct{})} }

// change does f and wakes everybody.
func (p *pipe) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *pipe) hold(held bool) { p.change(func() { p.held = held }) }
func (p *pipe) reset()         { p.change(func() { p.broken, p.queue, p.size = true, nil, 0 }) }
func (p *pipe) closeRead()     { p.change(func() { p.readClosed, p.queue, p.size = true, nil, 0 }) }
func (p *pipe) closeWrite()    { p.change(func() { p.writeClosed = true }) }

func (p *pipe) setDeadline(t time.Time, read bool) {
	p.change(func() {
		if read {
			p.readDeadline = t
		} else {
			p.writeDeadline = t
		}
	})
}

// wait waits for a change, or until t if that is not zero.
func wait(changed <-chan struct{}, t time.Time) {
	if t.IsZero() {
		<-changed
		return
	}
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
}

func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

func (p *pipe) read(b []byte) (int, error) {
	for {
		p.mu.Lock()
		n, until, err := p.tryRead(b)
		changed := p.changed
		p.mu.Unlock()
		if n > 0 {
			p.change(func() {}) // there is room
		}
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		wait(changed, until)
	}
}

// tryRead reads what there is. If there is nothing, until is when to look again
// even if nothing changes. p.mu is held.
func (p *pipe) tryRead(b []byte) (n int, until time.Time, err error) {
	switch {
	case p.readClosed:
		return 0, until, net.ErrClosed
	case passed(p.readDeadline):
		return 0, until, errDeadline
	case p.broken:
		return 0, until, errReset
	case p.held:
		return 0, p.readDeadline, nil
	}
	for len(p.queue) > 0 && n < len(b) && !p.queue[0].due.After(time.Now()) {
		m := copy(b[n:], p.queue[0].data)
		n += m
		p.size -= m
		if p.queue[0].data = p.queue[0].data[m:]; len(p.queue[0].data) == 0 {
			p.queue = p.queue[1:]
		}
	}
	switch {
	case n > 0:
	case len(p.queue) > 0:
		until = p.queue[0].due
		if !p.readDeadline.IsZero() && p.readDeadline.Before(until) {
			until = p.readDeadline
		}
	case p.writeClosed:
		err = errEOF
	default:
		until = p.readDeadline
	}
	return n, until, err
}

func (p *pipe) write(b []byte, latency time.Duration) (int, error) {
	written := 0
	for {
		p.mu.Lock()
		switch {
		case p.writeClosed:
			p.mu.Unlock()
			return written, net.ErrClosed
		case p.broken || p.readClosed && !p.held:
			p.mu.Unlock()
			return written, errReset
		case passed(p.writeDeadline):
			p.mu.Unlock()
			return written, errDeadline
		}
		n := min(len(b)-written, capacity-p.size)
		changed, until := p.changed, p.writeDeadline
		if n > 0 {
			p.queue = append(p.queue, packet{append([]byte(nil), b[written:written+n]...), time.Now().Add(latency)})
			p.size += n
			written += n
		}
		p.mu.Unlock()
		if n > 0 {
			p.change(func() {})
		}
		if written == len(b) {
			return written, nil
		}
		if n == 0 {
			wait(changed, until)
		}
	}
}
