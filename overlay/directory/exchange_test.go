package directory

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
	"pgregory.net/rapid"
)

// traffic is what two cores have sent to each other.
type traffic struct{ messages, bytes, largest int }

// talk carries what two cores send to each other, until they are silent.
func talk(t fataler, a, b *Core, effects Effects) traffic {
	var tr traffic
	by := map[overlay.Node]*Core{a.cfg.Self: a, b.cfg.Self: b}
	other := map[overlay.Node]*Core{a.cfg.Self: b, b.cfg.Self: a}
	for len(effects) > 0 {
		e := effects[0]
		effects = effects[1:]
		s, ok := e.(Send)
		if !ok {
			continue
		}
		n := size(s.Message)
		tr.messages, tr.bytes, tr.largest = tr.messages+1, tr.bytes+n, max(tr.largest, n)
		if tr.messages > 10_000 {
			t.Fatal("there is no end to it")
		}
		if to := by[s.To]; to != nil {
			effects = append(effects, to.Step(start, Received{other[s.To].cfg.Self, s.Message})...)
			if tr.messages > 20 {
				continue
			}
			if err := to.valid(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return tr
}

// exchange has a begin one with b.
func exchangeBetween(t fataler, a, b *Core) traffic {
	a.begin(b.cfg.Self)
	return talk(t, a, b, a.take())
}

// acquainted are two cores that know each other, and n members more.
func acquainted(t fataler, n int) (a, b *Core) {
	a, b = quiet(t, "a", Config{}), quiet(t, "b", Config{})
	talk(t, a, b, append(a.Step(start, Met{node("b")}), b.Step(start, Met{node("a")})...))
	for _, c := range []*Core{a, b} {
		fill(c, start, n)
		c.learn(Fact{Node: node("a"), Status: Alive, Version: 1}, fresh)
		c.learn(Fact{Node: node("b"), Status: Alive, Version: 1}, fresh)
		c.take()
	}
	if err := same(a, b); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestOneExchangeMakesTwoDirectoriesOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := quiet(t, "y", Config{MaxFacts: 20}), quiet(t, "z", Config{MaxFacts: 30})
		seed := rapid.Uint64().Draw(t, "seed")
		rng := rand.New(rand.NewPCG(seed, 1))
		common, each := rapid.IntRange(0, 500).Draw(t, "common"), rapid.IntRange(0, 300).Draw(t, "each")
		draw := func() Fact {
			return Fact{
				Node:   overlay.Node{Name: fmt.Sprintf("n%d@n", rng.IntN(600)), Boot: 1 + rng.Uint64N(2)},
				Status: Status(1 + rng.IntN(4)), Number: rng.Uint64N(2), Version: rng.Uint64N(2),
			}
		}
		both := quiet(t, "x", Config{})
		for range common {
			f := draw()
			for _, c := range []*Core{a, b, both} {
				c.learn(f, hearsay)
			}
		}
		for _, c := range []*Core{a, b} {
			for range rng.IntN(each + 1) {
				f := draw()
				c.learn(f, hearsay)
				both.learn(f, hearsay)
			}
			c.take()
		}
		exchangeBetween(t, a, b)
		if err := same(a, b); err != nil {
			t.Fatal(err)
		}
		for _, f := range a.factsOf(Range{}, 10_000) {
			if g, ok := both.Lookup(f.Node.Name); f.Node.Addr() == "n" && (!ok || !f.Same(g)) {
				t.Fatalf("%v, not %v", f, g)
			}
		}
	})
}

func TestEqualDirectoriesCostFewBytes(t *testing.T) {
	a, b := acquainted(t, 10_000)
	tr := exchangeBetween(t, a, b)
	if tr.messages != 2 || tr.bytes > 100 {
		t.Errorf("%+v", tr)
	}
	t.Logf("10,000 equal: %+v", tr)
}

func TestCostOfAnExchangeFollowsTheDifference(t *testing.T) {
	for _, lost := range []struct{ facts, bytes int }{{1, 1200}, {100, 50_000}} {
		a, b := acquainted(t, 10_000)
		for i := range lost.facts {
			f := Fact{Node: overlay.Node{Name: fmt.Sprintf("new%d@10.0.0.1:4000", i), Boot: 1, Unique: "k3fj2n8v"}, Status: Alive, Version: 1}
			b.learn(f, fresh)
		}
		b.take()
		tr := exchangeBetween(t, a, b)
		if err := same(a, b); err != nil || tr.bytes > lost.bytes {
			t.Errorf("%d facts: %+v, %v", lost.facts, tr, err)
		}
		t.Logf("%d of 10,000 facts differ: %+v", lost.facts, tr)
	}
}

func TestANodeThatJoinsTenThousandHasAllAtOnce(t *testing.T) {
	a := quiet(t, "a", Config{})
	fill(a, start, 10_000)
	b := quiet(t, "b", Config{})
	tr := talk(t, a, b, b.Step(start, Met{node("a")}))
	if err := same(a, b); err != nil || b.Len() != 10_002 {
		t.Fatalf("%d members, %v", b.Len(), err)
	}
	facts := a.factsOf(Range{}, 20_000)
	if tr.largest > 40_000 || tr.messages > 80 || tr.bytes > sizeOf(facts)*11/10 {
		t.Errorf("%+v for %d bytes of facts", tr, sizeOf(facts))
	}
	t.Logf("joining 10,000: %+v, for %d bytes of facts", tr, sizeOf(facts))
}

// TestWhoHasAllGivesItToWhoHasNothing is the same, begun from the other side.
func TestWhoHasAllGivesItToWhoHasNothing(t *testing.T) {
	a, b := quiet(t, "a", Config{}), quiet(t, "b", Config{})
	fill(a, start, 10_000)
	tr := exchangeBetween(t, a, b)
	if err := same(a, b); err != nil || b.Len() != 10_002 || tr.largest > 40_000 || tr.messages > 80 {
		t.Errorf("%d members, %+v, %v", b.Len(), tr, err)
	}
}

// TestHalvesOfAPartitionBecomeOne is the worst of cases: everything differs.
func TestHalvesOfAPartitionBecomeOne(t *testing.T) {
	a, b := acquainted(t, 4000)
	for i, n := range a.Members() {
		if i%2 == 0 && n.Unique != "" {
			a.obituary(n, false)
		} else if n.Unique != "" {
			b.obituary(n, false)
		}
	}
	a.take()
	b.take()
	tr := exchangeBetween(t, a, b)
	if err := same(a, b); err != nil || tr.largest > 60_000 {
		t.Errorf("%+v, %v", tr, err)
	}
	if n := a.Stats(); n.Doubted < 1600 || n.Members < 2000 {
		t.Errorf("%+v", n)
	}
	t.Logf("halves of 4,000: %+v", tr)
}

func TestAnswersOfOthersAreNotTaken(t *testing.T) {
	a, b := acquainted(t, 10)
	x := Fact{Node: node("x"), Status: Alive}
	a.begin(node("b"))
	a.take()
	id := a.exchange.id
	part := []Part{{Facts: []Fact{x}}}
	a.Step(start, Received{node("b"), Answer{ID: id + 1, Done: 1, Parts: part}})
	a.Step(start, Received{node("c"), Answer{ID: id, Done: 1, Parts: part}})
	if _, ok := a.Lookup("x@x"); ok {
		t.Fatal("taken")
	}
	a.Step(start, Received{node("b"), Answer{ID: id, Done: 1, Parts: part}})
	if _, ok := a.Lookup("x@x"); !ok {
		t.Fatal("not taken")
	}
	_ = b
}

func TestAnExchangeWithoutAnswerIsGivenUp(t *testing.T) {
	a, _ := acquainted(t, 10)
	a.begin(node("b"))
	a.take()
	now := start.Add(DefaultTimeout)
	if a.Tick(now.Add(-time.Nanosecond)); !a.exchange.busy() {
		t.Error("given up too early")
	}
	if a.Tick(now); a.exchange.busy() && a.exchange.due.Equal(now) {
		t.Error("not given up")
	}
	for range 200 { // and another one is begun, with anybody
		now = a.Deadline()
		a.Tick(now)
	}
	if a.exchange.id < 20 {
		t.Errorf("%d questions only", a.exchange.id)
	}
}

// What it takes to give one of ten thousand facts to who joins, on both sides.
func BenchmarkGiveFactToWhoJoins(b *testing.B) {
	const n = 10_000
	pool := new(Pool)
	who := quiet(b, "a", Config{Pool: pool})
	fill(who, start, n)
	who.take()
	b.ReportAllocs()
	for given := 0; given < b.N; given += n {
		joiner := quiet(b, "b", Config{Pool: pool})
		hand(b, who, joiner, joiner.Step(start, Met{node("a")}))
		if joiner.Len() != n+2 {
			b.Fatalf("%d members", joiner.Len())
		}
	}
}

// hand gives messages of a, and what comes of them, to and fro.
func hand(tb testing.TB, partner, c *Core, effects Effects) {
	for len(effects) > 0 {
		var answers Effects
		for _, e := range effects {
			if s, ok := e.(Send); ok {
				answers = append(answers, partner.Step(start, Received{c.cfg.Self, s.Message})...)
			}
		}
		effects, partner, c = answers, c, partner
	}
}
