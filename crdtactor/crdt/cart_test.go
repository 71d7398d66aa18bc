package crdt_test

import (
	"maps"
	"math"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

// item draws one of few keys, so that operations meet.
func item(t *rapid.T) string { return rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "item") }

func cartSubject() subject[*crdt.Cart] {
	return subject[*crdt.Cart]{
		zero: func() *crdt.Cart { return new(crdt.Cart) },
		act: func(t *rapid.T, c *crdt.Cart, m *model) (*crdt.Cart, facts) {
			at := item(t)
			switch rapid.IntRange(0, 7).Draw(t, "operation") {
			case 0, 1:
				return c.Remove(m.id, at), m.reset(exactly(at))
			case 2:
				return c.Compact(m.id), m.sweep()
			default:
				n := rapid.Int64Range(-3, 5).Draw(t, "n")
				return c.Add(m.id, at, n), cartAdd(m, at, n)
			}
		},
		show: func(c *crdt.Cart) string { return showPairs(c.All()) },
		want: wantSums(func(sum int64) (bool, int64) { return sum > 0, sum }),
	}
}

// cartAdd models the rules of Cart.Add for amounts below zero.
func cartAdd(m *model, item string, n int64) facts {
	known := sumOf(m.left(m.facts)[item])
	switch {
	case n == 0 || n < 0 && known <= 0:
		return noFacts()
	case n < 0 && known+n <= 0:
		return m.reset(exactly(item))
	case n > 0 && known < 0:
		carried := m.reset(exactly(item))
		carried.join(m.count(item, n))
		return carried
	default:
		return m.count(item, n)
	}
}

func TestCartFollowsItsOpLog(t *testing.T)                    { followsItsOpLog(t, cartSubject()) }
func TestCartKeepsTheLaws(t *testing.T)                       { keepsTheLaws(t, cartSubject()) }
func TestCartConvergesEvenIfReplicaIDsAreReused(t *testing.T) { joinsAlienStates(t, cartSubject()) }
func FuzzCart(f *testing.F)                                   { refusesHostileBytes(f, cartSubject()) }

// requireCart fails unless the cart holds exactly these quantities.
func requireCart(t *testing.T, c *crdt.Cart, want map[string]int64) {
	t.Helper()
	if got := maps.Collect(c.All()); !maps.Equal(got, want) {
		t.Errorf("cart holds %v, want %v", got, want)
	}
	if c.Len() != len(want) {
		t.Errorf("cart has %d items, want %d", c.Len(), len(want))
	}
}

// pair returns two replicas' carts that have both heard of the same additions.
func pair(items map[string]int64) (a, b *crdt.Cart) {
	a, b = new(crdt.Cart), new(crdt.Cart)
	for item, n := range items {
		b.Join(a.Add("a", item, n))
	}
	return a, b
}

func meet(a, b *crdt.Cart) {
	a.Join(b)
	b.Join(a)
}

func TestConcurrentAdditionsAddUp(t *testing.T) {
	a, b := pair(map[string]int64{"tea": 1})
	a.Add("a", "tea", 2)
	b.Add("b", "tea", 3)
	meet(a, b)
	requireCart(t, a, map[string]int64{"tea": 6})
	requireCart(t, b, map[string]int64{"tea": 6})
}

func TestRemovalKeepsTheConcurrentAdditionAndNothingElse(t *testing.T) {
	a, b := pair(map[string]int64{"tea": 5})
	b.Remove("b", "tea")
	a.Add("a", "tea", 2) // the same replica's run goes on
	meet(a, b)
	requireCart(t, a, map[string]int64{"tea": 2})
	requireCart(t, b, map[string]int64{"tea": 2})
}

func TestTwoConcurrentRemovalsRemoveOnce(t *testing.T) {
	a, b := pair(map[string]int64{"tea": 5})
	c := a.Clone()
	a.Remove("a", "tea")
	b.Remove("b", "tea")
	c.Add("c", "tea", 1)
	meet(a, b)
	meet(b, c)
	requireCart(t, b, map[string]int64{"tea": 1})
}

