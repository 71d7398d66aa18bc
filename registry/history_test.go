package registry

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/hub"
)

// healing is how long after a partition has healed there may be two instances.
const healing = 5 * time.Second

// history is a cluster whose nodes come and go and are parted, and what it
// should look like meanwhile.
type history struct {
	t      *testing.T
	hub    *hub.Hub
	census *census
	places []*place // those that live
	boot   uint64
	parted actor.NodeID // the one that is alone; zero if none is
	calm   time.Time    // since when nothing was done to it
	healed time.Time    // when it was last healed
}

func (w *history) start(i int) {
	w.boot++
	id := testNode(i)
	id.Incarnation.Boot = w.boot
	p := joinWith(w.t, w.hub, NamesConfig{Node: id})
	p.place(w.t, PlacementConfig{}, w.census.tills(citizens, nil)...)
	w.places = append(w.places, p)
	w.calm = time.Now()
}

func (w *history) kill(i int) {
	p := w.places[i]
	w.places = append(w.places[:i:i], w.places[i+1:]...)
	w.hub.Kill(p.id)
	w.calm = time.Now()
}

func (w *history) part(id actor.NodeID) {
	if w.parted != (actor.NodeID{}) {
		w.healed = time.Now() // of some
	}
	w.parted = id
	w.calm = time.Now()
	isolate(w.hub, id)
}

func (w *history) heal() {
	if w.parted == (actor.NodeID{}) {
		return
	}
	w.parted = actor.NodeID{}
	w.calm, w.healed = time.Now(), time.Now()
	w.hub.Split(nil)
}

// sides are the living nodes that see each other.
func (w *history) sides() (sides [][]actor.NodeID) {
	var alone, rest []actor.NodeID
	for _, p := range w.places {
		if p.id == w.parted {
			alone = append(alone, p.id)
		} else {
			rest = append(rest, p.id)
		}
	}
	for _, side := range [][]actor.NodeID{alone, rest} {
		if len(side) > 0 {
			sides = append(sides, side)
		}
	}
	return sides
}

// wrong says what is not as promised at this moment: two instances on one side,
// but for a while after healing; or, when all has been calm for long enough,
// another than one.
func (w *history) wrong() string {
	for _, side := range w.sides() {
		for i := range citizens {
			n := 0
			for _, node := range w.census.where(citizenID(i)) {
				for _, s := range side {
					if s == node {
						n++
					}
				}
			}
			if n > 1 && time.Since(w.healed) > healing {
				return fmt.Sprintf("%s runs %d times on %v", citizenID(i), n, side)
			}
			if n != 1 && time.Since(w.calm) > healing {
				return fmt.Sprintf("%s runs %d times on %v, and all is calm", citizenID(i), n, side)
			}
		}
	}
	return ""
}

func TestNoSideRunsAChildTwiceWhateverHappens(t *testing.T) {
	for seed := range uint64(5) {
		live(t, seed, nil)
	}
}

func TestNoSideRunsAChildTwiceWhereNodesAreNotAllLinked(t *testing.T) {
	for seed := range uint64(5) {
		live(t, seed, someLinked)
	}
}

// live lets a cluster be what it is while nodes come and go and are parted.
func live(t *testing.T, seed uint64, near func(a, b actor.NodeID) bool) {
	synctest.Test(t, func(t *testing.T) {
		w := &history{t: t, hub: newHub(t), census: newCensus()}
		w.hub.Link(near)
		w.hub.Far(30 * time.Millisecond)
		w.hub.Latency(time.Millisecond, 20*time.Millisecond, 50*time.Millisecond)
		rnd := newRand(seed)
		for i := range 3 {
			w.start(i)
		}
		next := 3
		for range 60 {
			switch k := rnd.IntN(8); {
			case k == 0 && len(w.places) > 1:
				w.kill(rnd.IntN(len(w.places)))
			case k == 1 && len(w.places) < 5:
				w.start(next)
				next++
			case k == 2 || k == 3:
				w.part(w.places[rnd.IntN(len(w.places))].id)
			case k == 4 || k == 5:
				w.heal()
			}
			pause := time.Duration(rnd.IntN(1500)) * time.Millisecond
			if rnd.IntN(6) == 0 {
				pause += 6 * time.Second
			}
			for end := time.Now().Add(pause); time.Now().Before(end); time.Sleep(25 * time.Millisecond) {
				if wrong := w.wrong(); wrong != "" {
					t.Fatalf("seed %d: %s", seed, wrong)
				}
			}
		}
		w.heal()
		time.Sleep(healing + time.Second)
		if wrong := w.wrong(); wrong != "" {
			t.Fatalf("seed %d: %s", seed, wrong)
		}
	})
}
