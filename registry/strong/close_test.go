package strong

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
)

func TestEveryMistakeInAConfigIsTold(t *testing.T) {
	_, err := New(Config{Voters: []string{"a", "", "a", "b"}, TTL: -1, MaxDrift: 0.7, Election: 1, ReplaceAfter: -1, Standbys: -1,
		SnapshotEvery: -1, Client: true, Dir: "x"})
	for _, want := range []string{"Cluster", "odd", "twice", "TTL", "MaxDrift", "Election", "ReplaceAfter", "Standbys", "SnapshotEvery", "Client"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %s in: %v", want, err)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("the zero Config was taken")
	}
}

func TestNamesAndHoldersHaveALimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 80, 1, 1, Config{}).startAll()
		defer w.close()
		ctx := wait(t)
		r := w.regs[0]
		for _, name := range []string{"", strings.Repeat("x", maxName+1)} {
			_, err1 := r.Register(ctx, name, w.process(0, 1), IfFree())
			_, err2 := r.Acquire(ctx, name)
			for _, err := range []error{err1, err2, r.Unregister(ctx, name, IfFree()), r.Renew(ctx, name, Token{}), r.Release(ctx, name, Token{})} {
				if !errors.Is(err, ErrLimit) {
					t.Errorf("a name of %d bytes: %v", len(name), err)
				}
			}
			if _, err := r.LookupLinearizable(ctx, name); err == nil {
				t.Errorf("a lookup of a name of %d bytes found something", len(name))
			}
		}
		if _, err := r.Register(ctx, "x", w.process(0, 0), IfFree()); !errors.Is(err, ErrLimit) {
			t.Errorf("registering nobody: %v", err)
		}
		if _, err := r.Register(ctx, strings.Repeat("x", maxName), w.process(0, 1), IfFree()); err != nil {
			t.Error(err)
		}
	})
}

func TestAClosedRegistryRefusesEverything(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 81, 3, 3, Config{})
		defer w.close()
		cfg := w.base
		cfg.Cluster = w.net.join("early@x:1", 1)
		early, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.startAll()
		ctx := wait(t)
		h, err := w.regs[0].Hold(ctx, "held")
		if err != nil {
			t.Fatal(err)
		}
		closed := w.regs[0]
		var work sync.WaitGroup
		for range 3 { // all of them wait for the same end
			work.Go(func() {
				if err := closed.Close(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		work.Wait()
		w.regs[0] = nil
		if h.Valid() {
			t.Error("a hold is valid after the registry was closed")
		}
		<-h.Done()
		for what, r := range map[string]*Registry{"closed": closed, "not started": early} {
			_, err1 := r.Register(ctx, "x", w.process(0, 1), IfFree())
			_, err2 := r.LookupLinearizable(ctx, "x")
			_, err3 := r.LookupStale("x")
			_, err4 := r.Acquire(ctx, "x")
			_, err5 := r.OwnerLinearizable(ctx, "x")
			_, err6 := r.OwnerStale("x")
			_, err7 := r.Hold(ctx, "x")
			for i, err := range []error{err1, err2, err3, err4, err5, err6, err7, r.Renew(ctx, "x", Token{}), r.Release(ctx, "x", Token{}), r.Unregister(ctx, "x", IfFree())} {
				if !errors.Is(err, ErrClosed) {
					t.Errorf("%s: call %d: %v", what, i, err)
				}
			}
		}
		if err := early.Close(ctx); err != nil {
			t.Error(err)
		}
		for _, r := range []*Registry{early, closed} {
			if err := r.Start(); !errors.Is(err, ErrClosed) {
				t.Errorf("starting what is closed: %v", err)
			}
		}
		if err := w.regs[1].Start(); !errors.Is(err, ErrClosed) {
			t.Errorf("starting twice: %v", err)
		}
		// The others go on, and the one who left hands over first.
		if _, err := w.regs[1].Acquire(ctx, "x"); err != nil {
			t.Error(err)
		}
	})
}

func TestALeaderThatIsClosedHandsOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 82, 3, 3, Config{Election: 10 * time.Second, TTL: time.Minute}).startAll()
		defer w.close()
		i := w.leader()
		pass(time.Minute)
		ctx := wait(t)
		w.stop(i)
		began := time.Now()
		if _, err := w.regs[(i+1)%3].Register(ctx, "x", w.process(0, 1), IfFree()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v until somebody else led", took)
		}
	})
}

func TestRequestsEndWithTheirContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 83, 4, 3, Config{Standbys: 1}).startAll()
		defer w.close()
		ctx := wait(t)
		if _, err := w.regs[3].Register(ctx, "x", w.process(0, 1), IfFree()); err != nil {
			t.Fatal(err)
		}
		w.net.partition(w.names[0])
		w.net.partition(w.names[1])
		w.net.partition(w.names[2])
		pass(100 * time.Millisecond)
		short, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		began := time.Now()
		_, err1 := w.regs[3].LookupLinearizable(short, "x")
		_, err2 := w.regs[3].Acquire(short, "y")
		_, err3 := w.regs[3].Hold(short, "z")
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		}
		if took := time.Since(began); took > 2*time.Second+10*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		// What was sent before it ended may have been carried out.
		w.net.heal()
		w.leader()
		w.net.mu.Lock()
		w.net.drop = func(_, _ actor.NodeID, f frame) bool { return f.kind == kindAnswer || f.kind == kindRefusal }
		w.net.mu.Unlock()
		short, cancel = context.WithTimeout(ctx, time.Second)
		defer cancel()
		if _, err := w.regs[3].Acquire(short, "y"); !errors.Is(err, ErrUnknown) {
			t.Errorf("%v", err)
		}
	})
}

