package directory

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/topos-go/topos/overlay"
)

// table is a hash table whose buckets are the ranges that two nodes compare. A
// bucket has the entries whose keys begin with its index, in their order.
type table struct {
	bits    uint8
	buckets []bucket
	glimpse uint32 // of what warm has read: means nothing
	len     int    // entries
	up      int    // of which are members
	pool    *overlay.Pool[record]
}

type bucket struct {
	entries []slot
	sum     uint64 // of the weights of those that are not faded
	told    int    // how many are not faded
}

// perBucket is how many entries a bucket has on average before the table grows.
const perBucket = 16

func (t *table) bucket(key uint64) *bucket {
	if t.buckets == nil {
		t.buckets = make([]bucket, 1)
	}
	return &t.buckets[t.index(key)]
}

func (t *table) index(key uint64) int {
	if t.bits == 0 {
		return 0
	}
	return int(key >> (64 - t.bits))
}

// of returns the entry of a slot.
func (t *table) of(s *slot) entry { return entry{s, t.pool.At(s.number)} }

// search returns where in b an entry is or belongs.
func (t *table) search(b *bucket, key uint64, name string) (int, bool) {
	order := orderOf(key)
	i := sort.Search(len(b.entries), func(i int) bool { return b.entries[i].order >= order })
	for ; i < len(b.entries) && b.entries[i].order == order; i++ {
		r := t.pool.At(b.entries[i].number)
		if c := cmp.Or(cmp.Compare(r.key, key), cmp.Compare(r.node.Name, name)); c >= 0 {
			return i, c == 0
		}
	}
	return i, false
}

// find returns the entry of a name.
func (t *table) find(name string) entry {
	key := keyOf(name)
	b := t.bucket(key)
	if i, ok := t.search(b, key, name); ok {
		return t.of(&b.entries[i])
	}
	return entry{}
}

// warm reads what find will of each name: what buckets have lies anywhere, and the processor
// waits for all of it at once here, for one after the other otherwise.
func (t *table) warm(facts []Fact) {
	var keys [warmed]uint64
	facts = facts[:min(len(facts), warmed)]
	for i := range facts {
		keys[i] = keyOf(facts[i].Node.Name)
		t.glimpse += uint32(t.bucket(keys[i]).told)
	}
	for _, key := range keys[:len(facts)] {
		if b := t.bucket(key); len(b.entries) > 0 {
			t.glimpse += b.entries[len(b.entries)/2].order
		}
	}
}

// warmed is how many names are warmed at a time: what a processor can wait for at once.
const warmed = 16

// insert adds an entry for a name that has none.
func (t *table) insert(f Fact) entry {
	if t.len >= perBucket*max(len(t.buckets), 1) && t.bits < 32 {
		t.grow()
	}
	r := recordOf(f)
	b := t.bucket(r.key)
	i, _ := t.search(b, r.key, f.Node.Name)
	if len(b.entries) == cap(b.entries) { // a little room: doubling would waste a third
		b.entries = append(make([]slot, 0, len(b.entries)+4), b.entries...)
	}
	b.entries = slices.Insert(b.entries, i, slot{number: t.pool.Keep(r, r.weight), order: orderOf(r.key)})
	t.len++
	e := t.of(&b.entries[i])
	b.weigh(e, 1)
	return e
}

// weigh adds e to what b tells, or takes it away.
func (b *bucket) weigh(e entry, sign int) {
	if !e.faded {
		b.sum += uint64(sign) * e.weight
		b.told += sign
	}
}

// fade has an entry be told no more.
func (t *table) fade(e entry) {
	b := t.bucket(e.key)
	b.weigh(e, -1)
	e.faded = true
	b.weigh(e, 1)
}

// replace has an entry say f. It is told again, unless f is of the same death.
func (t *table) replace(e entry, f Fact) entry {
	b := t.bucket(e.key)
	b.weigh(e, -1)
	if e.node != f.Node || e.stamp != f.stamp() {
		e.faded = false
	}
	r := recordOf(f)
	before := e.number
	e.number = t.pool.Keep(r, r.weight)
	t.pool.Drop(before)
	e = t.of(e.slot)
	b.weigh(e, 1)
	return e
}