func TestRemovalThatSawLessLeavesWhatTheOtherSaw(t *testing.T) {
	a, b := pair(map[string]int64{"tea": 5})
	c := b.Clone()
	late := b.Remove("b", "tea") // saw 5
	c.Join(a.Add("a", "tea", 2))
	c.Remove("c", "tea") // saw 7
	c.Join(a.Add("a", "tea", 1))
	c.Join(late)
	requireCart(t, c, map[string]int64{"tea": 1})
}

func TestItemRemovedAndAddedAgainCountsFromTheNewAddition(t *testing.T) {
	a, b := pair(map[string]int64{"tea": 5})
	a.Join(b.Remove("b", "tea"))
	b.Join(a.Add("a", "tea", 1))
	requireCart(t, b, map[string]int64{"tea": 1})
	a.Remove("a", "tea")
	a.Add("a", "tea", 3)
	meet(a, b)
	requireCart(t, b, map[string]int64{"tea": 3})
}

func TestRemovalHeardBeforeTheAdditionItRemoves(t *testing.T) {
	for _, remover := range []crdt.ReplicaID{"a", "b"} {
		a, c := new(crdt.Cart), new(crdt.Cart)
		add := a.Add("a", "tea", 5)
		remove := a.Remove(remover, "tea")
		c.Join(remove)
		c.Join(add)
		requireCart(t, c, map[string]int64{})
		if !c.Equal(a) {
			t.Errorf("removed by %s: the order of arrival shows", remover)
		}
	}
}

func TestDeltaOfALetGoRunDoesNotBringItBack(t *testing.T) {
	a, b := new(crdt.Cart), new(crdt.Cart)
	first := a.Add("a", "tea", 1)
	middle := a.Add("a", "tea", 1) // never arrives in time
	last := a.Add("a", "tea", 1)
	b.Join(first)
	b.Join(last)
	a.Join(b.Remove("b", "tea"))
	b.Join(a.Compact("a"))
	b.Join(middle)
	requireCart(t, b, map[string]int64{})
	if !a.Equal(b) {
		t.Error("the late delta left something behind")
	}
}

func TestLaterAdditionMakesUpForLostOnes(t *testing.T) {
	a, b := new(crdt.Cart), new(crdt.Cart)
	a.Add("a", "tea", 1)
	a.Add("a", "tea", 2)
	b.Join(a.Add("a", "tea", 3))
	requireCart(t, b, map[string]int64{"tea": 6})
}

func TestGapInOneItemDoesNotMakeTheRemovalOfAnotherWrong(t *testing.T) {
	a, b := new(crdt.Cart), new(crdt.Cart)
	tea := a.Add("a", "tea", 1) // a:1, under way
	b.Join(a.Add("a", "milk", 2))
	a.Join(b.Remove("b", "milk"))
	b.Join(a.Compact("a"))
	requireCart(t, b, map[string]int64{})
	b.Join(tea) // must not be taken for removed because later dots are known
	requireCart(t, b, map[string]int64{"tea": 1})
}

func TestTakingTheLastUnitRemovesTheItem(t *testing.T) {
	a, b := pair(map[string]int64{"tea": 2})
	a.Add("a", "tea", -2)
	requireCart(t, a, map[string]int64{})
	b.Add("b", "tea", 3)
	meet(a, b)
	requireCart(t, a, map[string]int64{"tea": 3})
}

func TestTakingMoreThanIsShownTakesWhatIsThere(t *testing.T) {
	a, _ := pair(map[string]int64{"tea": 2})
	a.Add("a", "tea", -5)
	a.Add("a", "tea", 1)
	requireCart(t, a, map[string]int64{"tea": 1})
	a.Add("a", "tea", math.MinInt64)
	requireCart(t, a, map[string]int64{})
}

func TestTakingSomeLeavesTheRest(t *testing.T) {
	a, b := pair(map[string]int64{"tea": 5})
	a.Join(b.Add("b", "tea", -2))
	requireCart(t, a, map[string]int64{"tea": 3})
}

func TestTakingFromNothingChangesNothing(t *testing.T) {
	c := new(crdt.Cart)
	if d := c.Add("a", "tea", -1); !d.IsZero() || !c.IsZero() {
		t.Error("something was taken")
	}
	if d := c.Add("a", "tea", 0); !d.IsZero() || !c.IsZero() {
		t.Error("adding nothing left a trace")
	}
	if d := c.Remove("a", "tea"); !d.IsZero() || !c.IsZero() {
		t.Error("removing nothing left a trace")
	}
}

