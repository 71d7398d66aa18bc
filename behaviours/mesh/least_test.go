package mesh

import (
	"sync"
	"testing"

	"github.com/topos-go/topos/internal/hash"
)

func TestLeastConnectionsTakesTheLeastLoaded(t *testing.T) {
	list := crew(20)
	for i, in := range list {
		in.inflight.Store(int64(3 + i%5))
	}
	list[13].inflight.Store(2)
	got := shares(newSnapshot(20, list, LeastConnections), new(chooser), 1000, unkeyed)
	if got[list[13]] != 1000 {
		t.Errorf("it was taken %d times of 1000", got[list[13]])
	}
}

// Whoever comes after many that are busy has no more than the others.
func TestLeastConnectionsIsFairBetweenEquals(t *testing.T) {
	for name, busy := range map[string]func(i int) bool{
		"half of them, side by side": func(i int) bool { return i < 50 },
		"all but five":               func(i int) bool { return i%20 != 7 },
		"all but two neighbors":      func(i int) bool { return i != 50 && i != 51 },
		"some, anywhere":             func(i int) bool { return hash.Mix(uint64(i))%3 == 0 },
	} {
		list := crew(100)
		idle := 0
		for i, in := range list {
			in.inflight.Store(2)
			if busy(i) {
				in.inflight.Store(3)
			} else {
				idle++
			}
		}
		got := shares(newSnapshot(100, list, LeastConnections), new(chooser), 1000*idle, unkeyed)
		for i, in := range list {
			if n := got[in]; busy(i) && n > 0 || !busy(i) && (n < 700 || n > 1300) {
				t.Errorf("%s: instance %d, busy %v, has %d calls of 1000 each", name, i, busy(i), n)
			}
		}
	}
}

func TestLeastConnectionsTakesTheNextIfTheLeastLoadedIsNotFree(t *testing.T) {
	list, c := crew(20), new(chooser)
	for i, in := range list {
		in.inflight.Store(int64(i / 5)) // five each
	}
	s := newSnapshot(20, list, LeastConnections)
	for _, in := range list[:5] {
		in.gone.Store(true)
	}
	for _, in := range list[5:9] {
		for range 5 {
			p, _ := in.breaker.admit(0)
			in.breaker.ended(p, errCounted)
		}
	}
	var asked tried
	if in := s.pick(c, 0, false, &asked, 0); in != list[9] {
		t.Errorf("the only one that is free among the next was not taken, but one with %d calls", in.inflight.Load())
	}
	asked.add(list[9])
	if in := s.pick(c, 0, false, &asked, 0); in.inflight.Load() != 2 {
		t.Errorf("one with %d calls was taken, 2 have the fewest", in.inflight.Load())
	}
}

// What is under way at instances that are not in the snapshot, because they are
// sick or of other versions, counts for nothing.
func TestLeastConnectionsLooksAtThoseThatAreReadyOnly(t *testing.T) {
	list := crew(200)
	var ready []*instance
	for i, in := range list {
		in.inflight.Store(int64(i % 3))
		if i%3 != 0 {
			ready = append(ready, in)
		}
	}
	s := newSnapshot(200, ready, LeastConnections)
	for range 1000 {
		if in := s.pick(new(chooser), 0, false, new(tried), 0); in.inflight.Load() != 1 {
			t.Fatalf("one with %d calls was taken", in.inflight.Load())
		}
	}
	if n := len(rows(ready)); n < 60 {
		t.Errorf("%d rows", n)
	}
	for n, in := range ready { // it is found wherever it stands
		in.inflight.Store(0)
		if s.pick(new(chooser), 0, false, new(tried), 0) != in {
			t.Fatalf("the only idle one, the %d-th, was not taken", n)
		}
		in.inflight.Store(5)
	}
}

func TestLeastConnectionsSharesOutWhatComesAtOnce(t *testing.T) {
	const instances, callers, each = 100, 8, 500
	list, c := crew(instances), new(chooser)
	s := newSnapshot(instances, list, LeastConnections)
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				s.pick(c, 0, false, new(tried), 0).inflight.Add(1)
			}
		})
	}
	all.Wait()
	for i, in := range list { // each caller may have one on its way that the others do not see
		if n := in.inflight.Load(); n < callers*each/instances-callers || n > callers*each/instances+callers {
			t.Errorf("instance %d has %d of %d calls", i, n, callers*each)
		}
	}
}
