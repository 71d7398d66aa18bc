package pair

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// local is a library whose two nodes are in one process, so that a send is a
// call. It does what can go wrong with others.
type local struct {
	sinks  []*Sink
	drop   int // loses every so manieth message
	swap   bool
	refuse atomic.Int32 // how many more sends are refused
	echo   func([]byte) []byte
	opened int
}

func (l *local) side() Side {
	return Side{
		Serve: func(_ string, to Receivers) (Server, error) {
			l.sinks = to.Sinks
			l.opened++
			return l, nil
		},
		Dial: func(string, string) (Client, error) {
			l.opened++
			return l, nil
		},
		Apart: true, Lends: true, Bytes: true, Structs: true,
	}
}

func (l *local) Addr() string { return "here" }
func (l *local) Close() error { l.opened--; return nil }

var errRefused = errors.New("refused")

func (l *local) Run(way Way, f func(Send) error) error {
	var held []byte
	n := 0
	return f(func(payload []byte) error {
		if l.refuse.Add(-1) >= 0 {
			return errRefused
		}
		n++
		switch {
		case l.drop > 0 && n%l.drop == 0:
		case l.swap && held == nil && n%2 == 1:
			held = payload
		default:
			l.sinks[way.Sink].Got(payload)
			if held != nil {
				l.sinks[way.Sink].Got(held)
				held = nil
			}
		}
		return nil
	})
}

func (l *local) Request(payload []byte, _ time.Duration) ([]byte, error) {
	if l.echo != nil {
		return l.echo(payload), nil
	}
	return payload, nil
}

const short = 20 * time.Millisecond

func TestEveryWorkGivesItsFiguresAndLosesNothing(t *testing.T) {
	for _, work := range Works {
		t.Run(work, func(t *testing.T) {
			l := new(local)
			l.refuse.Store(3)
			r, err := Alone(l.side(), work, short)
			if err != nil {
				t.Fatal(err)
			}
			if r.Work != work || len(r.Figures) == 0 || r.Sent == 0 || r.Arrived != r.Sent || r.Misordered+r.Mangled > 0 {
				t.Errorf("result: %+v", r)
			}
			if l.opened != 0 {
				t.Errorf("%d nodes were left open", l.opened)
			}
		})
	}
}

func TestAWorkThatTheSideDoesNotClaimIsNotDone(t *testing.T) {
	for _, work := range []string{"bulk512k_lent", "ping_other", "oneway_bytes", "request"} {
		side := (&local{}).side()
		side.Apart, side.Lends, side.Bytes, side.Only = false, false, false, []string{"bulk512k_lent", "ping_other", "oneway_bytes"}
		r, err := Alone(side, work, short)
		if err != nil || !r.Cannot || len(r.Figures) > 0 {
			t.Errorf("%s: %+v, %v", work, r, err)
		}
	}
}

func TestLostMessagesAreCountedAndNotPartOfTheRate(t *testing.T) {
	r, err := Alone((&local{drop: 4}).side(), "oneway", short)
	if err != nil {
		t.Fatal(err)
	}
	if lost := r.Sent - r.Arrived; lost != r.Sent/4 {
		t.Errorf("%d of %d were lost, want a quarter", lost, r.Sent)
	}
}

func TestSwappedMessagesAreReported(t *testing.T) {
	r, err := Alone((&local{swap: true}).side(), "oneway", short)
	if err != nil {
		t.Fatal(err)
	}
	if r.Misordered == 0 {
		t.Errorf("result: %+v, want swapped messages noticed", r)
	}
}

func TestAWrongReplyIsAnError(t *testing.T) {
	l := &local{echo: func(b []byte) []byte { return bytes.Repeat([]byte{1}, len(b)) }}
	if _, err := Alone(l.side(), "request", short); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("error: %v", err)
	}
}

func TestASideWithoutBackPressureIsHeldBack(t *testing.T) {
	side := (&local{}).side()
	side.Window = 8 * medium
	r, err := Alone(side, "bulk64k", short)
	if err != nil || r.Arrived != r.Sent || r.Sent == 0 {
		t.Errorf("result: %+v, %v", r, err)
	}
	// A receiver that has stopped must stop the sender too.
	p := &pace{window: 2}
	p.changed.L = &p.mu
	sent := make(chan int, 1)
	go func() {
		n := 0
		for p.step() == nil {
			n++
		}
		sent <- n
	}()
	p.mu.Lock()
	p.err = errRefused
	p.mu.Unlock()
	p.changed.Broadcast()
	if n := <-sent; n > 2 {
		t.Errorf("%d messages were let through a window of 2", n)
	}
}

func TestPeersHaveLinksToAllOfThisPackage(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	folders, err := filepath.Glob("../peers/*/pair")
	if err != nil || len(folders) == 0 {
		t.Fatalf("peers: %v, %v", folders, err)
	}
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
			if to, err := os.Readlink(filepath.Join(folder, e.Name())); err != nil || to != "../../../pair/"+e.Name() {
				t.Errorf("%s in %s is no link to the file here: %q, %v", e.Name(), folder, to, err)
			}
		}
		if !slices.Equal(names, files) {
			t.Errorf("%s has %v, want %v", folder, names, files)
		}
	}
}