func TestQuantityTakenTwiceShowsZeroAndTheNextAdditionCounts(t *testing.T) {
	a, b := pair(map[string]int64{"tea": 3})
	a.Add("a", "tea", -2)
	b.Add("b", "tea", -2)
	meet(a, b)
	if q := a.Quantity("tea"); q != 0 {
		t.Errorf("shows %d", q)
	}
	requireCart(t, a, map[string]int64{})
	b.Join(a.Add("a", "tea", 1))
	requireCart(t, b, map[string]int64{"tea": 1})
}

func TestQuantitiesStopAtTheirLimits(t *testing.T) {
	a, b := new(crdt.Cart), new(crdt.Cart)
	a.Add("a", "tea", math.MaxInt64)
	a.Add("a", "tea", math.MaxInt64)
	b.Add("b", "tea", math.MaxInt64)
	meet(a, b)
	if q := a.Quantity("tea"); q != math.MaxInt64 {
		t.Errorf("shows %d", q)
	}
	b.Join(a.Remove("a", "tea"))
	b.Join(a.Add("a", "tea", 7))
	requireCart(t, b, map[string]int64{"tea": 7})
}

func TestAllYieldsItemsInOrderAndStopsWhenTold(t *testing.T) {
	c := cartOf(50)
	n, previous := 0, ""
	for item := range c.All() {
		if item <= previous {
			t.Errorf("%s after %s", item, previous)
		}
		previous = item
		if n++; n == 10 {
			break
		}
	}
	if n != 10 {
		t.Errorf("yielded %d items", n)
	}
}

func TestTakingFromLessThanNothingChangesNothing(t *testing.T) {
	a, b := pair(map[string]int64{"tea": 3})
	a.Add("a", "tea", -2)
	b.Add("b", "tea", -2)
	meet(a, b)
	if delta := a.Add("a", "tea", -1); !delta.IsZero() {
		t.Error("something was taken")
	}
	if !a.Equal(b) {
		t.Error("the cart changed")
	}
}

func TestCartDecodesOnlyItsCanonicalForm(t *testing.T) {
	const seen = "C\x01\x01a\x01\x00\x02" // a:1-3
	requireMalformed[crdt.Cart](t, map[string]string{
		"another kind":          "T\x00\x00",
		"no tree":               seen,
		"item without dots":     seen + "\x02\x01w\x00\x01x\x01\x00\x01\x01\x02\x00",
		"unknown replica":       seen + "\x01\x01x\x01\x01\x01\x01\x02\x00",
		"dot nobody has seen":   seen + "\x01\x01x\x01\x00\x04\x01\x02\x00",
		"dot zero":              seen + "\x01\x01x\x01\x00\x00\x01\x02\x00",
		"run without additions": seen + "\x01\x01x\x01\x00\x01\x00\x02\x00",
		"more gone than added":  seen + "\x01\x01x\x01\x00\x01\x01\x02\x02\x02",
		"dots out of order":     seen + "\x01\x01x\x02\x00\x02\x01\x02\x00\x00\x01\x01\x02\x00",
		"items out of order":    seen + "\x02\x01y\x01\x00\x01\x01\x02\x00\x01x\x01\x00\x02\x01\x02\x00",
		"dot that lives twice":  seen + "\x02\x01x\x01\x00\x01\x01\x02\x00\x01y\x01\x00\x01\x01\x02\x00",
		"bytes left over":       seen + "\x01\x01x\x01\x00\x01\x01\x02\x00\x00",
		"more items than bytes": seen + "\xff\xff\xff\xff\x0f\x01x",
		"more dots than bytes":  seen + "\x01\x01x\xff\xff\xff\xff\x0f\x00",
	})
	good := seen + "\x01\x01x\x01\x00\x01\x02\x0a\x01\x04"
	c, err := crdt.Decode[crdt.Cart]([]byte(good))
	if err != nil || c.Quantity("x") != 3 { // 5 in two additions, the first of 2 gone
		t.Errorf("%v, %v", c, err)
	}
}
