package crdt_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// lineage is one site that restarts: a state that is folded, and beside it one
// to which the same is done but for the folding.
type lineage[S crdt.State[S]] struct {
	name   string
	start  uint64
	folded S
	shadow S
}

func (l *lineage[S]) id() crdt.ReplicaID { return crdt.Incarnation(l.name, l.start) }

// pair is a delta under way, for both worlds.
type twins[S any] struct{ folded, shadow S }

// foldable is a type under test.
type foldable[S crdt.State[S]] struct {
	zero func() S
	act  func(r *rand.Rand, s S, me crdt.ReplicaID, n int) S // the same for the same r
	show func(S) string
	// totals says that a delta tells of earlier changes too, such as all that its
	// replica has counted or that a run is spent, what was folded included: so
	// the worlds are only equal where all is heard of.
	totals bool
}

// foldsUnseen runs sites that change a state, restart under new ids and fold
// what they were before, while deltas are late, doubled and lost. At every
// moment each site must show what it shows in the world without folding.
func foldsUnseen[S crdt.State[S]](t *testing.T, sub foldable[S]) {
	t.Helper()
	folds := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 9))
		var sites []*lineage[S]
		for i := range 4 {
			sites = append(sites, &lineage[S]{fmt.Sprint("site", i), 1, sub.zero(), sub.zero()})
		}
		var letters []twins[S]
		for n := range 80 {
			at := sites[r.IntN(len(sites))]
			switch deed := r.IntN(20); {
			case deed < 8:
				seed := r.Uint64()
				p := twins[S]{
					sub.act(rand.New(rand.NewPCG(seed, 1)), at.folded, at.id(), n),
					sub.act(rand.New(rand.NewPCG(seed, 1)), at.shadow, at.id(), n),
				}
				letters = append(letters, p)
				at = sites[r.IntN(len(sites))] // somebody hears of it
				take(t, sub, at, p)
			case deed < 15 && len(letters) > 0:
				take(t, sub, at, letters[r.IntN(len(letters))])
			case deed < 17:
				from := sites[r.IntN(len(sites))]
				requireDigestLaw(t, sub, at.folded, from.folded)
				take(t, sub, at, twins[S]{from.folded, from.shadow})
			case deed < 18: // a restart, with or without memory
				if at.start++; r.IntN(2) == 0 {
					for _, other := range sites { // what it told nobody else is not to be missed
						if other != at {
							take(t, sub, other, twins[S]{at.folded, at.shadow})
						}
					}
					at.folded, at.shadow = sub.zero(), sub.zero()
				}
			default:
				for _, other := range sites {
					take(t, sub, at, twins[S]{other.folded, other.shadow})
				}
				f := any(at.folded).(crdt.Folder[S])
				if !f.Foldable(at.id()) {
					break
				}
				folds++
				before := at.folded.Clone()
				delta := f.Fold(at.id())
				if f.Foldable(at.id()) {
					t.Fatalf("schedule %d: foldable after folding", seed)
				}
				if before.Join(delta); !before.Equal(at.folded) {
					t.Fatalf("schedule %d: the delta of folding does not do what folding does", seed)
				}
				// The delta tells of all that was folded, for which the other
				// world has no delta: so the whole states travel.
				letters = append(letters, twins[S]{at.folded.Clone(), at.shadow.Clone()})
				for _, other := range sites {
					requireHarmless(t, sub, other.folded, delta, at.folded)
				}
				require(t, sub, at, fmt.Sprintf("schedule %d, step %d", seed, n))
			}
			for _, s := range sites {
				if !sub.totals {
					require(t, sub, s, fmt.Sprintf("schedule %d, step %d", seed, n))
				}
			}
		}
		for range 2 {
			for _, s := range sites {
				for _, other := range sites {
					take(t, sub, s, twins[S]{other.folded, other.shadow})
				}
			}
		}
		for _, s := range sites {
			require(t, sub, s, fmt.Sprintf("schedule %d, in the end", seed))
			if !s.folded.Equal(sites[0].folded) {
				t.Fatalf("schedule %d: %s and %s differ in the end", seed, s.name, sites[0].name)
			}
		}
	}
	if folds < 20 {
		t.Errorf("only %d foldings prove little", folds)
	}
}

