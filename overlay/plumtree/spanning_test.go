package plumtree

import (
	"testing"
	"time"
)

// eagerLinks counts the links that both sides use eagerly, and those that only
// one does.
func (w *world) eagerLinks() (both, one int) {
	for l := range w.links {
		switch a, b := w.eager(l[0], l[1]), w.eager(l[1], l[0]); {
		case a && b:
			both++
		case a || b:
			one++
		}
	}
	return both, one
}

func (w *world) eager(a, b int) bool {
	c := w.hosts[a].core
	p := c.peer(w.hosts[b].node)
	return p != nil && !c.shared.isLazy(p.slot)
}

// wantTree checks that the eager links are a spanning tree.
func (w *world) wantTree(t *testing.T) {
	t.Helper()
	if both, one := w.eagerLinks(); both != len(w.hosts)-1 || one != 0 {
		t.Errorf("%d links are eager, and %d on one side, of %d nodes", both, one, len(w.hosts))
	}
	if w.spread(0, w.eager) < 0 {
		t.Error("eager links do not reach every node")
	}
}

func TestEagerLinksBecomeASpanningTree(t *testing.T) {
	const n = 1000
	w := newWorld(t, 1, n, Config{})
	flood := w.flood(0)
	first := w.measure(0, 2*time.Second)
	w.wantTree(t)
	if links := len(w.links); first.redundancy < float64(2*links-n+1)/(n-1)-1.01 {
		t.Errorf("the first message was not flooded: redundancy %.3f", first.redundancy)
	}
	var last round
	for i := range 5 {
		if last = w.measure(0, 2*time.Second); last.redundancy >= 0.05 || last.reached != n {
			t.Errorf("message %d reached %d of %d nodes, with redundancy %.3f", i, last.reached, n, last.redundancy)
		}
	}
	w.wantTree(t)
	if last.lastHop > 2*flood {
		t.Errorf("the last hop is %d, of flooding %d", last.lastHop, flood)
	}
	s := w.total()
	t.Logf("%d nodes, %d links: RMR first %.3f, last %.3f; last hop first %d, last %d, of flooding %d; %d links optimized",
		n, len(w.links), first.redundancy, last.redundancy, first.lastHop, last.lastHop, flood, s.Optimized)
	if s.GossipSent-s.Duplicates != 6*(n-1) || s.Missed+s.Repaired+s.Malformed > 0 {
		t.Errorf("something was lost in a world that loses nothing: %+v", s)
	}
}

// turns measures messages of ten hosts, one at a time, and returns the mean last
// hop after a while.
func (w *world) turns(t *testing.T) float64 {
	sum := 0
	for i := range 40 {
		r := w.measure(i%10*len(w.hosts)/10, time.Second)
		if r.reached != len(w.hosts) {
			t.Errorf("message %d reached %d", i, r.reached)
		}
		if i >= 20 {
			sum += r.lastHop
			if r.redundancy >= 0.05 {
				t.Errorf("message %d: redundancy %.3f", i, r.redundancy)
			}
		}
	}
	return float64(sum) / 20
}

func TestSendersInTurnShareOneTreeOrHaveShorterOnes(t *testing.T) {
	const n = 200
	shared := newWorld(t, 2, n, Config{})
	hops := shared.turns(t)
	shared.wantTree(t)
	own := newWorld(t, 2, n, Config{PerOrigin: true})
	hopsOwn := own.turns(t)
	flood := shared.flood(0)
	t.Logf("%d nodes, 10 senders: mean last hop %.1f in a shared tree, %.1f in trees of their own, of flooding about %d", n, hops, hopsOwn, flood)
	if hopsOwn >= hops || hopsOwn > float64(2*flood) {
		t.Errorf("own trees have %.1f hops, the shared one %.1f", hopsOwn, hops)
	}
}

// The messages of ten senders are on their way at the same time, from the start:
// nobody has shaped the tree before.
func TestTreeFormsUnderMessagesOfManySendersAtOnce(t *testing.T) {
	const n, second = 200, 50
	w := newWorld(t, 3, n, Config{})
	var redundancy, grafts float64
	for i := range 5 {
		before := w.total()
		for j := range second {
			w.broadcast(j % 10 * n / 10)
			w.run(time.Second / second)
		}
		after := w.total()
		redundancy = float64(after.Duplicates-before.Duplicates) / second / (n - 1)
		grafts = float64(after.GraftSent-before.GraftSent) / second
		t.Logf("second %d: redundancy %.3f, %.1f grafts a message", i, redundancy, grafts)
	}
	if redundancy >= 0.05 || grafts > 5 {
		t.Errorf("after 5 s: redundancy %.3f, %.1f grafts a message", redundancy, grafts)
	}
	w.run(5 * time.Second)
	w.wantTree(t)
	for id := range w.sent {
		for _, h := range w.hosts {
			if _, ok := h.delivered[id]; !ok {
				t.Fatalf("%v has no %v", h.node, id)
			}
		}
	}
}

func TestNewNodesLeaveTheTreeOfTheOthersAlone(t *testing.T) {
	const n = 300
	w := newWorld(t, 4, n, Config{})
	for range 4 {
		w.measure(0, 2*time.Second)
	}
	w.wantTree(t)
	// Ten nodes crash, nine of which were no leaf, and come back with new links.
	for i := range 10 {
		w.crash(10 + 25*i)
	}
	w.run(time.Second)
	for i := range 10 {
		w.start(10 + 25*i)
		for range 5 {
			w.connect(10+25*i, w.rng.IntN(n))
		}
	}
	w.run(2 * time.Second)
	// A message that is flooded has a redundancy of about 3.
	r := w.measure(0, 5*time.Second)
	t.Logf("first message after 10 of %d nodes were replaced: redundancy %.3f, reached %d, %d grafts", n, r.redundancy, r.reached, r.graftsSent)
	if r.redundancy > 0.5 || r.reached != n {
		t.Errorf("redundancy %.3f, reached %d", r.redundancy, r.reached)
	}
	for range 2 {
		r = w.measure(0, 2*time.Second)
	}
	if r.redundancy >= 0.05 || r.reached != n {
		t.Errorf("later: redundancy %.3f, reached %d", r.redundancy, r.reached)
	}
}
