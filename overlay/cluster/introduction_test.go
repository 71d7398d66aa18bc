package cluster

import (
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
)

// join starts n more nodes, one each so often, lets time pass, and returns how many
// broadcasts of newcomers there were, and after how long the last of the others knew of the
// last of them.
func (w *world) join(n int, every, d time.Duration) (broadcasts int, took time.Duration) {
	w.t.Helper()
	before, first := len(w.values), len(w.places)
	begun := make(map[int]time.Time)
	for range n {
		w.places = append(w.places, new(place))
	}
	for i := first; i < len(w.places); i++ {
		w.boot(i)
		begun[i] = w.now
		w.run(every)
	}
	w.run(d)
	w.agree(all)
	for _, v := range w.values[before:] {
		if v, ok := v.(directory.Broadcast); ok && slices.ContainsFunc(v.Facts, isAlive) {
			broadcasts++
		}
	}
	for i, p := range w.places {
		for j, at := range begun {
			if i != j {
				both := at
				if mine, ok := begun[i]; ok && mine.After(at) {
					both = mine
				}
				took = max(took, p.up[w.places[j].node].Sub(both))
			}
		}
	}
	return broadcasts, took
}

func isAlive(f directory.Fact) bool { return f.Status == directory.Alive }

func TestManyNewcomersOfALargeClusterAreIntroducedTogether(t *testing.T) {
	w, _ := large(t, 31)
	broadcasts, took := w.join(50, 10*time.Millisecond, 10*time.Second)
	t.Logf("%d broadcasts, known to all after %v", broadcasts, took)
	if broadcasts == 0 || broadcasts > 15 || took > 3*time.Second {
		t.Errorf("%d broadcasts, known to all after %v", broadcasts, took)
	}
}

func TestNewcomerOfASmallClusterIntroducesItselfAtOnce(t *testing.T) {
	w := newWorld(t, 32)
	w.grow(20)
	broadcasts, took := w.join(3, time.Second, 10*time.Second)
	if broadcasts != 3 || took > 600*time.Millisecond {
		t.Errorf("%d broadcasts, known to all after %v", broadcasts, took)
	}
}

func TestNewcomerThatNoCollectorHearsIntroducesItself(t *testing.T) {
	w, _ := large(t, 33)
	told := 0
	w.loses = func(m overlay.Message) bool {
		tell, ok := m.(directory.Tell)
		lost := ok && slices.ContainsFunc(tell.Facts, isAlive)
		if lost {
			told++
		}
		return lost
	}
	if broadcasts, _ := w.join(1, 0, time.Minute); told < collectors || broadcasts != 1 {
		t.Errorf("told collectors %d times, %d broadcasts", told, broadcasts)
	}
}

// newcomer is one that nobody knows.
func newcomer() directory.Fact {
	return directory.Fact{Node: overlay.Node{Name: "new@n", Boot: 1}, Status: directory.Alive, Version: 1, Meta: "x"}
}

// introduced returns how often c broadcasts f within d.
func (w *world) introduced(c *Core, f directory.Fact, d time.Duration) (times int) {
	w.values = nil
	end := w.now.Add(d)
	for !c.Deadline().After(end) {
		w.now = c.Deadline()
		c.Tick(w.now)
	}
	w.now = end
	for _, v := range w.values {
		if b, ok := v.(directory.Broadcast); ok && slices.Contains(b.Facts, f) {
			times++
		}
	}
	return times
}

func TestACollectorIntroducesWhomItIsTold(t *testing.T) {
	f := newcomer()
	stranger := overlay.Node{Name: "stranger@s", Boot: 1}
	for name, one := range map[string]struct {
		from  overlay.Node
		after func(c *Core, now time.Time)
		want  int
	}{
		"the newcomer": {from: f.Node, want: 1},
		"a member":     {from: memberNo(3), want: 1},
		"a stranger":   {from: stranger},
		"the newcomer, whom somebody else introduces": {from: f.Node, after: func(c *Core, _ time.Time) {
			c.overhear(directory.Broadcast{Facts: []directory.Fact{f}})
		}},
		"the newcomer, which dies at once": {from: f.Node, after: func(c *Core, _ time.Time) {
			dead := f
			dead.Status = directory.Crashed
			c.toDirectory(directory.Heard{Broadcast: directory.Broadcast{Facts: []directory.Fact{dead}}})
		}},
	} {
		c, w := soloistCalled(t, "a@a", collecting+10)
		if !c.collects() {
			t.Fatal("it is no collector")
		}
		tell := overlay.Received{From: one.from, Message: directory.Tell{Facts: []directory.Fact{f, f}}}
		c.Step(w.now, tell)
		c.Step(w.now, tell)
		if one.after != nil {
			one.after(c, w.now)
		}
		if times := w.introduced(c, f, introducing); times != one.want {
			t.Errorf("%s: introduced %d times", name, times)
		}
	}
}

func TestWhoIsNoCollectorPassesAnIntroductionOn(t *testing.T) {
	c, w := soloist(t, collecting+10)
	f := newcomer()
	if c.collects() {
		t.Fatal("it is a collector")
	}
	passed := 0
	effects := c.Step(w.now, overlay.Received{From: f.Node, Message: directory.Tell{Facts: []directory.Fact{f}}})
	effects = append(effects, c.Tick(w.now)...)
	for _, e := range effects {
		p, _ := e.(overlay.Post)
		if m, ok := p.Message.(directory.Tell); ok && slices.Contains(m.Facts, f) && slices.Contains(c.collectors(), p.To) {
			passed++
		}
	}
	if passed != 1 {
		t.Errorf("passed on %d times", passed)
	}
}