// take joins a delta in both worlds, the folded one by way of bytes.
func take[S crdt.State[S]](t *testing.T, sub foldable[S], at *lineage[S], p twins[S]) {
	t.Helper()
	delta := sub.zero()
	if err := delta.UnmarshalBinary(encoded(t, p.folded)); err != nil {
		t.Fatalf("decoding what was encoded: %v", err)
	}
	if !delta.Equal(p.folded) {
		t.Fatal("what was decoded differs from what was encoded")
	}
	before := at.folded.Clone()
	if changed := at.folded.Join(delta); changed == before.Equal(at.folded) {
		t.Fatalf("Join reports %v, the states before and after are equal: %v", changed, before.Equal(at.folded))
	}
	at.shadow.Join(p.shadow)
}

// requireHarmless fails if a delta of folding that comes before the state that
// it is of changes what comes of both.
func requireHarmless[S crdt.State[S]](t *testing.T, sub foldable[S], at, delta, state S) {
	t.Helper()
	one, two := at.Clone(), at.Clone()
	sent := sub.zero()
	if err := sent.UnmarshalBinary(encoded(t, delta)); err != nil {
		t.Fatal(err)
	}
	one.Join(sent)
	if err := crdt.Invariants(one); err != nil {
		t.Fatal(err)
	}
	one.Join(state)
	two.Join(state)
	if !one.Equal(two) {
		t.Fatal("the delta of folding does harm by itself")
	}
}

func require[S crdt.State[S]](t *testing.T, sub foldable[S], s *lineage[S], when string) {
	t.Helper()
	if err := crdt.Invariants(s.folded); err != nil {
		t.Fatalf("%s: %s: %v", when, s.name, err)
	}
	if got, want := sub.show(s.folded), sub.show(s.shadow); got != want {
		t.Fatalf("%s: %s shows %q, without folding it shows %q", when, s.name, got, want)
	}
}

// requireDigestLaw fails unless what b sends for a's digest is what joining all
// of b would do.
func requireDigestLaw[S crdt.State[S]](t *testing.T, sub foldable[S], a, b S) {
	t.Helper()
	know, ok := any(a).(crdt.Digester[S])
	if !ok {
		return
	}
	data, _ := know.Digest().MarshalBinary()
	digest := new(crdt.Digest)
	if err := digest.UnmarshalBinary(data); err != nil || !digest.Equal(know.Digest()) {
		t.Fatalf("digest does not survive its encoding: %v", err)
	}
	whole, part := a.Clone(), a.Clone()
	one := whole.Join(b)
	delta := sub.zero()
	if err := delta.UnmarshalBinary(encoded(t, any(b).(crdt.Digester[S]).DeltaSince(digest))); err != nil {
		t.Fatal(err)
	}
	if two := part.Join(delta); one != two || !whole.Equal(part) {
		t.Fatalf("joining the difference is not joining all: %v and %v, equal %v", one, two, whole.Equal(part))
	}
}

func TestFoldingIsUnseenInCarts(t *testing.T) {
	foldsUnseen(t, foldable[*crdt.Cart]{
		zero: func() *crdt.Cart { return new(crdt.Cart) },
		act: func(r *rand.Rand, c *crdt.Cart, me crdt.ReplicaID, _ int) *crdt.Cart {
			item := fmt.Sprint("item", r.IntN(4))
			if r.IntN(3) == 0 {
				return c.Remove(me, item)
			}
			return c.Add(me, item, 1+r.Int64N(3))
		},
		show:   func(c *crdt.Cart) string { return showPairs(c.All()) },
		totals: true,
	})
}

func TestFoldingIsUnseenInSets(t *testing.T) {
	foldsUnseen(t, foldable[*crdt.ORSet]{
		zero: func() *crdt.ORSet { return new(crdt.ORSet) },
		act: func(r *rand.Rand, s *crdt.ORSet, me crdt.ReplicaID, _ int) *crdt.ORSet {
			element := fmt.Sprint("element", r.IntN(4))
			if r.IntN(3) == 0 {
				return s.Remove(element)
			}
			return s.Add(me, element)
		},
		show: func(s *crdt.ORSet) string { return showKeys(s.All()) },
	})
}

