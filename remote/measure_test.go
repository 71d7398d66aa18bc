package remote_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/memory"
)

// Two regions: messages take 1 ms within one, and 40 ms to the other.
const (
	near = time.Millisecond
	far  = 40 * time.Millisecond
)

// regions makes every second host one of the other region.
func (w *world) regions(hosts int) {
	for i := range hosts {
		for j := range i {
			link := memory.Link{Latency: near}
			if i%2 != j%2 {
				link.Latency = far
			}
			a, b := fmt.Sprint("n", i), fmt.Sprint("n", j)
			w.net.SetLink(a, b, link)
			w.net.SetLink(b, a, link)
		}
	}
}

// trip returns the mean time that a message takes over a link of all, and whether
// the links connect all.
func (w *world) trip(all []*host) (mean time.Duration, connected bool) {
	at := make(map[string]int)
	for i, h := range all {
		at[h.ID().Name] = i
	}
	seen, todo := map[int]bool{0: true}, []int{0}
	links := make([][]int, len(all))
	sum, n := time.Duration(0), 0
	for i, h := range all {
		for _, m := range h.Members() {
			if j, ok := at[m.Node.Name]; ok && m.Linked && !m.Self {
				links[i] = append(links[i], j)
				sum += w.net.Link(fmt.Sprint("n", i), fmt.Sprint("n", j)).Latency
				n++
			}
		}
	}
	for len(todo) > 0 {
		i := todo[0]
		todo = todo[1:]
		for _, j := range links[i] {
			if !seen[j] {
				seen[j] = true
				todo = append(todo, j)
			}
		}
	}
	return sum / time.Duration(max(n, 1)), len(seen) == len(all)
}

func TestNodesFindNeighborsNearbyAndStayConnected(t *testing.T) {
	const hosts = 20
	after := make(map[bool]time.Duration)
	for _, nearby := range []bool{false, true} {
		bubble(t, func(t *testing.T, w *world) {
			var all []*host
			for i := range hosts {
				cfg := w.config(fmt.Sprint("n", i), all[:min(len(all), 2)]...)
				cfg.Topology, cfg.Nearby, cfg.Seed = remote.HyParView, nearby, uint64(i+1)
				all = append(all, start(t, cfg))
				w.pass(100 * time.Millisecond)
			}
			w.pass(10 * time.Second)
			w.regions(hosts) // not before, or those that are near would find together first
			before, _ := w.trip(all)
			for range 10 {
				w.pass(30 * time.Second)
				if _, connected := w.trip(all); !connected {
					t.Errorf("with Nearby %v, the graph falls apart", nearby)
				}
			}
			after[nearby], _ = w.trip(all)
			t.Logf("Nearby %v: links take %v, then %v", nearby, before, after[nearby])
			know(t, all)
			if nearby && after[nearby] > before*3/4 {
				t.Errorf("links take %v, and %v after five minutes", before, after[nearby])
			}
			if nearby {
				measured := 0
				for _, h := range all {
					for _, m := range h.Members() {
						if !m.Linked || m.Self || m.RTT == 0 {
							continue
						}
						measured++
						var i, j int
						_, _ = fmt.Sscanf(h.ID().Name, "n%d@", &i)
						_, _ = fmt.Sscanf(m.Node.Name, "n%d@", &j)
						want := 2 * w.net.Link(fmt.Sprint("n", i), fmt.Sprint("n", j)).Latency
						if m.RTT < want || m.RTT > want+5*time.Millisecond {
							t.Errorf("%v to %v: measured %v, not %v", h.ID().Name, m.Node.Name, m.RTT, want)
						}
					}
				}
				if measured == 0 {
					t.Error("nothing was measured")
				}
			}
		})
	}
	if after[true] > after[false]*3/4 {
		t.Errorf("links take %v, and %v without", after[true], after[false])
	}
}