func TestNothingIsFoundedWithoutAllInitialVoters(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 84, 4, 3, Config{})
		defer w.close()
		w.start(0)
		w.start(1)
		pass(time.Minute)
		for _, r := range w.regs[:2] {
			if r.replica.raft.LastIndex() != 0 {
				t.Fatal("two of three founded a registry")
			}
		}
		// One that was given other voters does not take part,
		other := w.names[3]
		w.start(2, func(c *Config) { c.Voters = []string{w.names[0], w.names[2], other} })
		pass(time.Minute)
		if w.regs[0].replica.raft.LastIndex() != 0 {
			t.Fatal("nodes that do not agree on the voters founded a registry")
		}
		w.stop(2)
		// and one that was told not to take part is none of those that are needed.
		w.start(2, func(c *Config) { c.Bootstrap = false })
		pass(time.Minute)
		if w.regs[0].replica.raft.LastIndex() != 0 {
			t.Fatal("a node took part that was not to")
		}
		w.stop(2)
		w.start(2, func(c *Config) { c.Bootstrap = true })
		w.leader()
	})
}

// All voters but one are started anew, in memory: that is a majority without
// data, which must not found a second registry beside the first.
func TestNodesWithoutDataFoundNothingBesideOneThatHasSome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 85, 3, 3, Config{}).startAll()
		defer w.close()
		ctx := wait(t)
		if _, err := w.regs[2].Register(ctx, "x", w.process(0, 1), IfFree()); err != nil {
			t.Fatal(err)
		}
		w.eventually("it has the data", func() bool { _, err := w.regs[2].LookupStale("x"); return err == nil })
		w.kill(0)
		w.kill(1)
		again := func(c *Config) { c.Bootstrap = true }
		w.start(0, again)
		w.start(1, again)
		pass(5 * time.Minute)
		for _, r := range w.regs[:2] {
			if r.replica.epoch.Load() != 0 || r.replica.raft.LastIndex() != 0 {
				t.Fatal("a second registry was founded")
			}
		}
		if e, err := w.regs[2].LookupStale("x"); err != nil || e.Holder != w.process(0, 1) {
			t.Errorf("%v, %v", e, err)
		}
	})
}

func TestRaftsLinesAreForDebugging(t *testing.T) {
	var b strings.Builder
	logger := raftLogger(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})))
	logger.Error("no contact", "peer", "b")
	if got := b.String(); !strings.Contains(got, "level=DEBUG") || !strings.Contains(got, `"raft: no contact"`) || !strings.Contains(got, "peer=b") {
		t.Errorf("got %s", got)
	}
	b.Reset()
	raftLogger(slog.New(slog.NewTextHandler(&b, nil))).Error("no contact")
	if b.Len() > 0 {
		t.Errorf("got %s", b.String())
	}
}

func TestANodeThatWasForgottenGoesOnWithANewSession(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 86, 5, 3, Config{ReplaceAfter: time.Hour, Standbys: 1, Election: 3 * time.Second, TTL: 20 * time.Second}).startAll()
		defer w.close()
		sessions := func() (n int) {
			w.regs[w.leader()].replica.fsm.view(func(m *machine) { n = len(m.sessions) })
			return n
		}
		for i, r := range w.regs {
			if _, err := r.Register(wait(t), w.names[i], w.process(i, 1), IfFree()); err != nil {
				t.Fatal(err)
			}
		}
		w.net.partition(w.names[4])
		w.kill(3)
		pass(sessionAge / 2)
		if n := sessions(); n != 5 {
			t.Errorf("%d sessions of nodes that may come back", n)
		}
		pass(sessionAge)
		if n := sessions(); n != 3 {
			t.Errorf("%d sessions of 3 nodes", n)
		}
		w.net.heal()
		if _, err := w.regs[4].Register(wait(t), "again", w.process(4, 1), IfFree()); err != nil {
			t.Error(err)
		}
	})
}

func TestChangesOnTheirWayEndWhenTheRegistryIsClosed(t *testing.T) {
	for seed := range uint64(5) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, 90+seed, 3, 3, Config{}).startAll()
			defer w.close()
			i := w.leader()
			if seed%2 == 1 { // while nothing can be committed
				w.net.partition(w.names[i])
			}
			r := w.regs[i]
			var work sync.WaitGroup
			for k := range 200 {
				work.Go(func() {
					_, err := r.Register(wait(t), fmt.Sprint(k), w.process(0, 1), IfFree())
					if err != nil && !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
				})
			}
			pass(time.Duration(seed) * time.Millisecond)
			w.stop(i)
			work.Wait()
		})
	}
}
