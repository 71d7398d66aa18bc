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

// nothing checks that nothing can be read for a minute.
func nothing(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("something came through: %d, %v", n, err)
	}
	_ = c.SetReadDeadline(time.Time{})
}

func TestBlockedDirectionHoldsBytesAndTheOtherGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.Block("a", "b")
		write(t, a, "late")
		write(t, b, "now")
		read(t, a, "now")
		nothing(t, b)
		n.Unblock("a", "b")
		read(t, b, "late")
	})
}

func TestConnectingHangsIfEitherDirectionIsBlocked(t *testing.T) {
	for _, way := range [][2]string{{"a", "b"}, {"b", "a"}} {
		synctest.Test(t, func(t *testing.T) {
			n := NewNetwork()
			if _, err := n.Host("a").Listen("a:1"); err != nil {
				t.Fatal(err)
			}
			n.Block(way[0], way[1])
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := n.Host("b").Dial(ctx, "a:1"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s to %s blocked: %v", way[0], way[1], err)
			}
		})
	}
}

func TestWriterIsHeldUpWhileConfirmationsAreBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.Block("b", "a")
		data := bytes.Repeat([]byte("x"), capacity)
		write(t, a, string(data))
		read(t, b, string(data)) // but a does not learn of it
		_ = a.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := a.Write([]byte("y")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("write: %v", err)
		}
		n.Unblock("b", "a")
		_ = a.SetWriteDeadline(time.Time{})
		write(t, a, "y")
		read(t, b, "y")
	})
}

func TestPartitionOfTwoHostsLeavesOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		l, err := n.Host("c").Listen("c:1")
		if err != nil {
			t.Fatal(err)
		}
		ac, err := n.Host("a").Dial(t.Context(), "c:1")
		if err != nil {
			t.Fatal(err)
		}
		ca, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		n.Partition("a", "b")
		write(t, a, "no")
		write(t, ac, "yes")
		read(t, ca, "yes")
		nothing(t, b)
	})
}

func TestWhatIsUnderWayWhenALinkIsBlockedIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.SetLatency(time.Second)
		write(t, a, "arrived ")
		time.Sleep(time.Second)
		write(t, a, "under way")
		n.Block("a", "b")
		read(t, b, "arrived ") // it is in b's buffer
		nothing(t, b)
		n.Unblock("a", "b")
		healed := time.Now()
		read(t, b, "under way")
		if took := time.Since(healed); took != time.Second {
			t.Errorf("it arrived %v after healing", took)
		}
	})
}

func TestHalfOpenConnectionIsFoundOutAfterHealing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.Partition("a", "b")
		n.Kill("a")
		_ = a
		write(t, b, "to nobody") // b has no way to know
		nothing(t, b)
		n.Heal("a", "b")
		if _, err := b.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read after healing: %v", err)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, errReset) {
			t.Errorf("write after healing: %v", err)
		}
	})
}

func TestCutInAPartitionLosesWhatWasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		a, b := dial(t, n)
		n.Partition("a", "b")
		write(t, a, "lost")
		n.Cut("a", "b")
		n.Heal("a", "b")
		if got, err := io.ReadAll(b); len(got) > 0 || !errors.Is(err, errReset) {
			t.Errorf("read %q, %v", got, err)
		}
	})
}
