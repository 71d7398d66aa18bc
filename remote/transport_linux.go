package remote

import (
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7).
const tcpUserTimeout = 18

// limitUnacknowledged lets the kernel break a connection whose data the other
// side has not acknowledged for d. It is best effort: without it, the
// connection is found to be dead later.
func limitUnacknowledged(c *net.TCPConn, d time.Duration) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(d.Milliseconds()))
	})
}

// busyConn is a TCP connection that waits busily for what it reads, when that
// is worth while. One goroutine at a time may read it.
type busyConn struct {
	*net.TCPConn
	raw    syscall.RawConn
	leave  *BusyWait
	policy busyPolicy

	// Of an attempt to read.
	try  func(fd uintptr) bool
	into []byte
	n    int
	err  error
}

// waitBusily returns c with waits that are busy, if there may be any.
func waitBusily(c *net.TCPConn, leave *BusyWait) net.Conn {
	if leave == nil || leave.most == 0 {
		return c
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return c
	}
	b := &busyConn{TCPConn: c, raw: raw, leave: leave, policy: busyPolicy{limit: leave.limit, slept: time.Now()}}
	b.try = b.attempt
	return b
}

// attempt reads what is there. It never asks to be called again.
func (c *busyConn) attempt(fd uintptr) bool {
	for {
		if c.n, c.err = syscall.Read(int(fd), c.into); c.err != syscall.EINTR {
			return true
		}
	}
}

// readNow reads what is there. It reports false if that is nothing, yet.
func (c *busyConn) readNow(into []byte) (n int, err error, there bool) {
	c.into = into
	err = c.raw.Read(c.try)
	c.into = nil
	switch {
	case err != nil: // of the descriptor: closed, or too late
		return 0, err, true
	case c.err == syscall.EAGAIN:
		return 0, nil, false
	case c.err != nil:
		return 0, &net.OpError{
			Op: "read", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError("read", c.err),
		}, true
	case c.n == 0 && len(into) > 0:
		return 0, io.EOF, true
	}
	return c.n, nil, true
}

// Read implements net.Conn.
func (c *busyConn) Read(into []byte) (int, error) {
	if !c.policy.ready() {
		return c.sleep(into, time.Now())
	}
	if n, err, there := c.readNow(into); there {
		return n, err
	}
	start := time.Now()
	if !c.policy.stale(start) && c.leave.take() {
		n, err, there := c.ask(into, start)
		c.leave.leave()
		if there {
			return n, err
		}
		start = time.Now()
	}
	return c.sleep(into, start)
}

// ask reads what comes within the limit, from start on. It reports false if
// that is nothing.
func (c *busyConn) ask(into []byte, start time.Time) (n int, err error, there bool) {
	for {
		runtime.Gosched() // to what is waited for, perhaps
		n, err, there = c.readNow(into)
		took := time.Since(start)
		switch {
		case there:
			c.policy.won(took)
			return n, err, true
		case took >= c.policy.limit:
			c.policy.lost(took)
			return 0, nil, false
		}
	}
}

// sleep reads as any other connection, from start on.
func (c *busyConn) sleep(into []byte, start time.Time) (int, error) {
	n, err := c.TCPConn.Read(into)
	now := time.Now()
	c.policy.woke(now, now.Sub(start))
	return n, err
}
