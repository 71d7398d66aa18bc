package remote_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote"
)

func names(members []remote.Member) []string {
	var names []string
	for _, m := range members {
		names = append(names, m.Node.Name)
	}
	return names
}

func TestNodesThatKnowOneSeedMeetEachOther(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b", "c", "d", "e")
		for _, n := range h {
			if got := names(n.Members()); !slices.Equal(got, []string{"a@a:1", "b@b:1", "c@c:1", "d@d:1", "e@e:1"}) {
				t.Errorf("%v sees %v", n.ID().Name, got)
			}
		}
	})
}

func TestNodesThatDialEachOtherAtOnceSettleOnOneConnection(t *testing.T) {
	for seed := range uint64(30) {
		bubble(t, func(t *testing.T, w *world) {
			rng := rand.New(rand.NewPCG(seed, 1))
			latency := time.Duration(rng.IntN(40)) * time.Millisecond
			w.net.SetLatency(latency)
			log := new(logBook)
			var hosts []*host
			for _, name := range []string{"a", "b", "c", "d"} {
				cfg := w.config(name)
				cfg.Seed = seed + 1
				cfg.Join = []string{"a:1", "b:1", "c:1", "d:1"}
				cfg.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				hosts = append(hosts, start(t, cfg))
				w.pass(time.Duration(rng.IntN(int(latency)*2 + 1)))
			}
			begun := time.Now()
			meet(t, hosts...)
			// A probe, a dial, word of a third, a dial; and seeds that were not
			// there yet are tried again.
			if took := time.Since(begun); took > 16*latency+500*time.Millisecond {
				t.Errorf("seed %d: with a latency of %v it took %v", seed, latency, took)
			}
			w.pass(time.Minute)
			for _, h := range hosts {
				h.quiet(t)
				for _, m := range h.Members() {
					if !m.Linked {
						t.Errorf("%v is not linked to %v", h.ID().Name, m.Node.Name)
					}
				}
			}
			if strings.Contains(log.String(), "connection lost") {
				t.Errorf("seed %d: connections were not made once:\n%s", seed, log)
			}
		})
	}
}

func TestSeedThatStartsLaterIsFound(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		cfg := w.config("b")
		cfg.Join = []string{"a:1"}
		b := start(t, cfg)
		time.Sleep(time.Minute)
		a := w.start("a")
		meet(t, a, b)
	})
}

func TestJoinAtRunTimeBringsTwoClustersTogether(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		left, right := w.cluster("a", "b"), w.cluster("c", "d")
		left[1].Join(right[1].ID().Name)
		for _, h := range append(left, right...) {
			for range 2 {
				if ev := <-h.news; ev.Kind != remote.MemberUp {
					t.Fatalf("%v: %v", h.ID().Name, ev)
				}
			}
		}
	})
}

func TestSilentNodeIsDownWithinSixSecondsAndBackAfterHealing(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, &counter{})
		p := newProbe(true)
		watcher := h[1].spawn(t, p)
		h[1].do(t, watcher, func(self *actor.Self) { self.Monitor(pid) })
		synctest.Wait()

		w.net.Partition("a", "b")
		begun := time.Now()
		for i, n := range h {
			ev := n.await(t, remote.MemberDown, h[1-i].ID())
			if !errors.Is(ev.Reason, overlay.ErrSilent) || !errors.Is(ev.Reason, actor.ErrNoConnection) {
				t.Errorf("got %v", ev.Reason)
			}
		}
		if took := time.Since(begun); took < 2*time.Second || took > 6*time.Second {
			t.Errorf("it took %v", took)
		}
		if down := next[actor.Down](t, p); !errors.Is(down.Reason, overlay.ErrSilent) {
			t.Errorf("got %v", down.Reason)
		}
		if err := h[1].sys.Send(pid, Add{1}); err != nil && !errors.Is(err, actor.ErrNoConnection) {
			t.Errorf("got %v", err)
		}

		time.Sleep(time.Minute)
		w.net.Heal("a", "b")
		begun = time.Now()
		for i, n := range h {
			n.await(t, remote.MemberUp, h[1-i].ID())
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("healing took %v", took)
		}
		if n, err := actor.Call[int](t.Context(), h[1].sys, pid, Get{}); n != 0 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		if len(p.got) > 0 {
			t.Errorf("received %v", <-p.got)
		}
	})
}

func TestShortPartitionGoesUnnoticed(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, &counter{})
		for range 5 {
			w.net.Partition("a", "b")
			if err := h[1].sys.Send(pid, Add{1}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(1500 * time.Millisecond)
			w.net.Heal("a", "b")
			time.Sleep(1500 * time.Millisecond)
		}
		if n, err := actor.Call[int](t.Context(), h[1].sys, pid, Get{}); n != 5 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
		h[0].quiet(t)
		h[1].quiet(t)
	})
}

