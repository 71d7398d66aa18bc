package directory

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// bound is within what time all agree after the last fault: the longest wait
// before a try, a doubt, and as many exchanges as it takes for one fact to go
// around, twice.
func (w *world) bound() time.Duration {
	rounds := 2 * (bits.Len(uint(len(w.sites))) + 2)
	return w.cfg.TryMax + DefaultDoubt + time.Duration(rounds)*w.cfg.Interval
}

// worlds is how many worlds are tried: go test -worlds 100 looks longer.
var worlds = flag.Uint64("worlds", 2, "number of worlds")

func TestAllAgreeSoonAfterTheLastFault(t *testing.T) {
	for seed := range *worlds {
		nodes := 30 + int(seed)%6*10
		w := newWorld(seed, nodes)
		w.grow()
		w.faults(150)
		took := w.settle(w.bound())
		w.onDown = func(at *site, node overlay.Node) {
			w.fail(fmt.Errorf("%v evicts %v, though all is well", at.node, node))
		}
		w.run(time.Minute)
		w.fail(w.check())
		if w.err != nil {
			t.Fatalf("seed %d: %v", seed, w.err)
		}
		c := w.counts
		if c.downs == 0 || c.returned == 0 || c.restarted == 0 || c.detected == 0 || c.healed == 0 || c.ended == 0 || c.tries == 0 {
			t.Errorf("seed %d: something never happened: %+v", seed, c)
		}
		t.Logf("seed %d: %d nodes agree after %v of %v, %+v", seed, nodes, took, w.bound(), c)
	}
}

func TestManyNodesAgreeSoonAfterTheLastFault(t *testing.T) {
	w := newWorld(99, 120)
	w.grow()
	w.faults(30)
	took := w.settle(w.bound())
	if w.err != nil {
		t.Fatal(w.err)
	}
	t.Logf("agree after %v of %v, %+v", took, w.bound(), w.counts)
}

func TestALostBroadcastIsEverywhereAfterAFewExchanges(t *testing.T) {
	w := newWorld(1, 128)
	w.grow()
	w.settle(w.bound())
	w.lost, w.loss = 100, 0
	effects, err := w.sites[5].core.SetMeta(w.now, "news")
	w.fail(err)
	w.carryOut(w.sites[5], effects)
	if w.check() == nil {
		t.Fatal("it was not lost")
	}
	took := w.settle(time.Duration(bits.Len(128)+2) * w.cfg.Interval)
	if w.err != nil {
		t.Fatal(w.err)
	}
	t.Logf("everywhere after %v, with an interval of %v", took, w.cfg.Interval)
}

func TestOneSeedGivesOneHistory(t *testing.T) {
	sums := make(map[uint64]bool)
	for range 2 {
		w := newWorld(7, 20)
		w.log = fnv.New64a()
		w.grow()
		w.faults(60)
		w.run(time.Minute)
		sums[w.log.Sum64()] = true
	}
	w := newWorld(8, 20)
	w.log = fnv.New64a()
	w.grow()
	w.run(time.Minute)
	if sums[w.log.Sum64()] || len(sums) != 1 {
		t.Errorf("%d histories", len(sums))
	}
}

// TestTheWorldFindsWhatIsBroken runs it with something taken out of the
// protocol: the check must not pass.
func TestTheWorldFindsWhatIsBroken(t *testing.T) {
	broken := map[string]func(w *world){
		"no exchange": func(w *world) {
			w.tamper = func(_ *site, e Effect) bool {
				s, ok := e.(Send)
				if !ok {
					return false
				}
				_, ask := s.Message.(Ask)
				return ask && len(w.sites[0].up) > 10
			}
		},
		"no obituary": func(w *world) {
			w.forget = func(_ *site, ev Event) bool { _, ok := ev.(Obituary); return ok }
		},
		"no try": func(w *world) {
			w.tamper = func(_ *site, e Effect) bool { _, ok := e.(Try); return ok }
		},
		"no death": func(w *world) {
			w.tamper = func(_ *site, e Effect) bool { _, ok := e.(Down); return ok }
		},
	}
	for name, breakIt := range broken {
		noticed := false
		for seed := uint64(1); seed <= 5 && !noticed; seed++ { // in some worlds, chance repairs it
			w := newWorld(seed, 30)
			breakIt(w)
			w.grow()
			w.run(30 * time.Second)
			for i := range 10 {
				w.sites[3*i].side = 1
			}
			w.run(20 * time.Second)
			w.heal()
			w.crash(1)
			w.leave(2)
			w.settle(w.bound())
			noticed = w.err != nil
		}
		if !noticed {
			t.Errorf("%s: nobody has noticed", name)
		}
	}
}