func TestFoldingIsUnseenInMapsOfCounters(t *testing.T) {
	foldsUnseen(t, foldable[*crdt.ORMap[*crdt.Tally]]{
		zero: func() *crdt.ORMap[*crdt.Tally] { return new(crdt.ORMap[*crdt.Tally]) },
		act: func(r *rand.Rand, m *crdt.ORMap[*crdt.Tally], me crdt.ReplicaID, _ int) *crdt.ORMap[*crdt.Tally] {
			key := fmt.Sprint("key", r.IntN(3))
			if r.IntN(4) == 0 {
				return m.Remove(me, key)
			}
			return m.Update(key, func(c *crdt.Tally) *crdt.Tally { return c.Add(me, r.Int64N(9)-4) })
		},
		show: func(m *crdt.ORMap[*crdt.Tally]) (s string) {
			for key, c := range m.All() {
				s += fmt.Sprint(key, "=", c.Value(), " ")
			}
			return s
		},
		totals: true,
	})
}

func TestFoldingIsUnseenInRegisters(t *testing.T) {
	foldsUnseen(t, foldable[*crdt.MVRegister]{
		zero: func() *crdt.MVRegister { return new(crdt.MVRegister) },
		act: func(r *rand.Rand, m *crdt.MVRegister, me crdt.ReplicaID, n int) *crdt.MVRegister {
			return m.Set(me, fmt.Sprint(r.IntN(9)))
		},
		show: func(m *crdt.MVRegister) string { return showKeys(m.All()) },
	})
}

func TestFoldingIsUnseenInFlags(t *testing.T) {
	foldsUnseen(t, foldable[*crdt.EnableFlag]{
		zero: func() *crdt.EnableFlag { return new(crdt.EnableFlag) },
		act: func(r *rand.Rand, f *crdt.EnableFlag, me crdt.ReplicaID, _ int) *crdt.EnableFlag {
			if r.IntN(2) == 0 {
				return f.Disable()
			}
			return f.Enable(me)
		},
		show: func(f *crdt.EnableFlag) string { return fmt.Sprint(f.Enabled()) },
	})
}

func TestFoldingIsUnseenInCounters(t *testing.T) {
	foldsUnseen(t, foldable[*crdt.PNCounter]{
		zero: func() *crdt.PNCounter { return new(crdt.PNCounter) },
		act: func(r *rand.Rand, c *crdt.PNCounter, me crdt.ReplicaID, _ int) *crdt.PNCounter {
			return c.Add(me, r.Int64N(9)-4)
		},
		show:   func(c *crdt.PNCounter) string { return fmt.Sprint(c.Value()) },
		totals: true,
	})
	foldsUnseen(t, foldable[*crdt.GCounter]{
		zero: func() *crdt.GCounter { return new(crdt.GCounter) },
		act: func(r *rand.Rand, c *crdt.GCounter, me crdt.ReplicaID, _ int) *crdt.GCounter {
			return c.Add(me, r.Uint64N(5))
		},
		show:   func(c *crdt.GCounter) string { return fmt.Sprint(c.Value()) },
		totals: true,
	})
}

// TestFoldedStatesDoNotGrowWithRestarts changes a cart in many lives and folds
// each into the next.
func TestFoldedStatesDoNotGrowWithRestarts(t *testing.T) {
	cart, set, counter := new(crdt.Cart), new(crdt.ORSet), new(crdt.PNCounter)
	for life := range uint64(500) {
		me := crdt.Incarnation("node@host:1", life)
		cart.Fold(me)
		set.Fold(me)
		counter.Fold(me)
		cart.Add(me, "tea", 2)
		cart.Remove(me, "tea")
		cart.Add(me, "milk", 1)
		cart.Remove(me, "milk")
		cart.Add(me, "tea", 1)
		set.Add(me, "x")
		counter.Add(me, 1)
	}
	if cart.Quantity("tea") != 1 && cart.Quantity("tea") != 500 || counter.Value() != 500 || !set.Contains("x") {
		t.Errorf("%d tea, %d counted", cart.Quantity("tea"), counter.Value())
	}
	for name, data := range map[string][]byte{"cart": encoded(t, cart), "set": encoded(t, set), "counter": encoded(t, counter)} {
		if len(data) > 120 {
			t.Errorf("after 500 lives the %s takes %d bytes", name, len(data))
		}
	}
}
