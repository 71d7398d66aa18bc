package remote_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// letters collects the dead letters of a node with a reason.
func (h *host) letters(t *testing.T, reason error) func() []actor.DeadLetter {
	var mu sync.Mutex
	var all []actor.DeadLetter
	cancel := h.sys.Observe(func(ev actor.Event) {
		if d, ok := ev.(actor.DeadLetter); ok && errors.Is(d.Reason, reason) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, d)
		}
	})
	t.Cleanup(cancel)
	return func() []actor.DeadLetter {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func upTo(n int) []int {
	var all []int
	for i := range n {
		all = append(all, i)
	}
	return all
}

func TestAcknowledgedMessagesSurviveThatTheNodesGiveEachOtherUp(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		hosts := w.cluster("a", "b")
		a, b := hosts[0], hosts[1]
		var acked, plain log
		toAcked, toPlain := a.spawn(t, acked.actor()), a.spawn(t, plain.actor())
		const n = 300
		for i := range n {
			switch i {
			case 100:
				w.net.Partition("a", "b")
			case 200:
				w.pass(10 * time.Second) // they are down for each other
				a.await(t, remote.MemberDown, b.ID())
				b.await(t, remote.MemberDown, a.ID())
				w.net.Heal("a", "b")
				meet(t, a, b)
			}
			if err := b.sys.Send(toAcked, Add{i}, actor.Ack()); err != nil {
				t.Fatal(err)
			}
			_ = b.sys.Send(toPlain, Add{i})
		}
		w.pass(5 * time.Second)
		if seen := acked.read(); !slices.Equal(seen, upTo(n)) {
			t.Errorf("acknowledged: %v", seen)
		}
		if seen := plain.read(); len(seen) == n || !slices.IsSorted(seen) {
			t.Errorf("the test shows nothing: %d others arrived too", len(seen))
		}
		if s := b.Stats(); s.Resent == 0 || s.OutcomeUnknown != 0 {
			t.Errorf("%d sent again, outcome of %d unknown", s.Resent, s.OutcomeUnknown)
		}
	})
}

func TestAcknowledgedMessageIsNotDoubledWhenOnlyItsAcknowledgementIsLost(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		hosts := w.cluster("a", "b")
		a, b := hosts[0], hosts[1]
		w.net.SetLatency(300 * time.Millisecond)
		var l log
		pid := a.spawn(t, l.actor())
		_ = b.sys.Send(pid, Add{-1}, actor.Ack())
		w.pass(5 * time.Second)
		for i := range 10 {
			_ = b.sys.Send(pid, Add{i}, actor.Ack())
		}
		w.pass(400 * time.Millisecond) // they have arrived, and nothing has come back
		w.net.Partition("a", "b")
		w.pass(10 * time.Second)
		w.net.Heal("a", "b")
		w.pass(20 * time.Second)
		if seen := l.read(); !slices.Equal(seen[1:], upTo(10)) {
			t.Errorf("arrived: %v", seen)
		}
		if b.Stats().Resent == 0 {
			t.Error("the test shows nothing: none was sent again")
		}
	})
}

func TestAcknowledgedMessageThatIsNeverAnsweredBecomesADeadLetter(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.start("a")
		cfg := w.config("b", a)
		cfg.AckAge = 20 * time.Second
		b := start(t, cfg)
		meet(t, a, b)
		unknown := b.letters(t, actor.ErrOutcomeUnknown)
		pid := a.spawn(t, &counter{})
		w.net.Partition("a", "b")
		if err := b.sys.Send(pid, Add{7}, actor.Ack()); err != nil {
			t.Fatal(err)
		}
		w.pass(19 * time.Second)
		if len(unknown()) != 0 {
			t.Error("given up too early")
		}
		w.pass(2 * time.Second)
		if all := unknown(); len(all) != 1 || all[0].Message != (Add{7}) || all[0].To != actor.Address(pid) {
			t.Errorf("dead letters: %v", all)
		}
		if n := b.Stats().OutcomeUnknown; n != 1 {
			t.Errorf("%d counted", n)
		}
	})
}

func TestRestartOfANodeEndsWhatItHadNotAcknowledged(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		hosts := w.cluster("a", "b")
		a, b := hosts[0], hosts[1]
		unknown := b.letters(t, actor.ErrOutcomeUnknown)
		pid := a.spawn(t, &counter{})
		w.net.Partition("a", "b")
		if err := b.sys.Send(pid, Add{7}, actor.Ack()); err != nil {
			t.Fatal(err)
		}
		call := make(chan error, 1)
		go func() {
			_, err := actor.Call[int](t.Context(), b.sys, pid, Get{})
			call <- err
		}()
		w.pass(time.Second)
		w.net.Kill("a")
		w.net.Heal("a", "b")
		again := w.start("a", b)
		w.pass(10 * time.Second)
		_ = again
		if all := unknown(); len(all) != 1 {
			t.Errorf("dead letters: %v", all)
		}
		if err := <-call; !errors.Is(err, actor.ErrNoConnection) {
			t.Errorf("call: %v", err)
		}
	})
}

func TestSenderWaitsWhenTooMuchIsUnacknowledged(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.pairOn()
		var l log
		pid := a.spawn(t, l.actor())
		w.net.Partition("a", "b")
		time.AfterFunc(3*time.Second, func() { w.net.Heal("a", "b") })
		begun := time.Now()
		const n = 3000
		for i := range n {
			if err := b.sys.Send(pid, Add{i}, actor.Ack()); err != nil {
				t.Fatalf("message %d after %v: %v", i, time.Since(begun), err)
			}
		}
		w.pass(time.Second)
		if seen := l.read(); !slices.Equal(seen, upTo(n)) {
			t.Errorf("%d arrived", len(seen))
		}
		if waited := time.Since(begun); waited < 3*time.Second {
			t.Errorf("it took only %v", waited)
		}
	})
}

func TestUnorderedAcknowledgedMessagesAllArriveOnce(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		hosts := w.cluster("a", "b")
		a, b := hosts[0], hosts[1]
		var l log
		pid := a.spawn(t, l.actor())
		const n = 200
		for i := range n {
			if err := b.sys.Send(pid, Add{i}, actor.Ack(), actor.Unordered()); err != nil {
				t.Fatal(err)
			}
			if i == 100 {
				w.net.Cut("a", "b")
			}
		}
		w.pass(10 * time.Second)
		seen := l.read()
		slices.Sort(seen)
		if !slices.Equal(seen, upTo(n)) {
			t.Errorf("arrived: %v", seen)
		}
	})
}
