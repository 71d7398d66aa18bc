package swim

import (
	"hash/maphash"

	"github.com/topos-go/topos/overlay"
)

const (
	// idBits are enough for the ids of as many members as Config.MaxMembers can be.
	idBits = 24
	// A slot is empty, or has an id and, above it, some bits of its hash, which are
	// not all 0. They spare a look at most members that are not the one.
	empty, idMask = 0, 1<<idBits - 1
)

// index finds members by their nodes, with open addressing and linear probing: a
// search goes from where the hash of the node's name has it to the next empty slot.
// The nodes themselves are in the table, which each method is given. Nothing
// but the time of a search depends on where in the index a member is.
type index struct {
	seed  maphash.Seed // so that nobody else can make searches long
	slots []uint32     // none, or a power of two
	count int
}

func (x *index) hash(name string) uint64 { return maphash.String(x.seed, name) }

// home returns where a search for a name begins.
func (x *index) home(h uint64) int { return int(h) & (len(x.slots) - 1) }

func (x *index) after(at int) int { return (at + 1) & (len(x.slots) - 1) }

// mark returns what a slot has of a hash: the upper bits, as the lower ones are the
// place.
func mark(h uint64) uint32 { return max(uint32(h>>(32+idBits)), 1) << idBits }

// at returns the slot of node, and false if it has none.
func (x *index) at(t *table, node overlay.Node) (int, bool) {
	if x.count == 0 {
		return 0, false
	}
	h := x.hash(node.Name)
	m := mark(h)
	at := x.home(h)
	for ; x.slots[at] != empty; at = x.after(at) {
		if s := x.slots[at]; s&^idMask == m && t.node(id(s&idMask)) == node {
			return at, true
		}
	}
	return 0, false
}

// find returns nobody if node is not in the index.
func (x *index) find(t *table, node overlay.Node) id {
	if at, ok := x.at(t, node); ok {
		return id(x.slots[at] & idMask)
	}
	return nobody
}

// add takes i in, which is not in the index yet.
func (x *index) add(t *table, i id) {
	if x.count++; 5*x.count > 4*len(x.slots) { // else searches become long
		old := x.slots
		if old == nil {
			x.seed = maphash.MakeSeed()
		}
		x.slots = make([]uint32, max(8, 2*len(old)))
		for _, s := range old {
			if s != empty {
				x.put(t, id(s&idMask))
			}
		}
	}
	x.put(t, i)
}

func (x *index) put(t *table, i id) {
	h := x.hash(t.node(i).Name)
	at := x.home(h)
	for x.slots[at] != empty {
		at = x.after(at)
	}
	x.slots[at] = mark(h) | uint32(i)
}

// remove takes node out, which is in the index and still in all. Those behind it move
// up that would not be found beyond an empty slot.
func (x *index) remove(t *table, node overlay.Node) {
	hole, _ := x.at(t, node)
	for at := x.after(hole); x.slots[at] != empty; at = x.after(at) {
		s := x.slots[at]
		home := x.home(x.hash(t.node(id(s & idMask)).Name))
		if mask := len(x.slots) - 1; (at-home)&mask >= (at-hole)&mask {
			x.slots[hole], hole = s, at
		}
	}
	x.slots[hole] = empty
	x.count--
}
