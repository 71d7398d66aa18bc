package directory

import (
	"slices"
	"testing"
	"time"
)

// said returns the facts that effects broadcast.
func said(effects Effects) (facts []Fact) {
	for _, e := range effects {
		if b, ok := e.(Broadcast); ok {
			facts = append(facts, b.Facts...)
		}
	}
	return facts
}

func TestNewcomerIntroducesItselfWhenItKnowsTheOthers(t *testing.T) {
	a, b := quiet(t, "a", Config{}), quiet(t, "b", Config{})
	fill(b, start, 2*DefaultMaxFacts)
	effects := a.Step(start, Met{node("b")})
	if facts := said(effects); len(facts) > 0 {
		t.Fatalf("it says %+v to strangers", facts)
	}
	for i := 0; i < len(effects); i++ { // the exchange
		s, ok := effects[i].(Send)
		if !ok {
			continue
		}
		if facts := said(effects[:i]); len(facts) > 0 {
			t.Fatalf("it says %+v while it learns", facts)
		}
		if s.To == node("b") {
			for _, e := range b.Step(start, Received{node("a"), s.Message}) {
				if s, ok := e.(Send); ok && s.To == node("a") {
					effects = append(effects, a.Step(start, Received{node("b"), s.Message})...)
				}
			}
		}
	}
	own := []Fact{{Node: node("a"), Status: Alive, Version: 1}}
	if facts := said(effects); !slices.Equal(facts, own) {
		t.Errorf("it says %+v", facts)
	}
	if a.Len() < 2*DefaultMaxFacts {
		t.Errorf("it knows %d", a.Len())
	}
	if facts := said(a.Tick(start.Add(2 * introduction))); len(facts) > 0 {
		t.Errorf("it says %+v once more", facts)
	}
}

func TestNewcomerWithoutAnAnswerIntroducesItselfSoon(t *testing.T) {
	a := quiet(t, "a", Config{})
	a.Step(start, Met{node("b")})
	if due := a.Deadline(); due.After(start.Add(introduction)) {
		t.Fatalf("it wants to be called at %v", due)
	}
	if facts := said(a.Tick(start.Add(introduction - 1))); len(facts) > 0 {
		t.Errorf("it says %+v too soon", facts)
	}
	if facts := said(a.Tick(start.Add(introduction))); len(facts) != 1 || facts[0].Node != node("a") {
		t.Errorf("it says %+v", facts)
	}
	if facts := said(a.Tick(start.Add(2 * DefaultTimeout))); len(facts) > 0 {
		t.Errorf("it says %+v when the exchange has ended", facts)
	}
}

func TestNodeThatIsAloneAgainKeepsItsPause(t *testing.T) {
	const pause = 10 * time.Second
	a := quiet(t, "a", Config{Pause: pause})
	a.Step(start, Met{node("b")})
	at := start.Add(introduction)
	if facts := said(a.Tick(at)); len(facts) != 1 {
		t.Fatalf("it says %+v", facts)
	}
	a.Step(at, Obituary{Node: node("b"), Crashed: true})
	if a.Len() != 1 {
		t.Fatalf("it knows %d", a.Len())
	}
	asks := func(effects Effects) bool {
		return slices.ContainsFunc(effects, func(e Effect) bool {
			s, _ := e.(Send)
			_, ask := s.Message.(Ask)
			return ask && s.To == node("c")
		})
	}
	if !asks(a.Step(at, Met{node("c")})) {
		t.Error("it waits for an answer of one that is gone")
	}
	if asks(a.Step(at, Met{node("c")})) {
		t.Error("it begins again what it has begun")
	}
	for now := at; now.Before(at.Add(pause)); now = now.Add(time.Second) {
		if facts := said(a.Tick(now)); len(facts) > 0 && facts[0].Node == node("a") {
			t.Errorf("it speaks %v after it spoke", now.Sub(at))
		}
	}
	if facts := said(a.Tick(at.Add(pause))); len(facts) != 1 || facts[0].Node != node("a") {
		t.Errorf("it says %+v", facts)
	}
}
