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
	broadcasts, took := w.join(1, 0, time.Minute)
	if told < collectors || broadcasts != 1 || took > (collectors+1)*3*reintroducing/2 {
		t.Errorf("told collectors %d times, %d broadcasts, known to all after %v", told, broadcasts, took)
	}
}

// The newcomer counts one more member than those it tells.
func TestNewcomerThatMakesAClusterLargeIsIntroducedAsWell(t *testing.T) {
	w := newWorld(t, 40)
	w.grow(collecting - 2)
	broadcasts, took := w.join(4, 2*time.Second, 10*time.Second)
	if broadcasts != 4 || took > time.Second {
		t.Errorf("%d broadcasts, known to all after %v", broadcasts, took)
	}
}

// own is what a core lets others know of itself.
func own(c *Core, number uint64) directory.Broadcast {
	return directory.Broadcast{Facts: []directory.Fact{{Node: c.cfg.Self, Status: directory.Alive, Number: number, Version: 1}}}
}

func TestOnlyTheFirstWordOfANewcomerIsLeftToCollectors(t *testing.T) {
	first := func(c *Core) { c.publish(own(c, 0)) }
	for name, one := range map[string]struct {
		members int
		say     func(c *Core)
		at      bool // it is broadcast at once
	}{
		"the first":                      {members: collecting, say: first},
		"the first in a smaller cluster": {members: collecting - 2, say: first, at: true},
		"the second":                     {members: collecting, say: func(c *Core) { first(c); c.publish(own(c, 0)) }, at: true},
		"a refutation":                   {members: collecting, say: func(c *Core) { c.publish(own(c, 1)) }, at: true},
		"what comes with other news": {members: collecting, say: func(c *Core) {
			b := own(c, 0)
			b.Facts = append(b.Facts, directory.Fact{Node: memberNo(3), Status: directory.Left})
			c.publish(b)
		}, at: true},
	} {
		c, w := soloist(t, one.members)
		c.spoken, c.hushed, w.values = false, nil, nil
		one.say(c)
		if at := len(w.values) > 0; at != one.at {
			t.Errorf("%s: broadcast at once: %v", name, at)
		}
		if one.at && len(c.hushed) > 0 {
			t.Errorf("%s: it will be said again", name)
		}
	}
}

func TestNobodyIntroducesAnIncarnationThatIsOver(t *testing.T) {
	f := newcomer()
	next := f
	next.Node.Boot++
	c, w := soloistCalled(t, "a@a", collecting+10)
	c.toDirectory(directory.Heard{Broadcast: directory.Broadcast{Facts: []directory.Fact{next}}})
	c.Step(w.now, overlay.Received{From: f.Node, Message: directory.Tell{Facts: []directory.Fact{f}}})
	if times := w.introduced(c, f, time.Second); times > 0 {
		t.Errorf("the former of two that are known is introduced")
	}
	c, w = soloistCalled(t, "a@a", collecting+10)
	c.Step(w.now, overlay.Received{From: f.Node, Message: directory.Tell{Facts: []directory.Fact{f}}})
	c.toDirectory(directory.Heard{Broadcast: directory.Broadcast{Facts: []directory.Fact{next}}})
	if times := w.introduced(c, f, time.Second); times > 0 || len(c.hushed) > 0 {
		t.Errorf("introduced %d times after its successor has come, and %d wait", times, len(c.hushed))
	}
}

// A death waits for others' longer than a newcomer does.
func TestAnIntroductionDoesNotHurryDeaths(t *testing.T) {
	c, w := soloistCalled(t, "a@a", collecting+10)
	c.Step(w.now, overlay.Received{From: memberNo(0), Message: directory.Tell{Facts: []directory.Fact{obituaryOf(memberNo(5))}}})
	c.Step(w.now, overlay.Received{From: newcomer().Node, Message: directory.Tell{Facts: []directory.Fact{newcomer()}}})
	if times := w.introduced(c, newcomer(), introducing); times != 1 || len(c.hushed) != 1 {
		t.Errorf("introduced %d times, %d wait", times, len(c.hushed))
	}
	if said := w.later(c, DefaultHush); len(said) != 1 {
		t.Errorf("it has said %+v", said)
	}
}

// newcomer is one that nobody knows.
func newcomer() directory.Fact {
	return directory.Fact{Node: overlay.Node{Name: "new@n", Boot: 1}, Status: directory.Alive, Version: 1, Meta: "x"}
}

// introduced returns how often c broadcasts f within d.
func (w *world) introduced(c *Core, f directory.Fact, d time.Duration) (times int) {
	w.values = nil
	return len(w.laterOf(c, d, func(g directory.Fact) bool { return f == g }))
}

