package memory

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestFrozenHostNeitherSendsNorReceivesUntilItThaws(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.Freeze("a")
		write(t, b, "to a")
		nothing(t, a)
		write(t, a, "to b")
		nothing(t, b)
		n.Thaw("a")
		read(t, a, "to a")
		read(t, b, "to b")
	})
}

func TestFrozenHostHoldsUpThoseWhoWriteToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.Freeze("a")
		data := bytes.Repeat([]byte("x"), capacity)
		write(t, b, string(data))
		_ = b.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := b.Write([]byte("y")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
		n.Thaw("a")
		read(t, a, string(data))
	})
}

func TestOperatingSystemOfAFrozenHostTakesConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		l, err := n.Host("a").Listen("a:1")
		if err != nil {
			t.Fatal(err)
		}
		n.Freeze("a")
		accepted := make(chan net.Conn, backlog+1)
		go func() {
			for range backlog + 1 {
				if c, err := l.Accept(); err == nil {
					accepted <- c
				}
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		host := n.Host("b")
		for range backlog {
			if _, err := host.Dial(ctx, "a:1"); err != nil {
				t.Fatal(err)
			}
		}
		last := make(chan error)
		go func() {
			_, err := host.Dial(ctx, "a:1")
			last <- err
		}()
		time.Sleep(time.Minute)
		if len(accepted) > 0 || len(last) > 0 {
			t.Errorf("%d accepted, and the backlog has no bound: %v", len(accepted), len(last) > 0)
		}
		n.Thaw("a")
		if err := <-last; err != nil {
			t.Errorf("dial after thawing: %v", err)
		}
		synctest.Wait()
		if len(accepted) != backlog+1 {
			t.Errorf("%d accepted", len(accepted))
		}
	})
}

func TestFrozenHostDialsOnlyAfterThawing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		if _, err := n.Host("a").Listen("a:1"); err != nil {
			t.Fatal(err)
		}
		n.Freeze("b")
		begun := time.Now()
		time.AfterFunc(time.Minute, func() { n.Thaw("b") })
		if _, err := n.Host("b").Dial(t.Context(), "a:1"); err != nil || time.Since(begun) != time.Minute {
			t.Errorf("dial: %v after %v", err, time.Since(begun))
		}
	})
}

func TestProcessKilledWhileFrozenHasWrittenNothingSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		write(t, a, "before")
		n.Freeze("a")
		write(t, a, " after")
		n.Kill("a")
		if got, err := io.ReadAll(b); string(got) != "before" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if _, err := n.Host("a").Listen("a:9"); err != nil {
			t.Errorf("a new process: %v", err)
		}
		if _, err := n.Host("b").Dial(t.Context(), "a:9"); err != nil {
			t.Errorf("the new process is frozen: %v", err)
		}
	})
}
