package cluster

import (
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/swim"
)

// large is a cluster in which obituaries are collected, and the places of its lowest
// members, first.
func large(t *testing.T, seed uint64) (w *world, lowest []int) {
	const nodes = collecting + 44
	w = newWorld(t, seed)
	w.grow(nodes)
	w.agree(all)
	for i := range nodes {
		lowest = append(lowest, i)
	}
	slices.SortFunc(lowest, func(i, j int) int { return w.places[i].node.Compare(w.places[j].node) })
	return w, lowest
}

// crash ends the nodes at some places, lets time pass, and returns how many broadcasts of
// deaths there were, and after how long the last of the others knew of the last of them.
func (w *world) crash(dead []int, d time.Duration) (broadcasts int, took time.Duration) {
	w.t.Helper()
	before, begun := len(w.values), w.now
	for _, i := range dead {
		w.end(i)
	}
	w.run(d)
	w.agree(but(dead...))
	for _, v := range w.values[before:] {
		if v, ok := v.(directory.Broadcast); ok && slices.ContainsFunc(v.Facts, isObituary) {
			broadcasts++
		}
	}
	for i, p := range w.places {
		if slices.Contains(dead, i) {
			continue
		}
		for _, j := range dead {
			took = max(took, p.down[w.places[j].node].Sub(begun))
		}
	}
	return broadcasts, took
}

// Each of thirty is found by five others: that would be some hundred broadcasts.
func TestTheCrashesOfManyAreAFewBroadcasts(t *testing.T) {
	for name, first := range map[string]int{"of others": collectors, "of collectors as well": 0} {
		w, lowest := large(t, 21)
		dead := lowest[first:][:30]
		broadcasts, took := w.crash(dead, 20*time.Second)
		t.Logf("%s: %d broadcasts, known to all after %v", name, broadcasts, took)
		if broadcasts == 0 || broadcasts > len(dead)/2 || took > 8*time.Second {
			t.Errorf("%s: %d broadcasts, known to all after %v", name, broadcasts, took)
		}
	}
}

// A collector of another kind, or one that is cut off, says nothing.
func TestWhoHasToldCollectorsInVainTellsAllItself(t *testing.T) {
	w, lowest := large(t, 22)
	told := 0
	w.loses = func(m overlay.Message) bool {
		switch m := m.(type) {
		case directory.Tell:
			if slices.ContainsFunc(m.Facts, isObituary) {
				told++
				return true
			}
		case directory.Ask, directory.Answer: // by which all would learn it, too
			return true
		}
		return false
	}
	broadcasts, took := w.crash(lowest[len(lowest)-1:], time.Minute)
	if told < collectors || broadcasts == 0 || broadcasts > 5 || took < 5*time.Second {
		t.Errorf("told collectors %d times, %d broadcasts, known to all after %v", told, broadcasts, took)
	}
}

// soloist is a core of its own that knows some members.
func soloist(t *testing.T, members int) (*Core, *world) {
	t.Helper()
	return soloistCalled(t, "n@n", members)
}

