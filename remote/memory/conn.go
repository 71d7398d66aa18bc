package memory

import (
	"cmp"
	"net"
	"time"
)

// conn is one end of a connection: a net.Conn.
type conn struct {
	net           *Network
	number        uint64 // in the order in which they were made
	local, remote address
	in, out       *pipe // the other end has the same two
}

// compare orders connections by age.
func (c *conn) compare(d *conn) int { return cmp.Compare(c.number, d.number) }

func (c *conn) Read(b []byte) (int, error) {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	for {
		n, until, err := c.in.read(time.Now(), b)
		if n > 0 || err != nil || len(b) == 0 {
			return n, c.wrap("read", err)
		}
		c.in.reader.wait(&c.net.mu, until, nil)
	}
}

func (c *conn) Write(b []byte) (int, error) {
	c.net.mu.Lock()
	broke := c.out.link.breaks() && !c.out.writer.closed && !c.out.broken
	if broke {
		c.reset()
	}
	n, err := c.writeLocked(b)
	c.net.mu.Unlock()
	if broke && c.net.cfg.Broken != nil {
		c.net.cfg.Broken(c.out.link.from.name, c.out.link.to.name)
	}
	return n, c.wrap("write", err)
}

func (c *conn) writeLocked(b []byte) (int, error) {
	written := 0
	for {
		n, err := c.out.write(time.Now(), b[written:])
		written += n
		if err != nil || written == len(b) {
			return written, err
		}
		if n == 0 {
			c.out.writer.wait(&c.net.mu, c.out.writer.deadline, nil)
		}
	}
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
	defer c.net.mu.Unlock()
	if _, open := c.net.conns[c]; !open {
		return net.ErrClosed
	}
	c.closeLocked()
	return nil
}

func (c *conn) closeLocked() {
	delete(c.net.conns, c)
	c.in.closeRead()
	c.out.closeWrite(time.Now())
}

// reset breaks both directions.
func (c *conn) reset() {
	c.in.reset()
	c.out.reset()
}

// CloseWrite ends the writing half, as that of a net.TCPConn.
func (c *conn) CloseWrite() error {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	c.out.closeWrite(time.Now())
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error {
	c.setDeadline(t, &c.in.reader, &c.out.writer)
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.setDeadline(t, &c.in.reader)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.setDeadline(t, &c.out.writer)
	return nil
}

func (c *conn) setDeadline(t time.Time, sides ...*side) {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	for _, s := range sides {
		s.deadline = t
		s.rouse()
	}
}
