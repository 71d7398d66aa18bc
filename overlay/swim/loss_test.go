package swim

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// seeds is how many worlds the longer tests go through.
var seeds = flag.Uint64("seeds", 2, "how many seeds the worlds are run with")

// live reports what must not happen to those that live.
func (w *world) live(t *testing.T) {
	t.Helper()
	if n := w.counts.lies; n > 0 {
		t.Errorf("%d times a node that lives was said to have failed, %d of them by a source", n, w.counts.lieSources)
	}
	w.sound(t)
}

// sound reports invariants that are broken.
func (w *world) sound(t *testing.T) {
	t.Helper()
	for _, s := range w.sites {
		if err := s.core.valid(); err != nil {
			t.Errorf("%v: %v", s.node, err)
		}
	}
	for _, what := range w.wrong[:min(3, len(w.wrong))] {
		t.Error(what)
	}
}

func TestNoLiveNodeFailsInTenMinutesOfLoss(t *testing.T) {
	for seed := range *seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(seed, 100, Config{})
			w.loss = .05
			w.run(10 * time.Minute)
			w.live(t)
			seconds := 100 * w.now.Seconds()
			t.Logf("%.2f messages and %.0f bytes a node and second; %d suspicions, %d at one node",
				float64(w.counts.sent)/seconds, float64(w.counts.bytes)/seconds, w.counts.refuted, w.counts.suspected)
			if w.counts.refuted < 20 || w.counts.trusted != w.counts.suspected {
				t.Errorf("nothing has been put to the test: %+v", w.counts)
			}
			if perSecond := float64(w.counts.sent) / seconds; perSecond > 9 {
				t.Errorf("%.2f messages a node and second", perSecond)
			}
		})
	}
}

// The checker would see it: if refutations are lost, live nodes fail.
func TestALossOfRefutationsIsSeenByTheChecker(t *testing.T) {
	w := newWorld(1, 30, Config{})
	w.loss = .2
	w.tamper = func(_ *site, e Send) Send {
		e.Message.Incarnation = 0
		var facts []Fact
		for _, f := range e.Message.Facts {
			if f.State != Alive {
				facts = append(facts, f)
			}
		}
		e.Message.Facts = facts
		return e
	}
	w.run(20 * time.Second)
	if w.counts.lies == 0 {
		t.Error("no live node failed although no refutation arrives")
	}
}

// And if one of the invariants is broken, valid says which.
func TestABrokenInvariantIsFound(t *testing.T) {
	for want, damage := range map[string]func(c *Core){
		"1: ": func(c *Core) {
			at, _ := c.members.index.at(&c.members, c.members.node(0))
			c.members.index.slots[at] ^= 1 // it has the id of another
		},
		"1: slot": func(c *Core) {
			slots := c.members.index.slots
			slots[slices.Index(slots, empty)] = mark(0) | 99
		},
		"1: incarnation": func(c *Core) { c.members.all[0].incarnation = many },
		"2: ":            func(c *Core) { o := c.members.order; o[0], o[1] = o[1], o[0] },
		"3: ": func(c *Core) {
			c.suspicions[0].accusers = append(c.suspicions[0].accusers, c.suspicions[0].accusers[0])
		},
		"4: ": func(c *Core) { c.open(inTurn, 0, c.now.Add(1)); c.open(inTurn, 1, c.now.Add(1)) },
		"5: ": func(c *Core) {
			for range 2 {
				c.relays = append(c.relays, relay{end: c.now.Add(-time.Duration(len(c.relays)))})
			}
		},
		"6: ": func(c *Core) { c.rumors.count++ },
		"7: ": func(c *Core) { c.health = -1 },
		"8: ": func(c *Core) { c.turnAt = time.Time{} },
	} {
		w := newWorld(1, 4, Config{})
		c := w.sites[0].core
		c.Step(epoch, Heard{Fact{State: Suspect, Node: w.sites[1].node, By: w.sites[2].node}})
		if err := c.valid(); err != nil {
			t.Fatal(err)
		}
		damage(c)
		if err := c.valid(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in: %v", want, err)
		}
	}
}

func TestTheSameSeedGivesTheSameWorld(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) string {
		w := newWorld(seed, 20, Config{})
		w.loss, w.broadcast, w.trace, w.checked = .1, true, &strings.Builder{}, true
		w.run(5 * time.Second)
		w.kill(3, false)
		w.kill(4, true, 5, 6)
		for _, s := range w.sites[10:] {
			s.side = 1
		}
		w.run(10 * time.Second)
		w.replace(3)
		for _, s := range w.sites {
			s.side = 0
		}
		w.run(10 * time.Second)
		w.sound(t)
		return w.trace.String()
	}
	first := run(1)
	if first != run(1) {
		t.Error("the same seed gave another world")
	}
	if first == run(2) {
		t.Error("another seed gave the same world")
	}
}
