package directory

import (
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// hear has c hear one fact, as news or not.
func hear(c *Core, now time.Time, f Fact, hearsay bool) Effects {
	return c.Step(now, Heard{Broadcast{Facts: []Fact{f}, Hearsay: hearsay}})
}

func TestTheEarliestTimeOfADeathCounts(t *testing.T) {
	c := quiet(t, "a", Config{})
	dead := Fact{Node: node("b"), Status: Failed}
	hear(c, start, dead, false)
	hear(c, start, Fact{Node: node("c"), Status: Failed}, false)
	hear(c, start, Fact{Node: node("c"), Status: Failed, Age: 20 * time.Hour}, false)
	dead.Age = 20 * time.Hour
	hear(c, start, dead, false)
	dead.Status, dead.Age = Crashed, 0 // of the same death
	now := start.Add(time.Hour)
	hear(c, now, dead, false)
	if f, _ := c.Lookup("b@b"); f.Status != Crashed || f.Age != 21*time.Hour {
		t.Errorf("%v", f)
	}
	c.Tick(start.Add(4*time.Hour - 1))
	for _, name := range []string{"b@b", "c@c"} {
		if _, ok := c.Lookup(name); !ok {
			t.Errorf("%s is forgotten too early", name)
		}
	}
	c.Tick(start.Add(4 * time.Hour))
	for _, name := range []string{"b@b", "c@c"} {
		if _, ok := c.Lookup(name); ok {
			t.Errorf("%s is not forgotten", name)
		}
	}
}

func TestASecondDeathIsNotTheFirst(t *testing.T) {
	c := quiet(t, "a", Config{})
	hear(c, start, Fact{Node: node("b"), Status: Failed, Age: time.Hour}, false)
	hear(c, start, Fact{Node: node("b"), Status: Failed, Number: 1}, false)
	if f, _ := c.Lookup("b@b"); f.Age != 0 || f.Number != 1 {
		t.Errorf("%v", f)
	}
}

func TestWhoIsInDoubtIsNotTried(t *testing.T) {
	c := quiet(t, "a", Config{})
	c.Step(start, Met{node("b")})
	hear(c, start, Fact{Node: node("b"), Status: Failed}, true)
	told := 0
	for now := start; now.Before(start.Add(DefaultDoubt)); now = c.Deadline() {
		effects := c.Tick(now)
		if e, ok := has[Try](effects); ok {
			t.Fatalf("%v is tried", e.Node)
		}
		if s, ok := has[Send](effects); ok {
			if _, ok := s.Message.(Tell); ok && s.To == node("b") {
				told++
			}
		}
		if c.Len() != 2 || c.Stats().Doubted != 1 {
			t.Fatalf("%+v", c.Stats())
		}
	}
	if told != 1 {
		t.Errorf("it is told %d times", told)
	}
	if e, ok := has[Down](c.Tick(start.Add(DefaultDoubt))); !ok || e.Reason != overlay.ErrSilent || c.Len() != 1 {
		t.Errorf("not down: %v", e)
	}
}

func TestNewsEndADoubt(t *testing.T) {
	c := quiet(t, "a", Config{})
	for _, name := range []string{"b", "c", "d"} {
		c.Step(start, Met{node(name)})
		hear(c, start, Fact{Node: node(name), Status: Failed}, true)
	}
	if _, ok := has[Down](hear(c, start, Fact{Node: node("b"), Status: Failed}, false)); !ok {
		t.Error("b is not down, although its death was broadcast")
	}
	if e, ok := has[Down](c.Step(start, Obituary{node("c"), true})); !ok || e.Reason != overlay.ErrUnreachable {
		t.Error("c is not down, although it was found to have crashed")
	}
	if effects := hear(c, start, Fact{Node: node("d"), Status: Alive, Number: 1}, false); effects != nil || c.Len() != 2 {
		t.Errorf("d has never been down, but: %v", effects)
	}
}

func TestADeadNodeThatAsksIsToldSo(t *testing.T) {
	c := quiet(t, "a", Config{})
	c.Step(start, Met{node("b")})
	c.Step(start, Obituary{Node: node("b")})
	for _, from := range []string{"b", "b.0"} { // and an older one that there is a newer one
		told := false
		for _, e := range c.Step(start, Received{node(from), Ask{ID: 1}}) {
			if s, ok := e.(Send); ok {
				tell, ok := s.Message.(Tell)
				told = told || ok && tell.Facts[0].Node == node("b") && s.To == node(from)
			}
		}
		if !told {
			t.Errorf("%s is not told", from)
		}
	}
	if effects := c.Step(start, Received{node("c"), Ask{ID: 1}}); c.Len() != 2 {
		t.Errorf("c is not a member: %v", effects)
	}
}

func TestFarewellsGoToDifferentMembers(t *testing.T) {
	c := quiet(t, "a", Config{Farewell: 8})
	for i := range 9 {
		c.Step(start, Met{overlay.Node{Name: fmt.Sprintf("n%d@n", i), Boot: 1}})
	}
	told := make(map[overlay.Node]int)
	for _, e := range c.Step(start, Leave{}) {
		if s, ok := e.(Send); ok {
			told[s.To]++
		}
	}
	for n, times := range told {
		if times != 1 {
			t.Errorf("%v is told %d times", n, times)
		}
	}
	if len(told) < 5 {
		t.Errorf("%d are told", len(told))
	}
}

func TestTombstonesDoNotKeepEachOtherAlive(t *testing.T) {
	cfg := Config{Forget: 10 * time.Minute, Interval: time.Second}
	s := newStage(t, cfg)
	for _, name := range []string{"a", "b", "c", "d"} {
		s.start(name)
		s.step(name, Met{node("a")})
		s.flow()
	}
	s.sides["d"] = 1
	for i, name := range []string{"a", "b", "c"} { // each finds out by itself, at another time
		s.step(name, Obituary{Node: node("d")})
		s.letters = nil
		s.wait(time.Duration(i+1) * 300 * time.Millisecond)
	}
	s.wait(cfg.Forget + time.Second)
	for _, name := range []string{"a", "b", "c"} {
		if f, ok := s.cores[name].Lookup("d@d"); ok {
			t.Errorf("%s still has %v", name, f)
		}
	}
}
