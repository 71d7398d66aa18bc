package topology

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// complete checks that all who are alive are neighbors.
func complete(w *World[*pal]) func() error {
	return func() error {
		alive := w.Alive()
		for _, p := range alive {
			if len(p.Core.Neighbors()) != len(alive)-1 {
				return errors.New("somebody has not met somebody")
			}
		}
		return w.Sound()
	}
}

func TestNodesThatKnowEachOtherAreLinkedAndUnlinked(t *testing.T) {
	w := NewWorld(t, 1, 10, pals(""))
	w.Known = true
	w.Grow(time.Millisecond)
	w.Until(5*time.Second, 10*time.Millisecond, complete(w))
	if w.Sends < 90 || len(w.Dials) > 0 || !w.Linked(0, 9) || !w.Places[3].Core.past[w.Places[4].Node] {
		t.Errorf("%d messages, dials of %v", w.Sends, w.Dials)
	}
	first := w.Places[0].Node
	w.Crash(0)
	w.Crash(0)
	w.Leave(1)
	if w.Places[0].Runs() || w.Live(w.Place("n000"), first) || w.Place("n010") != nil || w.Place("x") != nil {
		t.Error("the dead live")
	}
	w.Until(5*time.Second, 10*time.Millisecond, complete(w))
	if len(w.Alive()) != 8 || w.Linked(0, 9) {
		t.Error("the dead are linked")
	}
	w.Boot(0)
	if again := w.Places[0].Node; again != (overlay.Node{Name: first.Name, Boot: 2}) {
		t.Errorf("it is %v again", again)
	}
	w.Until(5*time.Second, 10*time.Millisecond, complete(w))
	w.Sever(0, 2)
	w.Run(time.Second)
	if w.Linked(0, 2) || w.Sound() != nil {
		t.Error("a severed link is there")
	}
}

func TestPartitionCutsOffUntilItIsHealed(t *testing.T) {
	w := NewWorld(t, 2, 6, pals(""))
	w.Known = true
	w.Grow(time.Millisecond)
	w.Until(5*time.Second, 10*time.Millisecond, complete(w))
	w.Partition(func(a, b int) bool { return (a < 2) != (b < 2) })
	w.Run(time.Second)
	for _, p := range w.Alive() {
		if n := len(p.Core.Neighbors()); n != 1 && n != 3 {
			t.Errorf("%v has %d neighbors in its part", p.Node, n)
		}
	}
	w.Tell(0, w.Places[0].Node, overlay.Met{Node: w.Places[5].Node})
	w.Run(10 * time.Second)
	if w.Linked(0, 5) {
		t.Error("a link across")
	}
	w.Heal(true)
	w.Until(5*time.Second, 10*time.Millisecond, complete(w))
}

func TestSameSeedGivesSameCourse(t *testing.T) {
	play := func(seed uint64) string {
		w := NewWorld(t, seed, 8, pals(""))
		w.Trace, w.Known, w.Loss = &strings.Builder{}, true, 100
		w.Grow(time.Millisecond)
		w.Crash(3)
		w.Run(5 * time.Second)
		return w.Trace.String()
	}
	if first := play(3); first != play(3) || first == play(4) || strings.Count(first, "NEIGHBOR n") < 20 {
		t.Errorf("%s", first)
	}
}

// Each mistake that a core may make ends the test, and no other does.
func TestWorldNoticesWhatIsWrong(t *testing.T) {
	for wrong, want := range map[string]string{
		"":           "",
		"new":        "no such thing",
		"up twice":   "is up twice",
		"down twice": "is down, but was not up",
		"never up":   "announced",
		"member":     "overlay.Up is not for it to say",
		"invariant":  "out of order",
		"keeps":      "has left and has neighbors",
		"drops":      "which does not have it",
	} {
		why := verdict(func(t Test) {
			w := NewWorld(t, 5, 6, pals(wrong))
			w.Known = true
			w.Grow(time.Millisecond)
			w.Run(5 * time.Second)
			w.Until(0, time.Second, w.Sound)
			w.Leave(0)
			w.Run(time.Second)
		})
		if want == "" && why != "" || !strings.Contains(why, want) {
			t.Errorf("%q: %q", wrong, why)
		}
	}
}

func TestWorldIsNotSoundWithNeighborsThatAreNotLinked(t *testing.T) {
	w := NewWorld(t, 6, 3, pals("hangs on"))
	w.Known = true
	w.Grow(time.Millisecond)
	w.Until(5*time.Second, 10*time.Millisecond, complete(w))
	w.Sever(0, 1)
	w.Run(time.Second)
	if err := w.Sound(); err == nil || !strings.Contains(err.Error(), "are not linked") {
		t.Error(err)
	}
	w.Crash(1)
	w.Run(time.Second)
	if err := w.Sound(); err == nil || !strings.Contains(err.Error(), "has the dead neighbor") {
		t.Error(err)
	}
}

// storms returns what is found wrong in some storms first.
func storms(t *testing.T, wrong string) string {
	self := overlay.Node{Name: "a@a", Boot: 1} // less than all that are met
	for seed := range uint64(100) {
		p := pals(wrong)
		c, err := p.New(0, self, nil)
		if err != nil {
			t.Fatal(err)
		}
		draw := Draw(rand.New(rand.NewPCG(seed, 0)).IntN)
		if why := verdict(func(t Test) { Storm(t, draw, self, c, p.Valid, func() overlay.Message { return hello{} }) }); why != "" {
			return why
		}
	}
	return ""
}

func TestStormNoticesWhatNoDriverCanBeAskedFor(t *testing.T) {
	for wrong, want := range map[string]string{
		"":              "",
		"up twice":      "is up twice",
		"down twice":    "is down, but was not up",
		"never up":      "announced",
		"member":        "overlay.Up is not for it to say",
		"invariant":     "out of order",
		"keeps":         "is a neighbor, up true, linked false",
		"no link":       "sends to z@z",
		"dials itself":  "dials a@a",
		"probes itself": `probes "a"`,
		"no end":        "after the tick",
		"returns":       "it has left, and goes on",
	} {
		if why := storms(t, wrong); want == "" && why != "" || !strings.Contains(why, want) {
			t.Errorf("%q: %q", wrong, why)
		}
	}
}