func TestACollectorIntroducesWhomItIsTold(t *testing.T) {
	f := newcomer()
	stranger := overlay.Node{Name: "stranger@s", Boot: 1}
	for name, one := range map[string]struct {
		from   overlay.Node
		before func(c *Core)
		after  func(c *Core)
		want   int
	}{
		"the newcomer": {from: f.Node, want: 1},
		"a member":     {from: memberNo(3), want: 1},
		"a stranger":   {from: stranger},
		"a member, of what is known": {from: memberNo(3), before: func(c *Core) {
			c.toDirectory(directory.Heard{Broadcast: directory.Broadcast{Facts: []directory.Fact{f}}})
		}},
		"the newcomer, whom somebody else introduces": {from: f.Node, after: func(c *Core) {
			c.overhear(directory.Broadcast{Facts: []directory.Fact{f}})
		}},
		"the newcomer, which dies at once": {from: f.Node, after: func(c *Core) {
			dead := f
			dead.Status = directory.Crashed
			c.toDirectory(directory.Heard{Broadcast: directory.Broadcast{Facts: []directory.Fact{dead}}})
		}},
	} {
		c, w := soloistCalled(t, "a@a", collecting+10)
		if !c.collects() {
			t.Fatal("it is no collector")
		}
		if one.before != nil {
			one.before(c)
		}
		tell := overlay.Received{From: one.from, Message: directory.Tell{Facts: []directory.Fact{f, f}}}
		c.Step(w.now, tell)
		c.Step(w.now, tell)
		if one.after != nil {
			one.after(c)
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

// say has a collector be told of facts by a member, and of newcomers by themselves.
func (w *world) say(c *Core, facts ...directory.Fact) {
	for _, f := range facts {
		from := memberNo(0)
		if isAlive(f) {
			from = f.Node
		}
		c.Step(w.now, overlay.Received{From: from, Message: directory.Tell{Facts: []directory.Fact{f}}})
	}
}

func TestTheDeathOfANewcomerIsToldThoughItWaitsToBeIntroduced(t *testing.T) {
	c, w := soloistCalled(t, "a@a", collecting+10)
	dead := newcomer()
	dead.Status = directory.Crashed
	w.say(c, newcomer(), dead)
	if said := w.later(c, DefaultHush); len(said) != 1 || said[0].Facts[0].Node != dead.Node {
		t.Errorf("it has said %+v", said)
	}
}

func TestManyDeathsDoNotHurryIntroductions(t *testing.T) {
	c, w := soloistCalled(t, "a@a", collecting+10)
	for i := range 2 * maxHushed {
		w.say(c, obituaryOf(memberNo(10+i)))
	}
	w.values = nil
	w.say(c, newcomers(3)...)
	if len(w.values) > 0 {
		t.Errorf("%d are broadcast at once", len(w.values))
	}
	if said := w.laterOf(c, introducing, isAlive); len(said) != 1 || len(said[0].Facts) != 3 {
		t.Errorf("it has said %+v", said)
	}
}

func newcomers(n int) (facts []directory.Fact) {
	for i := range n {
		f := newcomer()
		f.Node.Name = "x" + memberNo(i).Name
		facts = append(facts, f)
	}
	return facts
}

func TestAMessageFullOfNewcomersDoesNotWait(t *testing.T) {
	c, w := soloistCalled(t, "a@a", collecting+10)
	w.say(c, newcomers(maxHushed)...)
	if said := w.laterOf(c, 0, isAlive); len(said) != 1 || len(said[0].Facts) != maxHushed {
		t.Errorf("it has said %d at once", len(said))
	}
}

func TestACollectorThatLeavesSaysWhatItWasTold(t *testing.T) {
	c, w := soloistCalled(t, "a@a", collecting+10)
	w.say(c, newcomer(), obituaryOf(memberNo(5)))
	w.values = nil
	c.Step(w.now, overlay.LeaveRequested{})
	var said []directory.Fact
	for _, v := range w.values {
		if b, ok := v.(directory.Broadcast); ok {
			said = append(said, b.Facts...)
		}
	}
	for _, node := range []overlay.Node{newcomer().Node, memberNo(5), c.cfg.Self} {
		if !slices.ContainsFunc(said, func(f directory.Fact) bool { return f.Node == node }) {
			t.Errorf("it says nothing of %v", node)
		}
	}
}

func TestANewcomerThatLeavesIsNotIntroduced(t *testing.T) {
	c, w := soloist(t, collecting)
	c.spoken, c.hushed = false, nil
	c.publish(own(c, 0))
	if len(c.hushed) != 1 {
		t.Fatalf("%d wait", len(c.hushed))
	}
	w.values = nil
	c.Step(w.now, overlay.LeaveRequested{})
	for _, v := range w.values {
		if b, ok := v.(directory.Broadcast); ok && slices.ContainsFunc(b.Facts, isAlive) {
			t.Errorf("it says %+v", b)
		}
	}
}
