package directory

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// hostile draws events that may or may not make sense.
type hostile struct {
	rng  *rand.Rand
	core *Core
}

func (h hostile) node() overlay.Node {
	switch h.rng.IntN(40) {
	case 0:
		return overlay.Node{}
	case 1:
		return h.core.cfg.Self
	case 2:
		return overlay.Node{Name: strings.Repeat("x", 1000) + "@x", Boot: 1}
	}
	return overlay.Node{Name: fmt.Sprintf("n%d@n", h.rng.IntN(12)), Boot: 1 + h.rng.Uint64N(2)}
}

func (h hostile) number() uint64 {
	if h.rng.IntN(40) == 0 {
		return []uint64{MaxNumber, MaxNumber + 1, math.MaxUint64}[h.rng.IntN(3)]
	}
	return h.rng.Uint64N(4)
}

func (h hostile) facts() []Fact {
	var facts []Fact
	for range h.rng.IntN(4) {
		f := Fact{
			Node: h.node(), Status: Status(h.rng.IntN(6)), Number: h.number(), Version: h.number(),
			Meta: strings.Repeat("m", h.rng.IntN(12)), Age: time.Duration(h.rng.Int64N(int64(time.Minute))) - time.Second,
		}
		if f.Node == h.core.cfg.Self && f.Status == Left && h.rng.IntN(5) > 0 {
			f.Status = Failed // or all is over soon
		}
		facts = append(facts, f)
	}
	return facts
}

func (h hostile) values() []Register {
	if h.rng.IntN(3) > 0 {
		return nil
	}
	name := []string{Topology, "", "weather"}[h.rng.IntN(3)]
	return []Register{{Name: name, Epoch: h.number(), Proposer: h.node(), Value: strings.Repeat("v", h.rng.IntN(12))}}
}

func (h hostile) sums() []Sum {
	var sums []Sum
	for range h.rng.IntN(20) {
		r := Range{}
		for range h.rng.IntN(17) {
			r = r.part(h.rng.IntN(fan))
		}
		if h.rng.IntN(9) == 0 {
			r = Range{h.rng.Uint64(), uint8(h.rng.Uint64())}
		}
		sums = append(sums, Sum{r, h.rng.Uint64(), h.rng.IntN(30) - 3})
	}
	return sums
}

func (h hostile) message() Message {
	switch h.rng.IntN(6) {
	case 0:
		return Ask{h.number(), h.sums(), h.facts(), h.values(), h.rng.Uint64()}
	case 1, 2:
		a := Answer{ID: h.core.exchange.id - h.rng.Uint64N(2), Done: h.rng.IntN(4) - 1, Values: h.values(), Registers: h.rng.Uint64()}
		for range h.rng.IntN(3) {
			p := Part{Sums: h.sums(), Facts: h.facts()}
			if asked := h.core.exchange.asked; len(asked) > 0 {
				p.Range = asked[h.rng.IntN(len(asked))]
			}
			if h.rng.IntN(2) == 0 && p.Range.Bits < maxBits {
				p.Sums = nil
				for i := range fan {
					p.Sums = append(p.Sums, Sum{p.Range.part(i), h.rng.Uint64(), h.rng.IntN(3)})
				}
			}
			a.Parts = append(a.Parts, p)
		}
		return a
	case 3:
		return nil
	}
	return Tell{h.facts()}
}

func (h hostile) event() Event {
	switch h.rng.IntN(12) {
	case 0, 1:
		return Met{h.node()}
	case 2, 3:
		return Heard{Broadcast{h.facts(), h.rng.IntN(2) == 0, h.values()}}
	case 4, 5:
		return Obituary{h.node(), h.rng.IntN(3) == 0}
	case 6:
		return TryFailed{h.node(), h.rng.IntN(3) == 0}
	case 7:
		return nil
	}
	from := h.node()
	if h.core.exchange.busy() && h.rng.IntN(2) == 0 {
		from = h.core.exchange.partner
	}
	return Received{from, h.message()}
}

// most is the most that one step may send, with the limits of the test.
func most(e Effect) int {
	switch e := e.(type) {
	case Broadcast:
		return len(e.Facts)
	case Send:
		switch m := e.Message.(type) {
		case Ask:
			return max(len(m.Facts), len(m.Sums)/maxAsked*20)
		case Answer:
			n := 0
			for _, p := range m.Parts {
				n += len(p.Facts)
			}
			return n
		}
	}
	return 0
}

