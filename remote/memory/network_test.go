package memory

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dial connects host b to a listener on host a and returns both ends.
func dial(t *testing.T, n *Network) (a, b net.Conn) {
	t.Helper()
	l, err := n.Host("a").Listen("a:0")
	if err != nil {
		t.Fatal(err)
	}
	b, err = n.Host("b").Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if a, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func write(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if n, err := c.Write([]byte(s)); n != len(s) || err != nil {
		t.Fatal(n, err)
	}
}

func read(t *testing.T, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("read %q, %v, want %q", b, err, want)
	}
}

func TestBytesArriveInOrderBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := dial(t, NewNetwork())
		write(t, a, "hello ")
		write(t, a, "world")
		read(t, b, "hello world")
		write(t, b, "back")
		read(t, a, "back")
	})
}

func TestWriterWaitsWhenTheBufferIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := dial(t, NewNetwork())
		data := bytes.Repeat([]byte("x"), 3*capacity)
		wrote := make(chan error)
		go func() {
			_, err := a.Write(data)
			wrote <- err
		}()
		synctest.Wait()
		select {
		case <-wrote:
			t.Fatal("the buffer has no bound")
		default:
		}
		read(t, b, string(data))
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	})
}

func TestLatencyDelaysArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.SetLatency(time.Second)
		begun := time.Now()
		write(t, a, "x")
		read(t, b, "x")
		if took := time.Since(begun); took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestCloseIsSeenAfterWhatWasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := dial(t, NewNetwork())
		write(t, a, "last words")
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		read(t, b, "last words")
		if _, err := b.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read: %v", err)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write: %v", err)
		}
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read of a closed one: %v", err)
		}
		if err := a.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed again: %v", err)
		}
	})
}

func TestDeadlinesInterruptReadsAndWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := dial(t, NewNetwork())
		_ = a.SetReadDeadline(time.Now().Add(time.Second))
		begun := time.Now()
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("read: %v after %v", err, time.Since(begun))
		}
		_ = a.SetDeadline(time.Time{})
		time.AfterFunc(time.Minute, func() { _ = a.SetWriteDeadline(time.Now()) })
		if _, err := a.Write(make([]byte, 2*capacity)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
	})
}

func TestPartitionHoldsEverythingUntilItHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.Partition("b", "a")
		write(t, a, "late")
		_ = a.Close()
		_ = b.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("something came through: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := n.Host("b").Dial(ctx, "a:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("dial: %v", err)
		}
		n.Heal("a", "b")
		_ = b.SetReadDeadline(time.Time{})
		read(t, b, "late")
		if _, err := b.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after healing: %v", err)
		}
	})
}

func TestDialThatHangsGoesOnAfterHealing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		if _, err := n.Host("a").Listen("a:1"); err != nil {
			t.Fatal(err)
		}
		n.Partition("a", "b")
		time.AfterFunc(time.Minute, func() { n.Heal("a", "b") })
		if _, err := n.Host("b").Dial(t.Context(), "a:1"); err != nil {
			t.Error(err)
		}
	})
}

func TestCutResetsBothEndsAndLosesWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		write(t, a, "lost")
		if cut := n.Cut("a", "b"); cut != 1 {
			t.Errorf("%d were cut", cut)
		}
		for _, c := range []net.Conn{a, b} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("read: %v", err)
			}
			if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("write: %v", err)
			}
		}
	})
}

func TestKilledHostCanDoNothingAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a := n.Host("a")
		l, err := a.Listen("a:1")
		if err != nil {
			t.Fatal(err)
		}
		n.Kill("a")
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept: %v", err)
		}
		if _, err := a.Listen("a:2"); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("listen: %v", err)
		}
		if _, err := a.Dial(t.Context(), "b:1"); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("dial: %v", err)
		}
		if _, err := n.Host("a").Listen("a:1"); err != nil {
			t.Errorf("a new process: %v", err)
		}
	})
}

func TestAddressesInUseOrElsewhereAreRefused(t *testing.T) {
	n := NewNetwork()
	a := n.Host("a")
	if _, err := a.Listen("a:1"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Listen("a:1"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("in use: %v", err)
	}
	for _, addr := range []string{"b:1", "a", ""} {
		if _, err := a.Listen(addr); err == nil {
			t.Errorf("%q was taken", addr)
		}
	}
}
