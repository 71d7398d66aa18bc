package crdt_test

import (
	"math"
	"strconv"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"pgregory.net/rapid"
)

func pnCounterSubject() subject[*crdt.PNCounter] {
	return subject[*crdt.PNCounter]{
		zero: func() *crdt.PNCounter { return new(crdt.PNCounter) },
		act: func(t *rapid.T, c *crdt.PNCounter, m *model) (*crdt.PNCounter, facts) {
			n := rapid.Int64Range(-9, 9).Draw(t, "n")
			if rapid.Bool().Draw(t, "at once") {
				c.Accumulate(m.id, n)
				carried := ownShare(m, n)
				return c.Share(m.id), carried
			}
			delta := c.Add(m.id, n)
			if n == 0 {
				return delta, noFacts()
			}
			return delta, ownShare(m, n)
		},
		show: func(c *crdt.PNCounter) string { return strconv.FormatInt(c.Value(), 10) },
		want: wantTotal,
	}
}

// ownShare models a delta that carries all its replica ever counted.
func ownShare(m *model, n int64) facts {
	m.add("", n)
	carried := noFacts()
	for i, a := range m.additions {
		if a.by == m.id && m.made[i] {
			carried.made[i] = true
		}
	}
	return carried
}

func wantTotal(l *log, f facts) string { return strconv.FormatInt(sumOf(l.left(f)[""]), 10) }

func TestPNCounterFollowsItsOpLog(t *testing.T) { followsItsOpLog(t, pnCounterSubject()) }
func TestPNCounterKeepsTheLaws(t *testing.T)    { keepsTheLaws(t, pnCounterSubject()) }
func TestPNCounterConvergesEvenIfReplicaIDsAreReused(t *testing.T) {
	joinsAlienStates(t, pnCounterSubject())
}
func FuzzPNCounter(f *testing.F) { refusesHostileBytes(f, pnCounterSubject()) }

func TestUpdateHeardTwiceCountsOnce(t *testing.T) {
	var a, b crdt.PNCounter
	delta := a.Add("a", 5)
	if !b.Join(delta) || b.Join(delta) {
		t.Error("the second arrival must change nothing, the first must")
	}
	if b.Value() != 5 {
		t.Errorf("counts %d", b.Value())
	}
}

func TestDeltasOfACounterMayOvertakeEachOther(t *testing.T) {
	var a, b crdt.PNCounter
	first, second := a.Add("a", 5), a.Add("a", -7)
	b.Join(second)
	if b.Join(first) || b.Value() != -2 {
		t.Errorf("counts %d", b.Value())
	}
}

func TestTenMillionUpdatesLeaveASmallCounter(t *testing.T) {
	var c crdt.PNCounter
	const updates = 10_000_000
	for n := range updates / 5 {
		for r := range 5 {
			c.Accumulate(ids[r], int64(n%3)-1)
		}
	}
	data, _ := c.MarshalBinary()
	if len(data) >= 1024 {
		t.Errorf("%d bytes", len(data))
	}
	digest, _ := c.Digest().MarshalBinary()
	if len(digest) >= 1024 {
		t.Errorf("digest of %d bytes", len(digest))
	}
}

// ids are the replicas of tests that count too often to format ids.
var ids = []crdt.ReplicaID{id(0), id(1), id(2), id(3), id(4)}

func TestAccumulatingAllocatesNothing(t *testing.T) {
	var c crdt.PNCounter
	for _, replica := range ids {
		c.Add(replica, 1)
	}
	if n := testing.AllocsPerRun(100, func() { c.Accumulate(ids[3], 1); c.Value() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestShareCarriesEverythingAReplicaCounted(t *testing.T) {
	var a, b crdt.PNCounter
	a.Accumulate("a", 5)
	a.Accumulate("a", -2)
	a.Accumulate("b", 9)
	b.Join(a.Share("a"))
	if b.Value() != 3 {
		t.Errorf("counts %d", b.Value())
	}
	if !a.Share("nobody").IsZero() {
		t.Error("a replica that never counted has a share")
	}
}

func TestCounterStopsAtItsLimitsInsteadOfWrapping(t *testing.T) {
	const most = 1<<61 - 1
	for _, step := range []int64{math.MaxInt64, math.MinInt64} {
		var c crdt.PNCounter
		for range 3 {
			c.Add("a", step)
		}
		want := int64(most)
		if step < 0 {
			want = -most
		}
		if c.Value() != want {
			t.Errorf("counts %d, want %d", c.Value(), want)
		}
		for _, replica := range ids {
			c.Add(replica, step)
		}
		if v := c.Value(); v != math.MaxInt64 && v != math.MinInt64 {
			t.Errorf("six replicas at the limit count %d", v)
		}
		data, _ := c.MarshalBinary()
		if back, err := crdt.Decode[crdt.PNCounter](data); err != nil || !back.Equal(&c) {
			t.Errorf("a full counter does not survive its encoding: %v", err)
		}
		digest, _ := c.Digest().MarshalBinary()
		if err := new(crdt.Digest).UnmarshalBinary(digest); err != nil {
			t.Errorf("nor does its digest: %v", err)
		}
	}
}

func TestCounterDeltaSinceHoldsOnlyWhatIsMissing(t *testing.T) {
	var a, b crdt.PNCounter
	for _, replica := range ids {
		a.Add(replica, 1)
	}
	b.Join(&a)
	a.Add(ids[2], -1)
	if delta := a.DeltaSince(b.Digest()); !delta.Equal(a.Share(ids[2])) {
		t.Errorf("got %v", delta)
	}
	if delta := b.DeltaSince(a.Digest()); !delta.IsZero() {
		t.Errorf("the older counter has something to say: %v", delta)
	}
}

func TestEmptyReplicaIDPanics(t *testing.T) {
	for what, change := range map[string]func(){
		"PNCounter.Add":    func() { new(crdt.PNCounter).Add("", 1) },
		"GCounter.Add":     func() { new(crdt.GCounter).Accumulate("", 1) },
		"Cart.Add":         func() { new(crdt.Cart).Add("", "x", 1) },
		"Cart.Remove":      func() { new(crdt.Cart).Remove("", "x") },
		"Tally.Add":        func() { new(crdt.Tally).Add("", 1) },
		"Tally.Reset":      func() { new(crdt.Tally).Reset("") },
		"ORSet.Add":        func() { new(crdt.ORSet).Add("", "x") },
		"MVRegister.Set":   func() { new(crdt.MVRegister).Set("", "x") },
		"EnableFlag":       func() { new(crdt.EnableFlag).Enable("") },
		"LWWRegister.Set":  func() { new(crdt.LWWRegister).Set("", epoch, "x") },
		"ORMap.Remove":     func() { new(crdt.ORMap[*crdt.ORSet]).Remove("", "x") },
		"CausalContext":    func() { new(crdt.CausalContext).Next("") },
		"a cart with some": func() { cartOf(3).Remove("", "item-00001") },
	} {
		requirePanic(t, what, change)
	}
}

func requirePanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

func TestPNCounterDecodesOnlyItsCanonicalForm(t *testing.T) {
	requireMalformed[crdt.PNCounter](t, map[string]string{
		"counted nothing":  "P\x01\x01a\x00\x00",
		"out of order":     "P\x02\x01b\x01\x00\x01a\x01\x00",
		"twice":            "P\x02\x01a\x01\x00\x01a\x02\x00",
		"empty id":         "P\x01\x00\x01\x00",
		"above the limit":  "P\x01\x01a\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00",
		"integer too long": "P\x01\x01a\x81\x00\x00",
		"left over":        "P\x01\x01a\x01\x00\x00",
	})
}
