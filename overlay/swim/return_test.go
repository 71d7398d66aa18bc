package swim

import (
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// A partition: each side buries the other, and nobody of its own. When it heals,
// all return, as the same nodes.
func TestPartitionFailsTheOtherSideAndHealingReturnsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(1, 60, Config{})
	w.loss = .01
	var failed, back []time.Duration
	var from time.Duration
	w.watch = func(s *site, e Effect) {
		switch e := e.(type) {
		case Failed:
			if w.sites[w.bySite[e.Node]].side == s.side && from > 0 && back == nil {
				t.Errorf("%v buries %v of its own side", s.node, e.Node)
			}
			failed = append(failed, w.now-from)
		case Returned:
			back = append(back, w.now-from)
		}
	}
	w.run(2 * time.Second)
	from = w.now
	for _, s := range w.sites[:20] {
		s.side = 1
	}
	w.run(40 * time.Second)
	t.Logf("the other side failed at %s", summary(failed))
	if len(failed) != 2*20*40 || slices.Max(failed) > 30*time.Second {
		t.Errorf("%d verdicts, the last after %v", len(failed), slices.Max(failed))
	}
	from = w.now
	for _, s := range w.sites {
		s.side = 0
	}
	w.run(40 * time.Second)
	t.Logf("returned at %s", summary(back))
	for i, s := range w.sites {
		if stats := s.core.Stats(); stats.Dead+stats.Suspects > 0 {
			t.Errorf("node %d: %+v", i, stats)
		}
	}
	if slices.Max(back) > 30*time.Second {
		t.Errorf("the last one returned after %v", slices.Max(back))
	}
	w.sound(t)
}

// Wherever in a period a process is stopped, and for however long: when it runs on
// it has nobody fail, and suspects nobody before it has asked anew.
func TestAStoppedProcessAccusesNobodyWhenItWakes(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{150 * time.Millisecond, 400 * time.Millisecond, time.Second, 10 * time.Second} {
		for start := range 20 {
			w := newWorld(uint64(start), 10, Config{})
			w.run(time.Second + time.Duration(start)*37*time.Millisecond)
			sleeper := w.sites[0]
			// It suspects somebody when it is stopped.
			w.step(0, Heard{Fact{State: Suspect, Node: w.sites[1].node, By: w.sites[2].node}})
			sleeper.asleep = true
			w.run(length)
			woken := w.now
			w.watch = func(s *site, e Effect) {
				if f, ok := e.(Failed); ok && s == sleeper && f.By == s.node {
					t.Errorf("stopped for %v: after %v it says that %v has failed", length, w.now-woken, f.Node)
				}
				if f, ok := e.(Suspected); ok && s == sleeper && f.By == s.node && w.now < woken+DefaultPeriod {
					t.Errorf("stopped for %v: after %v it suspects %v", length, w.now-woken, f.Node)
				}
			}
			w.wake(0)
			if length >= time.Second && sleeper.core.Health() == 0 && sleeper.core.Stats().Wakes == 0 {
				t.Errorf("stopped for %v: it has not noticed", length)
			}
			w.run(5 * time.Second)
			w.sound(t)
		}
	}
}

// The same without the detection, to know that the test above could fail.
func TestAStoppedProcessWithoutLocalHealthAccuses(t *testing.T) {
	accused := 0
	for start := range 20 {
		w := newWorld(uint64(start), 10, Config{Plain: true})
		w.run(time.Second + time.Duration(start)*37*time.Millisecond)
		w.step(0, Heard{Fact{State: Suspect, Node: w.sites[1].node, By: w.sites[2].node}})
		sleeper := w.sites[0]
		sleeper.asleep = true
		w.run(10 * time.Second)
		w.watch = func(s *site, e Effect) {
			if f, ok := e.(Failed); ok && s == sleeper && f.By == s.node {
				accused++
			}
		}
		w.wake(0)
	}
	if accused < 10 {
		t.Errorf("only %d of 20 said that somebody has failed", accused)
	}
}

// What comes after the same place was started again is another node.
func TestARestartIsNeverAReturn(t *testing.T) {
	w := newWorld(2, 10, Config{})
	w.checked = true
	w.run(time.Second)
	old := w.sites[3].node
	w.kill(3, true, 0, 1)
	w.run(time.Second)
	w.watch = func(s *site, e Effect) {
		if r, ok := e.(Returned); ok {
			t.Errorf("%v says that %v has returned", s.node, r.Node)
		}
	}
	w.boot(3) // the directory has not buried the old one yet
	for i := range w.sites {
		w.step(i, Watch{w.sites[3].node})
		w.step(3, Watch{w.sites[i].node})
	}
	w.run(20 * time.Second)
	for i, s := range w.sites {
		if state, _ := s.core.State(w.sites[3].node); i != 3 && state != Alive {
			t.Errorf("node %d: the new one is %v", i, state)
		}
		if state, _ := s.core.State(old); i != 3 && state != Confirm {
			t.Errorf("node %d: the old one is %v", i, state)
		}
	}
}

// When a partition heals while its obituaries are still going around, nobody buries
// a member of its own side because of them: they are suspicions at first, and
// refuted.
func TestObituariesOfTheOtherSideBuryNobodyWhenAPartitionHeals(t *testing.T) {
	t.Parallel()
	accused := 0
	for _, length := range []time.Duration{4, 5, 6, 8, 10} {
		w := newWorld(3, 30, Config{})
		w.run(time.Second)
		for _, s := range w.sites[:15] {
			s.side = 1
		}
		w.watch = func(s *site, e Effect) {
			same := func(n overlay.Node) bool { return (w.bySite[n] < 15) == (w.bySite[s.node] < 15) }
			if f, ok := e.(Failed); ok && same(f.Node) {
				t.Errorf("after %v: %v buries %v of its own side", w.now, s.node, f.Node)
			}
			if f, ok := e.(Suspected); ok && same(f.Node) {
				accused++
			}
		}
		w.run(length * time.Second)
		for _, s := range w.sites {
			s.side = 0
		}
		w.run(20 * time.Second)
		for i, s := range w.sites {
			if stats := s.core.Stats(); stats.Dead+stats.Suspects > 0 {
				t.Errorf("node %d: %+v", i, stats)
			}
		}
		w.sound(t)
	}
	if accused == 0 {
		t.Error("nobody of the own side was accused")
	}
}
