package remote

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
)

func TestBothSidesOfAConnectionLimitWhatIsUnacknowledged(t *testing.T) {
	tcp := TCP{Unacknowledged: 3 * time.Second}
	l, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			close(accepted)
			return
		}
		accepted <- c
	}()
	dialled, err := tcp.Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]net.Conn{"dialled": dialled, "accepted": <-accepted} {
		defer c.Close()
		raw, err := c.(syscall.Conn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var ms int
		_ = raw.Control(func(fd uintptr) { ms, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout) })
		if ms != 3000 || err != nil {
			t.Errorf("%s: %d ms, %v", name, ms, err)
		}
	}
}

// busyPair returns two ends of a connection, of which the first waits busily
// from the first read on, for so long.
func busyPair(t *testing.T, limit time.Duration) (*busyConn, net.Conn) {
	t.Helper()
	l, err := TCP{}.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	leave := &BusyWait{limit: limit, most: 1} // on one processor as well
	dialled, err := TCP{BusyWait: leave}.Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialled.Close() })
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { accepted.Close() })
	c := dialled.(*busyConn)
	c.policy.short, c.policy.saved, c.policy.slept = busyAfter, limit, time.Now().Add(time.Hour)
	return c, accepted
}

// read reads on a goroutine of its own.
func (c *busyConn) read() (got []byte, done chan error) {
	got, done = make([]byte, 4), make(chan error, 1)
	go func() {
		_, err := io.ReadFull(c, got)
		done <- err
	}()
	return got, done
}

// awaitBusy returns when c's reader waits busily.
func (c *busyConn) awaitBusy() {
	for c.leave.taken.Load() == 0 {
		runtime.Gosched()
	}
}

func TestBusyReaderGetsWhatComesLater(t *testing.T) {
	c, other := busyPair(t, time.Minute)
	got, done := c.read()
	c.awaitBusy()
	if _, err := other.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || string(got) != "late" {
		t.Errorf("%q, %v", got, err)
	}
	if c.policy.short != busyAfter || c.leave.taken.Load() != 0 {
		t.Errorf("%+v, %d wait busily", c.policy, c.leave.taken.Load())
	}
}

func TestBusyReaderGoesToSleepInTheEnd(t *testing.T) {
	c, _ := busyPair(t, time.Millisecond)
	if err := c.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	slept := c.policy.slept
	if n, err := c.Read(make([]byte, 8)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if c.policy.short != 0 || c.policy.slept == slept || c.leave.taken.Load() != 0 {
		t.Errorf("%+v, %d wait busily", c.policy, c.leave.taken.Load())
	}
}

func TestReaderThatMayNotWaitBusilySleeps(t *testing.T) {
	for name, prepare := range map[string]func(c *busyConn){
		"it has not slept for long": func(c *busyConn) { c.policy.slept = time.Now().Add(-busySpell) },
		"others wait busily":        func(c *busyConn) { c.leave.most = 0 },
		"answers took long":         func(c *busyConn) { c.policy.short = busyAfter - 1 },
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := busyPair(t, time.Minute)
			prepare(c)
			slept := c.policy.slept
			if err := c.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if n, err := c.Read(make([]byte, 8)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%d bytes, %v", n, err)
			}
			if c.policy.slept == slept || c.leave.taken.Load() != 0 {
				t.Errorf("%+v, %d wait busily", c.policy, c.leave.taken.Load())
			}
		})
	}
}

func TestBusyReaderEndsAsAnyOther(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(c *busyConn, other net.Conn) error
		want error
	}{
		"closed here": {func(c *busyConn, _ net.Conn) error { return c.Close() }, net.ErrClosed},
		"too late":    {func(c *busyConn, _ net.Conn) error { return c.SetReadDeadline(time.Now()) }, os.ErrDeadlineExceeded},
		"hung up":     {func(_ *busyConn, other net.Conn) error { return other.Close() }, io.EOF},
		"reset": {func(_ *busyConn, other net.Conn) error {
			return errors.Join(other.(*net.TCPConn).SetLinger(0), other.Close())
		}, syscall.ECONNRESET},
	} {
		t.Run(name, func(t *testing.T) {
			conn, other := busyPair(t, time.Minute)
			_, done := conn.read()
			conn.awaitBusy()
			if err := c.end(conn, other); err != nil {
				t.Fatal(err)
			}
			err := <-done
			if !errors.Is(err, c.want) {
				t.Errorf("%v, not %v", err, c.want)
			}
			if _, ok := err.(*net.OpError); !ok && err != io.EOF {
				t.Errorf("%T is not an error of package net", err)
			}
		})
	}
}

func TestBusyReadsAllocateNothing(t *testing.T) {
	c, other := busyPair(t, time.Minute)
	b := make([]byte, 64)
	if n := testing.AllocsPerRun(200, func() {
		_, _ = other.Write(b)
		_, _ = io.ReadFull(c, b)
	}); n != 0 || !c.policy.ready() {
		t.Errorf("%v allocations, %+v", n, c.policy)
	}
}