func soloistCalled(t *testing.T, name string, members int) (*Core, *world) {
	t.Helper()
	w := newWorld(t, 1)
	c, err := New(Config{
		Self: overlay.Node{Name: name, Boot: 1}, Topology: neighbors{}, Rand: w.rng, Encode: w.encode, Decode: w.decode,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range members {
		c.Step(w.now, overlay.Met{Node: memberNo(i), Proven: true})
	}
	w.values = nil
	return c, w
}

func memberNo(i int) overlay.Node {
	return overlay.Node{Name: string(rune('a'+i/26)) + string(rune('a'+i%26)) + "@m", Boot: 1}
}

func obituaryOf(node overlay.Node) directory.Fact {
	return directory.Fact{Node: node, Status: directory.Crashed}
}

// later lets c do what is due until then, and returns what it has broadcast of deaths.
func (w *world) later(c *Core, d time.Duration) (said []directory.Broadcast) {
	return w.laterOf(c, d, isObituary)
}

// laterOf is the same of another kind.
func (w *world) laterOf(c *Core, d time.Duration, kind func(directory.Fact) bool) (said []directory.Broadcast) {
	end := w.now.Add(d)
	for !c.Deadline().After(end) {
		w.now = c.Deadline()
		c.Tick(w.now)
	}
	w.now = end
	for _, v := range w.values {
		if v, ok := v.(directory.Broadcast); ok && slices.ContainsFunc(v.Facts, kind) {
			said = append(said, v)
		}
	}
	w.values = nil
	return said
}

func TestACollectorBroadcastsTogetherWhatSeveralHaveFound(t *testing.T) {
	c, w := soloist(t, 20)
	tell := func(from int, facts ...directory.Fact) {
		c.Step(w.now, overlay.Received{From: memberNo(from), Message: directory.Tell{Facts: facts}})
	}
	tell(0, obituaryOf(memberNo(5)), obituaryOf(memberNo(6)))
	tell(1, obituaryOf(memberNo(6)))
	said := w.later(c, DefaultHush)
	if len(said) != 1 || len(said[0].Facts) != 2 || said[0].Hearsay {
		t.Fatalf("it has said %+v", said)
	}
	if c.isUp(memberNo(5)) || c.isUp(memberNo(6)) {
		t.Error("it has not believed it itself")
	}
	tell(2, obituaryOf(memberNo(5))) // who has found out late, and will hear
	if said := w.later(c, DefaultHush); len(said) > 0 {
		t.Errorf("it has said %+v again", said)
	}
}

func TestWhoIsToldOfItsOwnDeathDoesNotCollectIt(t *testing.T) {
	c, w := soloist(t, 20)
	effects := c.Step(w.now, overlay.Received{From: memberNo(0), Message: directory.Tell{Facts: []directory.Fact{obituaryOf(c.cfg.Self)}}})
	refuted := slices.ContainsFunc(effects, func(e overlay.Effect) bool {
		p, _ := e.(overlay.Post)
		m, ok := p.Message.(directory.Tell)
		return ok && m.Facts[0].Status == directory.Alive && m.Facts[0].Number > 0
	})
	if said := w.later(c, DefaultHush); len(said) > 0 || !refuted {
		t.Errorf("refuted %v, it has said %+v after %v", refuted, said, effects)
	}
}

// Whoever was cut off may believe for long that others are dead. They are told, and live on.
func TestTheEndOfOneThatWasNotSuspectedIsNotCollected(t *testing.T) {
	c, w := soloist(t, 20)
	live := memberNo(5)
	tell := directory.Tell{Facts: []directory.Fact{{Node: live, Status: directory.Failed}}}
	c.Step(w.now, overlay.Received{From: memberNo(0), Message: tell})
	asked := false
	for end := w.now.Add(directory.DefaultDoubt - time.Second); !c.Deadline().After(end); {
		w.now = c.Deadline()
		for _, e := range c.Tick(w.now) {
			p, _ := e.(overlay.Post)
			_, ok := p.Message.(directory.Tell)
			asked = asked || ok && p.To == live
		}
	}
	if !asked || !c.isUp(live) {
		t.Errorf("asked %v, up %v", asked, c.isUp(live))
	}
	for _, v := range w.values {
		if b, ok := v.(directory.Broadcast); ok && !b.Hearsay && slices.ContainsFunc(b.Facts, isObituary) {
			t.Errorf("it has broadcast %+v", b)
		}
	}
}

// A collector may have learned in an exchange what its finder has told to nobody but it.
func TestACollectorBroadcastsWhatItKnewButNobodyHasBroadcast(t *testing.T) {
	for _, aired := range []bool{false, true} {
		c, w := soloist(t, 20)
		f := obituaryOf(memberNo(5))
		c.toDirectory(directory.Heard{Broadcast: directory.Broadcast{Facts: []directory.Fact{f}}})
		if aired {
			c.overhear(directory.Broadcast{Facts: []directory.Fact{f}})
		}
		c.Step(w.now, overlay.Received{From: memberNo(0), Message: directory.Tell{Facts: []directory.Fact{f}}})
		if said := w.later(c, DefaultHush); aired != (len(said) == 0) {
			t.Errorf("broadcast before: %v; it has said %+v", aired, said)
		}
	}
}

func TestNobodyFillsACollectorWithWhatNobodyHasHeardOf(t *testing.T) {
	c, w := soloist(t, 200)
	var facts []directory.Fact
	for i := range 200 {
		facts = append(facts, directory.Fact{Node: overlay.Node{Name: "x" + memberNo(i).Name, Boot: 1}, Status: directory.Crashed})
	}
	c.Step(w.now, overlay.Received{From: memberNo(0), Message: directory.Tell{Facts: facts}})
	for i := range facts {
		facts[i].Node = memberNo(i)
	}
	c.Step(w.now, overlay.Received{From: overlay.Node{Name: "stranger@s", Boot: 1}, Message: directory.Tell{Facts: facts}})
	if len(c.hushed) > 0 {
		t.Errorf("%d wait", len(c.hushed))
	}
	c.Step(w.now, overlay.Received{From: memberNo(0), Message: directory.Tell{Facts: facts[1:]}})
	if n := len(c.hushed); n == 0 || n > maxHushed {
		t.Errorf("%d of %d wait", n, len(facts)-1)
	}
}

func TestNothingWaitsWithoutHush(t *testing.T) {
	w := newWorld(t, 1)
	c, err := New(Config{
		Self: overlay.Node{Name: "z@z", Boot: 1}, Topology: neighbors{}, Rand: w.rng, Encode: w.encode, Decode: w.decode, Hush: -time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range collecting + 10 {
		c.Step(w.now, overlay.Met{Node: memberNo(i), Proven: true})
	}
	w.values = nil
	c.Step(w.now, overlay.Received{From: memberNo(0), Message: directory.Tell{Facts: []directory.Fact{obituaryOf(memberNo(5))}}})
	if said := w.later(c, 0); len(said) != 1 {
		t.Errorf("it has said %+v", said)
	}
}

// A link is a sign of life: whoever has one is no witness that nobody is there.
func TestARefusalIsForgottenWhenThereIsALink(t *testing.T) {
	for _, linked := range []bool{false, true} {
		c, w := soloist(t, 20)
		target := memberNo(5)
		c.Step(w.now, overlay.DialFailed{Node: target, Refused: true})
		if linked {
			c.Step(w.now, overlay.LinkUp{Node: target})
		}
		refused := false
		ask := swim.Message{Body: swim.PingReq{Seq: 3, Target: target, Reset: true}}
		for _, e := range c.Step(w.now, overlay.Received{From: memberNo(0), Message: ask}) {
			p, _ := e.(overlay.Post)
			m, _ := p.Message.(swim.Message)
			nack, ok := m.Body.(swim.Nack)
			refused = refused || ok && nack.Refused
		}
		if refused == linked {
			t.Errorf("linked %v: it says that it was refused: %v", linked, refused)
		}
	}
}

func TestACollectorThatWasGoneIsOneAgainWhenNothingWaits(t *testing.T) {
	c, w := soloist(t, collecting+10)
	first, self := c.collectors()[0], c.cfg.Self
	if c.collects() {
		t.Fatal("this node collects")
	}
	c.toDetector(swim.Heard{Fact: swim.Fact{State: swim.Confirm, Node: memberNo(9), By: memberNo(8), Refused: true}})
	c.publish(directory.Broadcast{Facts: []directory.Fact{obituaryOf(memberNo(9))}})
	if len(c.hushed) != 1 {
		t.Fatalf("%d wait", len(c.hushed))
	}
	c.hushed[0].to = first
	c.Step(w.now, overlay.DialFailed{Node: first})
	if slices.Contains(c.collectors(), first) {
		t.Errorf("%v is asked, of %v", first, self)
	}
	c.overhear(directory.Broadcast{Facts: []directory.Fact{obituaryOf(memberNo(9))}})
	w.now = w.now.Add(time.Second)
	c.Tick(w.now)
	if !slices.Contains(c.collectors(), first) {
		t.Errorf("%v is not asked any more", first)
	}
}

// What was refuted meanwhile is no news.
func TestWhoHasReturnedIsNotSaidToBeDead(t *testing.T) {
	c, w := soloist(t, 20)
	f := obituaryOf(memberNo(5))
	c.Step(w.now, overlay.Received{From: memberNo(0), Message: directory.Tell{Facts: []directory.Fact{f}}})
	f.Status, f.Number = directory.Alive, 1
	c.toDirectory(directory.Heard{Broadcast: directory.Broadcast{Facts: []directory.Fact{f}}})
	if said := w.later(c, DefaultHush); len(said) > 0 || len(c.hushed) > 0 {
		t.Errorf("it has said %+v, and %d wait", said, len(c.hushed))
	}
}

// What has been told in an exchange, while the news is on its way.
func TestWhatAllHearAnywayIsNotBroadcastAsHearsay(t *testing.T) {
	for _, heard := range []bool{false, true} {
		c, w := soloist(t, 20)
		f := obituaryOf(memberNo(5))
		c.publish(directory.Broadcast{Facts: []directory.Fact{f}, Hearsay: true})
		c.toDirectory(directory.Heard{Broadcast: directory.Broadcast{Facts: []directory.Fact{f}, Hearsay: true}}) // it is in doubt
		if heard {
			c.overhear(directory.Broadcast{Facts: []directory.Fact{f}})
		}
		said := w.later(c, recent*c.hush())
		if len(said) > 0 {
			t.Errorf("it is said at once: %+v", said)
		}
		said = w.later(c, c.hush())
		if wanted := map[bool]int{true: 0, false: 1}[heard]; len(said) != wanted || wanted == 1 && !said[0].Hearsay {
			t.Errorf("heard %v: it has said %+v", heard, said)
		}
	}
}