func TestNodeThatWasGivenUpByOneSideOnlyIsDownOnBoth(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		hasty := w.config("a")
		hasty.Misses = 2
		a := start(t, hasty)
		patient := w.config("b", a)
		patient.Misses = 100
		b := start(t, patient)
		meet(t, a, b)
		// A link from each side.
		pa, pb := newProbe(true), newProbe(true)
		pidA, pidB := a.spawn(t, pa), b.spawn(t, pb)
		a.do(t, pidA, func(self *actor.Self) { self.Link(pidB) })
		synctest.Wait()

		w.net.Partition("a", "b")
		a.await(t, remote.MemberDown, b.ID())
		b.quiet(t)
		next[actor.Exit](t, pa)
		w.net.Heal("a", "b")
		a.await(t, remote.MemberUp, b.ID())
		ev := b.await(t, remote.MemberDown, a.ID())
		if !errors.Is(ev.Reason, overlay.ErrForgotten) {
			t.Errorf("got %v", ev.Reason)
		}
		b.await(t, remote.MemberUp, a.ID())
		if exit := next[actor.Exit](t, pb); exit.From != pidA || !errors.Is(exit.Reason, actor.ErrNoConnection) {
			t.Errorf("got %v", exit)
		}
		time.Sleep(time.Minute)
		a.quiet(t)
		b.quiet(t)
	})
}

func TestRestartedNodeReplacesItsOldIncarnation(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		old := h[0].spawn(t, &counter{}, actor.Name("counter"))
		p := newProbe(true)
		watcher := h[1].spawn(t, p)
		h[1].do(t, watcher, func(self *actor.Self) { self.Monitor(old) })
		synctest.Wait()

		w.net.Kill("a")
		time.Sleep(time.Millisecond) // the clock goes on between two starts
		a := w.start("a", h[1])
		fresh := a.spawn(t, &counter{}, actor.Name("counter"))
		h[1].await(t, remote.MemberDown, h[0].ID())
		h[1].await(t, remote.MemberUp, a.ID())
		if down := next[actor.Down](t, p); down.Of != actor.Address(old) || !errors.Is(down.Reason, actor.ErrNoConnection) {
			t.Errorf("got %v", down)
		}
		// The same slot and generation, of another incarnation.
		if old.ID() != fresh.ID() {
			t.Fatalf("%v and %v differ in more than the node", old, fresh)
		}
		if _, err := actor.Call[int](t.Context(), h[1].sys, old, Get{}); !errors.Is(err, actor.ErrNoConnection) {
			t.Errorf("call to a stale PID: %v", err)
		}
		_ = h[1].sys.Send(old, Add{1})
		at := actor.NameAt{Name: "counter", Node: a.ID().Name}
		if n, err := actor.Call[int](t.Context(), h[1].sys, at, Get{}); n != 0 || err != nil {
			t.Errorf("got %d, %v: the stale PID was delivered", n, err)
		}
		h[1].quiet(t)
	})
}

func TestNewIncarnationIsUpOnlyAfterTheOldOneIsDown(t *testing.T) {
	// The old incarnation falls silent without a trace, and the new one comes
	// before that is noticed.
	bubble(t, func(t *testing.T, w *world) {
		cfg := w.config("b")
		cfg.Misses = 100
		b := start(t, cfg)
		first := w.config("a", b)
		first.Advertise = "a:1"
		a := start(t, first)
		meet(t, a, b)
		pid := a.spawn(t, &counter{})
		p := newProbe(true)
		watcher := b.spawn(t, p)
		b.do(t, watcher, func(self *actor.Self) { self.Monitor(pid) })
		synctest.Wait()

		w.net.Partition("a", "b")
		time.Sleep(time.Millisecond)
		second := w.config("a2", b)
		second.Name, second.Advertise = "a", "a:1"
		a2 := start(t, second)
		ev := b.await(t, remote.MemberDown, a.ID())
		if !errors.Is(ev.Reason, overlay.ErrRestarted) {
			t.Errorf("got %v", ev.Reason)
		}
		b.await(t, remote.MemberUp, a2.ID())
		if down := next[actor.Down](t, p); !errors.Is(down.Reason, overlay.ErrRestarted) {
			t.Errorf("got %v", down.Reason)
		}
	})
}

func TestLeavingNodeIsGoneAtOnceAndNothingItSentIsLost(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.net.SetLatency(10 * time.Millisecond)
		h := w.cluster("a", "b", "c")
		pid := h[0].spawn(t, &counter{})
		for range 1000 {
			if err := h[2].sys.Send(pid, Add{1}); err != nil {
				t.Fatal(err)
			}
		}
		if err := h[2].Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, n := range h[:2] {
			ev := n.await(t, remote.MemberLeft, h[2].ID())
			if !errors.Is(ev.Reason, overlay.ErrLeft) {
				t.Errorf("got %v", ev.Reason)
			}
		}
		if n, err := actor.Call[int](t.Context(), h[1].sys, pid, Get{}); n != 1000 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		// It can come back as a newer incarnation.
		time.Sleep(time.Second)
		again := w.config("c", h[0])
		c := start(t, again)
		for _, n := range h[:2] {
			n.await(t, remote.MemberUp, c.ID())
		}
	})
}