// cut cuts every third node off for a while, and heals it.
func (w *world) cut() (here, there []overlay.Node) {
	for i, s := range w.sites {
		if i%3 == 1 {
			s.side = 1
			there = append(there, s.node)
		} else {
			here = append(here, s.node)
		}
	}
	w.run(30 * time.Second)
	return here, there
}

// TestBothSidesOfAPartitionSeeItAndItsEnd is about a whole cluster: hardly anybody's own
// side is taken for dead while the two come together, and only if refutations are lost.
func TestBothSidesOfAPartitionSeeItAndItsEnd(t *testing.T) {
	evicted := 0
	for seed := range uint64(10) {
		w := newWorld(seed, 60)
		w.lost, w.loss = 5, 2
		w.grow()
		w.settle(w.bound())
		w.run(DefaultWindow)
		here, there := w.cut()
		sides := map[int][][]overlay.Node{0: {here, there}, 1: {there, here}}
		for _, s := range w.sites {
			want := sides[s.side]
			if len(s.detected) == 0 {
				t.Fatalf("seed %d: %v has not detected it", seed, s.node)
			}
			last := s.detected[len(s.detected)-1]
			if !slices.Equal(last.Sides[0], want[0]) || !slices.Equal(last.Sides[1], want[1]) {
				t.Errorf("seed %d: %v sees %s and %s", seed, s.node, calledAll(last.Sides[0]), calledAll(last.Sides[1]))
			}
			if last.Leaders != [2]overlay.Node{want[0][0], want[1][0]} {
				t.Errorf("seed %d: %v sees leaders %v", seed, s.node, last.Leaders)
			}
		}
		side := func(s *site) int { return s.index % 3 % 2 }
		w.onDown = func(at *site, node overlay.Node) {
			if side(at) == side(w.siteOf(node)) {
				evicted++
			}
		}
		w.heal()
		took := w.settle(w.bound())
		w.run(DefaultWindow)
		if w.err != nil {
			t.Fatalf("seed %d: %v", seed, w.err)
		}
		for _, s := range w.sites {
			if len(s.ended) != 1 || len(s.healed) == 0 || len(s.detected) > 4 || len(s.healed) > 4 {
				t.Fatalf("seed %d: %v says %d detected, %d healed, %d ended", seed, s.node, len(s.detected), len(s.healed), len(s.ended))
			}
			if e := s.ended[0]; len(e.Returned) != len(sides[side(s)][1]) || len(e.Restarted)+len(e.Crashed)+len(e.Departed) > 0 {
				t.Errorf("seed %d: %v: %+v", seed, s.node, e)
			}
		}
		t.Logf("seed %d: agree %v after healing", seed, took)
	}
	t.Logf("%d of their own side evicted", evicted)
	if evicted > 10*evictions {
		t.Errorf("%d of their own side are evicted in ten healings", evicted)
	}
}

// evictions are how many are taken for dead of their own side in a healing, by one of some
// two thousand pairs, when every twentieth message is lost.
const evictions = 2

func TestWithoutDoubtAHealingPartitionEvictsTheLiving(t *testing.T) {
	w := newWorld(0, 60)
	w.cfg.Doubt = 1
	w.grow()
	w.settle(w.bound())
	w.cut()
	evicted := 0
	w.onDown = func(at *site, node overlay.Node) {
		if at.index%3%2 == w.siteOf(node).index%3%2 {
			evicted++
		}
	}
	w.heal()
	w.settle(w.bound())
	if evicted <= 10*evictions {
		t.Errorf("%d evicted: the doubt is good for nothing", evicted)
	}
}