func TestArbitraryEventsKeepTheInvariants(t *testing.T) {
	seen := make(map[string]int)
	for seed := range uint64(200) {
		core, err := New(Config{
			Self: overlay.Node{Name: "n0@n", Boot: 1}, MaxMembers: 10, MaxTombstones: 4, MaxMeta: 8, MaxValue: 8, MaxFacts: 16,
			Interval: 3 * time.Second, Forget: 40 * time.Second, ForgetLeft: 20 * time.Second, Doubt: 2 * time.Second,
			Settle: time.Second, Window: 10 * time.Second, Rand: rand.New(rand.NewPCG(seed, 1)),
		})
		if err != nil {
			t.Fatal(err)
		}
		h := hostile{rand.New(rand.NewPCG(seed, 3)), core}
		now := start
		for i := range 300 {
			now = now.Add(time.Duration(h.rng.IntN(600)) * time.Millisecond)
			var effects Effects
			for range 10 {
				if due := core.Deadline(); due.IsZero() || due.After(now) {
					break
				}
				effects = append(effects, core.Tick(now)...)
			}
			if due := core.Deadline(); !due.IsZero() && !due.After(now) {
				t.Fatalf("seed %d, step %d: due at %v, now %v", seed, i, due, now)
			}
			ev := h.event()
			if i == 299 {
				ev = Leave{}
			}
			effects = append(effects, core.Step(now, ev)...)
			for _, e := range effects {
				seen[fmt.Sprintf("%T", e)]++
				if most(e) > 16 {
					t.Fatalf("seed %d, step %d: too much in %v", seed, i, e)
				}
			}
			if err := core.valid(); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
		}
	}
	for _, e := range []Effect{
		Broadcast{}, Send{}, Try{}, Up{}, Down{}, Departed{}, Returned{}, Restarted{}, Updated{},
		Changed{}, Displaced{}, Full{}, PartitionDetected{}, PartitionHealed{}, PartitionEnded{},
	} {
		if seen[fmt.Sprintf("%T", e)] == 0 {
			t.Errorf("%T never happened", e)
		}
	}
}

// has returns the first effect of a kind.
func has[E Effect](effects Effects) (found E, ok bool) {
	for _, e := range effects {
		if e, ok := e.(E); ok {
			return e, true
		}
	}
	return found, false
}

func TestANodeWhoseNumbersAreUsedUpIsDisplaced(t *testing.T) {
	c := quiet(t, "a", Config{})
	for _, absurd := range []uint64{MaxNumber + 1, math.MaxUint64} {
		effects := c.Step(start, Heard{Broadcast{Facts: []Fact{{Node: node("a"), Status: Failed, Number: absurd}}}})
		if len(effects) > 0 || c.gone != nil {
			t.Fatalf("%d is taken: %v", absurd, effects)
		}
	}
	effects := c.Step(start, Heard{Broadcast{Facts: []Fact{{Node: node("a"), Status: Failed, Number: MaxNumber - 1}}}})
	if b, ok := has[Broadcast](effects); !ok || b.Facts[0].Number != MaxNumber || b.Facts[0].Status != Alive {
		t.Fatalf("not refuted: %v", effects)
	}
	effects = c.Step(start, Heard{Broadcast{Facts: []Fact{{Node: node("a"), Status: Failed, Number: MaxNumber}}}})
	if d, ok := has[Displaced](effects); !ok || !errors.Is(d.Reason, ErrExhausted) {
		t.Fatalf("%v", effects)
	}
}

func TestOthersCannotSayWhatANodesMetadataIs(t *testing.T) {
	c := quiet(t, "a", Config{Meta: "mine"})
	effects := c.Step(start, Heard{Broadcast{Facts: []Fact{{Node: node("a"), Status: Alive, Version: 7, Meta: "yours"}}}})
	b, ok := has[Broadcast](effects)
	if f, _ := c.Lookup("a@a"); !ok || f.Meta != "mine" || f.Version != 8 || b.Facts[0] != f {
		t.Errorf("%v, %v", f, effects)
	}
}

func TestFloodOfNamesStopsAtItsLimit(t *testing.T) {
	c := quiet(t, "z", Config{MaxMembers: 100, MaxTombstones: 50})
	fulls := 0
	for i := range 1000 {
		for _, s := range []Status{Alive, Failed} {
			f := Fact{Node: overlay.Node{Name: fmt.Sprintf("%v%d@x", s, i), Boot: 1}, Status: s}
			if _, full := has[Full](c.Step(start, Heard{Broadcast{Facts: []Fact{f}}})); full {
				fulls++
			}
		}
	}
	if err := c.valid(); err != nil || c.table.len != 100 || fulls != 1 || c.Stats().Refused == 0 {
		t.Errorf("%d names, %d times full, %+v, %v", c.table.len, fulls, c.Stats(), err)
	}
}

func TestOldestTombstonesGoFirst(t *testing.T) {
	c := quiet(t, "z", Config{MaxTombstones: 10})
	for i := range 100 {
		f := Fact{Node: overlay.Node{Name: fmt.Sprintf("n%d@x", i), Boot: 1}, Status: Failed, Age: time.Duration(i*37%100) * time.Second}
		c.Step(start, Heard{Broadcast{Facts: []Fact{f}}})
	}
	for i := range 100 {
		age := i * 37 % 100
		if _, ok := c.Lookup(fmt.Sprintf("n%d@x", i)); ok != (age < 10) {
			t.Errorf("dead for %d s: kept is %v", age, ok)
		}
	}
}

