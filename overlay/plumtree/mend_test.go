package plumtree

import (
	"slices"
	"testing"
	"time"
)

// quick is a world in which everything takes 1 ms, breaks of connections are noticed
// within 10 ms, and the tree is there.
func quick(t *testing.T, seed uint64, n int, cfg Config) *world {
	w := newWorld(t, seed, n, cfg)
	w.notice = 10 * time.Millisecond
	for l := range w.links {
		w.links[l] = time.Millisecond
	}
	for range 3 {
		w.measure(w.rng.IntN(n), 2*time.Second)
	}
	return w
}

// fell returns a node whose crash breaks the tree, and one that hangs on it.
func (w *world) fell() (victim, child int) {
	for {
		victim = w.rng.IntN(len(w.hosts))
		if eager := w.hosts[victim].core.Eager(); len(eager) > 1 {
			return victim, w.index(eager[w.rng.IntN(len(eager))])
		}
	}
}

// everywhere runs until all have what was broadcast as id, and returns how long that
// took, or limit.
func (w *world) everywhere(id ID, limit time.Duration) time.Duration {
	begun := w.now
	for w.now.Sub(begun) < limit {
		w.run(time.Millisecond)
		if !slices.ContainsFunc(w.live(), func(h *host) bool { _, ok := h.delivered[id]; return !ok }) {
			break
		}
	}
	return w.now.Sub(begun)
}

// A node of the tree crashes, and a while before or after, or in the same instant, one of
// its neighbors in the tree has something to say.
func TestBroadcastsComeAtOnceAlthoughTheTreeHasJustBroken(t *testing.T) {
	const n, trials = 100, 40
	for _, after := range []time.Duration{-5 * time.Millisecond, 0, 20 * time.Millisecond} {
		var took []time.Duration
		var redundancy float64
		for i := range trials {
			w := quick(t, uint64(i), n, Config{})
			w.check = i%10 == 0
			victim, child := w.fell()
			var id ID
			if after < 0 {
				id = w.broadcast(child)
				w.run(-after)
				w.crash(victim)
			} else {
				w.crash(victim)
				w.run(after)
				id = w.broadcast(child)
			}
			took = append(took, w.everywhere(id, 3*time.Second))
			w.run(3 * time.Second)
			w.measure(child, 2*time.Second)
			redundancy += w.measure(child, 2*time.Second).redundancy / trials
		}
		slices.Sort(took)
		t.Logf("%v after the crash: of %d broadcasts half were everywhere after %v, 19 of 20 after %v, all after %v; a later one's redundancy was %.3f",
			after, trials, took[trials/2], took[trials*19/20], took[trials-1], redundancy)
		if took[trials*19/20] > 50*time.Millisecond || took[trials-1] > 100*time.Millisecond {
			t.Errorf("%v after the crash, of %d broadcasts 19 of 20 were everywhere after %v, all after %v", after, trials, took[trials*19/20], took[trials-1])
		}
	}
}

// b and c have lost a, the only neighbor of both, before b's message came to it, and
// then find each other. c is told of the message, and asks for it at once.
func TestNewNeighborsThatMendATreeAreToldOfWhatIsNew(t *testing.T) {
	for _, order := range []string{"bc", "cb"} {
		s := newStage(t, Config{Exchange: time.Hour}, "a", "b", "c")
		s.link("a", "b")
		s.link("a", "c")
		s.step("b", Broadcast{[]byte("one")})
		s.letters = map[int]letter{} // are lost
		for _, at := range order {
			s.step(string(at), NeighborLost{node("a")})
		}
		s.link("b", "c")
		s.deliverAll()
		if s.got["c b1"] != 1 {
			t.Errorf("c has not got it:\n%s", s.out.String())
		}
		s.wait(5*time.Second, true)
		s.step("b", NeighborLost{node("z")})
		s.start("d", 9)
		s.out.Reset()
		s.link("b", "d")
		if out := s.out.String(); out != "" {
			t.Errorf("to a new neighbor of a tree that is whole, b says %s", out)
		}
	}
}