// remove takes out the entry of a name, which is no member.
func (t *table) remove(name string) {
	key := keyOf(name)
	b := t.bucket(key)
	if i, ok := t.search(b, key, name); ok {
		b.weigh(t.of(&b.entries[i]), -1)
		t.pool.Drop(b.entries[i].number)
		b.entries = slices.Delete(b.entries, i, i+1)
		t.len--
	}
}

func (t *table) grow() {
	old := t.buckets
	t.bits++
	t.buckets = make([]bucket, 1<<t.bits)
	for i := range old {
		entries := old[i].entries
		half := sort.Search(len(entries), func(j int) bool { return t.index(t.pool.At(entries[j].number).key) > 2*i })
		for j, part := range [][]slot{entries[:half], entries[half:]} {
			b := &t.buckets[2*i+j]
			b.entries = append(make([]slot, 0, len(part)+2), part...)
			for k := range b.entries {
				b.weigh(t.of(&b.entries[k]), 1)
			}
		}
	}
}

// each visits the entries of r in the order of their keys.
func (t *table) each(r Range, visit func(entry)) {
	if len(t.buckets) == 0 {
		return
	}
	for i := t.index(r.first()); i <= t.index(r.last()); i++ {
		for j := range t.buckets[i].entries {
			if e := t.of(&t.buckets[i].entries[j]); r.has(e.key) {
				visit(e)
			}
		}
	}
}

// sum returns what r adds up to, without those that are faded.
func (t *table) sum(r Range) Sum {
	s := Sum{Range: r}
	if r.Bits > t.bits { // less than a bucket
		t.each(r, func(e entry) {
			if !e.faded {
				s.Sum += e.weight
				s.Count++
			}
		})
		return s
	}
	if len(t.buckets) == 0 {
		return s
	}
	for i := t.index(r.first()); i <= t.index(r.last()); i++ {
		s.Sum += t.buckets[i].sum
		s.Count += t.buckets[i].told
	}
	return s
}

// random draws a member other than the one that is called self, none if there is
// no other. All are equally likely, unless members are few among the dead.
func (t *table) random(rng *rand.Rand, self string) entry {
	longest := 0
	for i := range t.buckets {
		longest = max(longest, len(t.buckets[i].entries))
	}
	others := t.up
	if e := t.find(self); !e.none() && e.up {
		others--
	}
	if others == 0 {
		return entry{}
	}
	for range 64 {
		b := &t.buckets[rng.IntN(len(t.buckets))]
		if i := rng.IntN(longest); i < len(b.entries) && b.entries[i].up {
			if e := t.of(&b.entries[i]); e.node.Name != self {
				return e
			}
		}
	}
	return t.first(rng.IntN(len(t.buckets)), self) // members are few among the dead
}

// first returns the first member from a bucket on.
func (t *table) first(from int, self string) entry {
	for i := range t.buckets {
		b := &t.buckets[(from+i)%len(t.buckets)]
		for j := range b.entries {
			if e := t.of(&b.entries[j]); e.up && e.node.Name != self {
				return e
			}
		}
	}
	return entry{}
}

// Range is the names whose keys begin with the first Bits bits of Prefix.
type Range struct {
	Prefix uint64
	Bits   uint8
}

const (
	// fanBits is by how much a range is finer than the one it is part of.
	fanBits = 4
	fan     = 1 << fanBits
	// maxBits is how fine a range may be.
	maxBits = 60
)

func (r Range) mask() uint64 {
	if r.Bits == 0 {
		return 0
	}
	return ^uint64(0) << (64 - r.Bits)
}

func (r Range) first() uint64       { return r.Prefix }
func (r Range) last() uint64        { return r.Prefix | ^r.mask() }
func (r Range) has(key uint64) bool { return key&r.mask() == r.Prefix }

func (r Range) valid() bool {
	return r.Bits <= maxBits && r.Bits%fanBits == 0 && r.Prefix&^r.mask() == 0
}

// part returns the i-th of the fan ranges that r consists of.
func (r Range) part(i int) Range {
	bits := r.Bits + fanBits
	return Range{r.Prefix | uint64(i)<<(64-bits), bits}
}
