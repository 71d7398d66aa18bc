package plumtree

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// heap returns the bytes in use.
func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestIdleCoreTakesLessThanTwoKilobytes(t *testing.T) {
	const n, degree = 500, 5
	nodes := make([]overlay.Node, n)
	for i := range nodes {
		nodes[i] = overlay.Node{Name: fmt.Sprintf("n%d@h%d:1", i, i), Boot: 1}
	}
	cores := make([]*Core, n)
	before := heapInUse()
	for i := range cores {
		core, err := New(Config{Self: nodes[i], Rand: rand.New(rand.NewPCG(1, uint64(i)))})
		if err != nil {
			t.Fatal(err)
		}
		for j := range degree {
			core.Step(epoch, NeighborUp{nodes[(i+j+1)%n]})
		}
		cores[i] = core
	}
	fresh := (heapInUse() - before) / n
	// Each has had 20 messages of three origins, which are retained no more.
	now := epoch
	for i, c := range cores {
		for k := range uint64(60) {
			id := ID{nodes[(i+int(k%3)+1)%n], k/3 + 1}
			c.Step(now, Received{nodes[(i+1)%n], Gossip{ID: id, Round: 1, Payload: make([]byte, 100)}})
			c.Step(now, Received{nodes[(i+2)%n], IHave{[]Announcement{{id, 1}}}})
		}
	}
	full := (heapInUse() - before) / n
	now = now.Add(DefaultRetain)
	for _, c := range cores {
		for c.Deadline().Before(now) {
			c.Tick(c.Deadline())
		}
		c.Tick(now)
	}
	idle := (heapInUse() - before) / n
	t.Logf("a core with %d neighbors takes %d bytes at first, %d with 60 messages, %d afterwards", degree, fresh, full, idle)
	if fresh > 1800 || idle > 2600 {
		t.Errorf("%d bytes at first, %d after messages of three origins", fresh, idle)
	}
	runtime.KeepAlive(cores)
	runtime.KeepAlive(nodes)
}

func TestManyMessagesTakeNoMoreMemoryThanFew(t *testing.T) {
	cfg := Config{Retain: 3 * time.Second, Exchange: 2 * time.Second, MaxRetained: 50, MaxOrigins: 20, Forget: 10 * time.Second}
	w := newWorld(t, 1, 12, cfg)
	w.loss = 0.05
	most := uint64(0)
	before := heapInUse()
	for i := range 25 {
		for range 20 {
			w.broadcast(w.rng.IntN(12))
			w.run(50 * time.Millisecond)
		}
		a := w.rng.IntN(12)
		w.crash(a)
		w.start(a)
		for len(w.neighbors(a)) < 3 {
			w.connect(a, w.rng.IntN(12))
		}
		w.run(time.Second)
		w.sent = map[ID]time.Time{}
		for _, h := range w.hosts { // what the test itself notes
			clear(h.delivered)
			h.missed = nil
		}
		used := max(heapInUse(), before) - before
		if i < 10 {
			most = max(most, used)
		} else if used > 2*most {
			t.Fatalf("%d bytes after %d turns, and %d at most before", used, i, most)
		}
		for _, h := range w.hosts {
			if s := h.core.Stats(); s.Origins > 20 || s.Retained > 50 {
				t.Fatalf("%+v", s)
			}
		}
	}
}
