package swim

import (
	"slices"
	"testing"
	"time"
)

// defences returns what effects have broadcast in this node's defence.
func (b *bench) defences(effects Effects) (all []Fact) {
	for _, e := range effects {
		if s, ok := e.(Spread); ok && s.Fact.Node == b.c.cfg.Self {
			all = append(all, s.Fact)
		}
	}
	return all
}

// Who watches a node anew, since it was buried or since this node has begun, does not know
// what it has refuted before. Such an accusation is heard by all others who do not, either.
func TestWhatWasRefutedBeforeIsRefutedAgainForAll(t *testing.T) {
	b := newBench(t, 3, Config{Fanout: -1})
	accusation := Fact{State: Suspect, Node: b.c.cfg.Self, By: b.peers[1]}
	if d := b.defences(b.step(Heard{accusation})); len(d) != 1 || d[0].Incarnation != 1 {
		t.Fatalf("said %v", d)
	}
	b.now = b.now.Add(2 * DefaultPeriod)
	d := b.defences(b.step(Heard{accusation}))
	if len(d) != 1 || d[0].State != Alive || d[0].Incarnation != 1 {
		t.Fatalf("said %v of what was refuted before", d)
	}
	// The other one has believed the accusation, and believes the defence.
	other, err := New(Config{Self: b.peers[0], Fanout: -1, Rand: b.c.cfg.Rand})
	if err != nil {
		t.Fatal(err)
	}
	other.Step(b.now, Watch{b.c.cfg.Self})
	other.Step(b.now, Watch{b.peers[1]})
	other.Step(b.now, Heard{accusation})
	if s := other.Stats(); s.Suspects != 1 {
		t.Fatalf("%+v", s)
	}
	other.Step(b.now, Heard{d[0]})
	if s := other.Stats(); s.Suspects != 0 || s.Dead != 0 {
		t.Errorf("%+v", s)
	}
}

// Many accuse a node of the same, and are answered together.
func TestAccusationsOfThePastAreAnsweredTogether(t *testing.T) {
	b := newBench(t, 3, Config{Fanout: -1})
	pause := b.c.shortest() / 4
	if pause > DefaultPeriod {
		t.Fatalf("%v", pause)
	}
	b.step(Heard{Fact{State: Suspect, Node: b.c.cfg.Self, By: b.peers[1]}})
	begun := b.now
	for range 20 {
		b.now = b.now.Add(pause / 50)
		if d := b.defences(b.step(Heard{Fact{State: Suspect, Node: b.c.cfg.Self, By: b.peers[2]}})); len(d) > 0 {
			t.Fatalf("said %v after %v", d, b.now.Sub(begun))
		}
	}
	said := 0
	for !b.c.Deadline().After(begun.Add(3 * pause)) {
		d := b.defences(b.tick())
		if said += len(d); len(d) > 0 && b.now.Sub(begun) != pause {
			t.Errorf("said %v after %v", d, b.now.Sub(begun))
		}
	}
	if said != 1 {
		t.Errorf("answered %d times", said)
	}
}

// A node that was late has been so once, whatever it had left to say.
func TestADefenceThatIsOverdueIsNoFurtherSleep(t *testing.T) {
	b := newBench(t, 3, Config{Fanout: -1})
	accusation := Fact{State: Suspect, Node: b.c.cfg.Self, By: b.peers[1]}
	b.step(Heard{accusation})
	b.step(Heard{accusation})
	b.now = b.now.Add(3 * DefaultPeriod)
	for range 5 {
		b.step(Heard{Fact{State: Alive, Node: b.peers[1], By: b.peers[1]}})
		b.now = b.now.Add(time.Millisecond)
	}
	if n := b.c.Stats().Wakes; n != 1 {
		t.Errorf("it has slept %d times", n)
	}
}

// One that has told nobody else is told, and those whom this node sends something next:
// accusations go around as well.
func TestOneWhoTellsOfThePastIsToldFirst(t *testing.T) {
	b := newBench(t, 3, Config{Fanout: -1})
	b.step(Heard{Fact{State: Suspect, Node: b.c.cfg.Self, By: b.peers[1]}})
	b.now = b.now.Add(time.Minute)
	effects := b.step(Received{b.peers[2], Message{Body: Gossip{}, Facts: []Fact{{State: Suspect, Node: b.c.cfg.Self, By: b.peers[2]}}}})
	if d := b.defences(effects); len(d) > 0 {
		t.Errorf("said %v to all", d)
	}
	told := false
	for _, e := range effects {
		if s, ok := e.(Send); ok && s.To == b.peers[2] {
			for _, f := range s.Message.Facts {
				told = told || f == b.c.defence()
			}
		}
	}
	if !told {
		t.Errorf("it was told %v", effects)
	}
	if facts := b.c.rumors.take(nil, 5, 5); !slices.Contains(facts, b.c.defence()) {
		t.Errorf("what goes around is %v", facts)
	}
	if f := b.c.defence(); f.Incarnation != 1 {
		t.Errorf("that has cost an incarnation: %+v", f)
	}
}