func TestGiantMessagesAreCutShort(t *testing.T) {
	c := quiet(t, "z", Config{})
	fill(c, start, 2000)
	effects := c.Step(start, Heard{Broadcast{Facts: manyFacts(30_000)}})
	if n := c.table.len; n > 2001+hardMaxFacts || len(effects) > 2*hardMaxFacts {
		t.Errorf("%d names, %d effects", n, len(effects))
	}
	sums := make([]Sum, 100_000)
	for i := range sums {
		sums[i] = Sum{Range: Range{}.part(i % fan).part(i / fan % fan), Sum: 1}
	}
	a, ok := has[Send](c.Step(start, Received{node("x"), Ask{Sums: sums}}))
	if answer, is := a.Message.(Answer); !ok || !is || size(a.Message) > 60_000 || answer.Done > maxAsked {
		t.Errorf("%d bytes", size(a.Message))
	}
}

// TestNamesThatCollideAreStillCompared has many names whose keys begin alike.
func TestNamesThatCollideAreStillCompared(t *testing.T) {
	a, b := quiet(t, "y", Config{}), quiet(t, "z", Config{})
	for i, found := 0, 0; found < 40; i++ {
		name := fmt.Sprintf("c%d@c", i)
		if keyOf(name)>>52 == 0x123 {
			a.learn(Fact{Node: overlay.Node{Name: name, Boot: 1}, Status: Alive}, fresh)
			found++
		}
	}
	a.take()
	exchangeBetween(t, a, b)
	if err := same(a, b); err != nil {
		t.Error(err)
	}
}

func TestALieAboutALongDeathIsRefuted(t *testing.T) {
	s := newStage(t, Config{})
	for _, name := range []string{"a", "b"} {
		s.start(name)
	}
	s.step("b", Met{node("a")})
	s.flow()
	s.step("a", Heard{Broadcast{Facts: []Fact{{Node: node("b"), Status: Failed, Age: 1000 * time.Hour}}}})
	if f, ok := s.cores["a"].Lookup("b@b"); !ok || f.Age > DefaultForget {
		t.Errorf("%v", f)
	}
	s.wait(time.Minute)
	if n := s.cores["a"].Len(); n != 2 {
		t.Errorf("%d members", n)
	}
}

// TestNoTwoNodesTellEachOtherForEver has two that take each other for dead.
func TestNoTwoNodesTellEachOtherForEver(t *testing.T) {
	s := newStage(t, Config{})
	for _, name := range []string{"a", "b"} {
		s.start(name)
	}
	s.step("b", Met{node("a")})
	s.flow()
	s.step("a", Obituary{Node: node("b")})
	s.step("b", Obituary{Node: node("a")})
	s.letters = nil
	s.step("a", Met{node("b")})
	s.step("b", Met{node("a")})
	s.flow() // fails if there is no end to it
	if s.cores["a"].Len() != 2 || s.cores["b"].Len() != 2 {
		t.Errorf("%v, %v", s.cores["a"].Members(), s.cores["b"].Members())
	}
}

func TestFlappingNodesAreSaidRarely(t *testing.T) {
	c := quiet(t, "a", Config{})
	for _, name := range []string{"b", "c", "d"} {
		c.Step(start, Met{node(name)})
	}
	now, said := start, 0
	for i := range uint64(2000) {
		for _, name := range []string{"b", "c", "d"} {
			c.Step(now, Obituary{Node: node(name)})
			now = now.Add(300 * time.Millisecond)
			effects := c.Tick(now)
			if _, ok := has[PartitionDetected](effects); ok {
				said++
			}
			if _, ok := has[PartitionHealed](effects); ok {
				said++
			}
			c.Step(now, Heard{Broadcast{Facts: []Fact{{Node: node(name), Status: Alive, Number: i + 1}}}})
		}
	}
	if passed := now.Sub(start); said > 2*int(passed/DefaultWindow)+2 {
		t.Errorf("said %d times in %v", said, passed)
	}
}

func TestNothingIsDoneAfterLeaving(t *testing.T) {
	c := quiet(t, "a", Config{})
	c.Step(start, Met{node("b")})
	if b, ok := has[Broadcast](c.Step(start, Leave{})); !ok || b.Facts[0].Status != Left {
		t.Error("nobody is told")
	}
	now := start.Add(time.Hour)
	if e := append(c.Step(now, Met{node("c")}), c.Tick(now)...); e != nil || !c.Deadline().IsZero() {
		t.Errorf("%v, due at %v", e, c.Deadline())
	}
	if _, err := c.Propose(now, Topology, "x"); !errors.Is(err, ErrLeft) {
		t.Error(err)
	}
	if _, err := c.SetMeta(now, "x"); !errors.Is(err, ErrLeft) {
		t.Error(err)
	}
}
