package swim

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/topos-go/topos/overlay"
)

// id is a member's place in the table. It is given to another one after the
// member is forgotten.
type id = int32

// nobody is no id.
const nobody id = -1

// member is one watched node: twelve bytes, in which the collector of garbage has nothing to
// look at, as a process may have thousands of cores that all watch each other.
type member struct {
	node        uint32 // its number in the pool
	place       int32  // in order, or in failed if Confirm
	incarnation uint16 // or many: see table.incarnation
	state       State  // 0 if the place is free
}

// many is an incarnation that does not fit a member, and hardly any gets that far.
const many = math.MaxUint16

// table has the members. It is made of slices: ten thousand take a third of a megabyte,
// besides the nodes. What few members
// have is in maps, which are nil if nobody has it.
type table struct {
	all    []member
	free   []id
	index  index // by node
	order  []id  // those that are probed, as they come
	next   int   // of order
	failed []id
	pool   *overlay.NodePool

	incarnations map[id]uint64     // of those that have many
	suspected    map[id]*suspicion // of those that are Suspect
}

// find returns nobody if node is not watched.
func (t *table) find(node overlay.Node) id { return t.index.find(t, node) }

// count is how many nodes are watched.
func (t *table) count() int { return t.index.count }

func (t *table) node(i id) overlay.Node { return *t.pool.At(t.all[i].node) }

func (t *table) incarnation(i id) uint64 {
	if n := t.all[i].incarnation; n < many {
		return uint64(n)
	}
	return t.incarnations[i]
}

// raise notes i's incarnation, which never becomes less.
func (t *table) raise(i id, incarnation uint64) {
	t.all[i].incarnation = uint16(min(incarnation, many))
	if incarnation >= many {
		if t.incarnations == nil {
			t.incarnations = make(map[id]uint64)
		}
		t.incarnations[i] = incarnation
	}
}

// suspicion returns nil if i is not Suspect.
func (t *table) suspicion(i id) *suspicion {
	if t.all[i].state != Suspect {
		return nil
	}
	return t.suspected[i]
}

// suspect has s make i a Suspect.
func (t *table) suspect(i id, s *suspicion) {
	if t.suspected == nil {
		t.suspected = make(map[id]*suspicion)
	}
	t.all[i].state, t.suspected[i] = Suspect, s
}

// acquit has i be no Suspect any more, but Alive.
func (t *table) acquit(i id) {
	t.all[i].state = Alive
	t.suspected = without(t.suspected, i)
}

// without returns m without i, nil if nothing is left: a map keeps what memory it had.
func without[V any](m map[id]V, i id) map[id]V {
	if delete(m, i); len(m) == 0 {
		return nil
	}
	return m
}

// add watches node, which is not watched yet.
func (t *table) add(node overlay.Node, rng *rand.Rand) id {
	var i id
	if last := len(t.free) - 1; last >= 0 {
		i, t.free = t.free[last], t.free[:last]
	} else {
		i = id(len(t.all))
		t.all = append(t.all, member{})
	}
	t.all[i] = member{node: t.pool.Keep(node), state: Alive}
	t.index.add(t, i)
	t.line(i, rng)
	return i
}

func (t *table) remove(i id) {
	if t.all[i].state == Confirm {
		t.bury(i)
	} else {
		t.unline(i)
	}
	t.index.remove(t, t.node(i))
	t.pool.Drop(t.all[i].node)
	t.incarnations = without(t.incarnations, i)
	t.all[i] = member{}
	t.free = append(t.free, i)
}

func put(list []id, all []member, at int, i id) {
	list[at] = i
	all[i].place = int32(at)
}

// line puts i at a random place of the order, as the paper has it.
func (t *table) line(i id, rng *rand.Rand) {
	t.order = append(t.order, i)
	at, last := rng.IntN(len(t.order)), len(t.order)-1
	put(t.order, t.all, last, t.order[at])
	put(t.order, t.all, at, i)
}

// unline takes i out of the order. Those that had their turn stay before next.
func (t *table) unline(i id) {
	at, last := int(t.all[i].place), len(t.order)-1
	if at < t.next {
		t.next--
		put(t.order, t.all, at, t.order[t.next])
		at = t.next
	}
	if at < last {
		put(t.order, t.all, at, t.order[last])
	}
	t.order = t.order[:last]
}

// fail moves i to the failed.
func (t *table) fail(i id) {
	t.unline(i)
	t.failed = append(t.failed, i)
	t.all[i].place = int32(len(t.failed) - 1)
}

// bury takes i out of the failed.
func (t *table) bury(i id) {
	last := len(t.failed) - 1
	put(t.failed, t.all, int(t.all[i].place), t.failed[last])
	t.failed = t.failed[:last]
}

// turn returns whose turn it is: everyone's once before anyone's again.
func (t *table) turn(rng *rand.Rand) id {
	if len(t.order) == 0 {
		return nobody
	}
	if t.next >= len(t.order) {
		t.next = 0
		rng.Shuffle(len(t.order), func(a, b int) {
			x, y := t.order[a], t.order[b]
			put(t.order, t.all, a, y)
			put(t.order, t.all, b, x)
		})
	}
	t.next++
	return t.order[t.next-1]
}

// sample draws up to n of those that are probed for whom ok holds, in no
// particular order.
func (t *table) sample(n int, rng *rand.Rand, ok func(id) bool) []id {
	var drawn []id
	draw := func(i id) {
		if ok(i) && !slices.Contains(drawn, i) {
			drawn = append(drawn, i)
		}
	}
	for range 4 * n { // enough if most are fit
		if len(t.order) == 0 || len(drawn) == n {
			return drawn
		}
		draw(t.order[rng.IntN(len(t.order))])
	}
	for i, from := 0, rng.IntN(len(t.order)); i < len(t.order) && len(drawn) < n; i++ {
		draw(t.order[(from+i)%len(t.order)])
	}
	return drawn
}