func TestCutConnectionsLoseAndDoubleNothing(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.net.SetLatency(time.Millisecond)
		h := w.cluster("a", "b")
		var mu sync.Mutex
		var seen []int
		pid := h[0].spawn(t, &counter{mu: &mu, seen: &seen})
		const count = 20000
		cuts := 0
		for i := range count {
			if err := h[1].sys.Send(pid, Add{i}); err != nil {
				t.Fatal(err)
			}
			if i%1000 == 999 {
				time.Sleep(time.Duration(i%7+1) * 40 * time.Millisecond)
				cuts += w.net.Cut("a", "b")
			}
		}
		if cuts < 20 {
			t.Fatalf("only %d connections were cut", cuts)
		}
		if _, err := actor.Call[int](t.Context(), h[1].sys, pid, Get{}); err != nil {
			t.Fatal(err)
		}
		for i, n := range seen {
			if n != i {
				t.Fatalf("message %d came as the %dth", n, i)
			}
		}
		if len(seen) != count {
			t.Fatalf("%d messages came", len(seen))
		}
		time.Sleep(10 * time.Second)
		h[0].quiet(t)
		h[1].quiet(t)
	})
}

func TestPIDOfUnknownNodeMakesItKnown(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.start("a"), w.start("b")
		pid := a.spawn(t, &counter{n: 3})
		if n, err := actor.Call[int](t.Context(), b.sys, pid, Get{}); n != 3 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
		meet(t, a, b)
	})
}

func TestCallToNodeThatIsNotThereFailsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.start("a")
		pid, err := actor.ParsePID("<x@x:1/1-u/1.1>")
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		for range 10 {
			if _, err := actor.Call[int](t.Context(), a.sys, pid, Get{}); !errors.Is(err, actor.ErrNoConnection) {
				t.Fatalf("got %v", err)
			}
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("it took %v", took)
		}
		if dials := a.Stats().DialsFailed; dials > 20 { // one for the message, one for the overlay
			t.Errorf("%d attempts to connect", dials)
		}
	})
}

func TestClosedNodeFailsWhatItsProcessesWaitFor(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		pid := h[0].spawn(t, &counter{})
		time.AfterFunc(time.Millisecond, func() { _ = h[1].Close(context.Background()) })
		if _, err := actor.Call[int](t.Context(), h[1].sys, pid, Fail{"never"}); !errors.Is(err, remote.ErrClosed) {
			t.Fatalf("got %v", err)
		}
		if _, err := actor.Call[int](t.Context(), h[1].sys, pid, Get{}); !errors.Is(err, remote.ErrClosed) {
			t.Fatalf("got %v", err)
		}
		h[0].await(t, remote.MemberDown, h[1].ID())
	})
}

func TestSubscriberHearsOfPresentMembersFirst(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b", "c")
		var got []string
		cancel := h[0].Subscribe(func(ev remote.MemberEvent) { got = append(got, fmt.Sprint(ev.Kind, " ", ev.Node.Name)) })
		synctest.Wait()
		w.net.Kill("c")
		time.Sleep(time.Second)
		synctest.Wait()
		if want := []string{"up b@b:1", "up c@c:1", "down c@c:1"}; !slices.Equal(got, want) {
			t.Errorf("got %v", got)
		}
		cancel()
		w.net.Kill("b")
		time.Sleep(time.Second)
		synctest.Wait()
		if len(got) != 3 {
			t.Errorf("got %v after cancel", got)
		}
	})
}

func TestLeaveOfANodeThatIsNotInAClusterOnlyClosesIt(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		n, err := remote.New(w.config("a"))
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Leave(t.Context()); err != nil {
			t.Errorf("before Start: %v", err)
		}
		if err := n.Start(w.start("b").sys); !errors.Is(err, remote.ErrClosed) {
			t.Errorf("Start after Leave: %v", err)
		}
		c := w.start("c")
		for range 2 {
			if err := c.Leave(t.Context()); err != nil {
				t.Errorf("alone: %v", err)
			}
		}
		if err := c.Start(c.sys); err == nil {
			t.Error("started twice")
		}
	})
}

func TestLeaveEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.start("a")
		cfg := w.config("b", a)
		cfg.Misses = 1000
		b := start(t, cfg)
		meet(t, a, b)
		pid := a.spawn(t, &counter{})
		w.net.Partition("a", "b")
		if err := b.sys.Send(pid, Add{1}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Leave(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
