package swim

import (
	"github.com/topos-go/topos/internal/hash"
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
// The nodes themselves are in the table, which each method is given as all. Nothing
// but the time of a search depends on where in the index a member is: names that are
// chosen for it make searches long, and not wrong.
type index struct {
	slots []uint32 // none, or a power of two
	count int
}

// home returns where a search for a name begins.
func (x *index) home(h uint64) int { return int(h) & (len(x.slots) - 1) }

func (x *index) after(at int) int { return (at + 1) & (len(x.slots) - 1) }

// mark returns what a slot has of a hash: the upper bits, as the lower ones are the
// place.
func mark(h uint64) uint32 { return max(uint32(h>>(32+idBits)), 1) << idBits }

// at returns the slot of node, and false if it has none.
func (x *index) at(all []member, node overlay.Node) (int, bool) {
	if x.count == 0 {
		return 0, false
	}
	h := hash.Of(node.Name)
	m := mark(h)
	at := x.home(h)
	for ; x.slots[at] != empty; at = x.after(at) {
		if s := x.slots[at]; s&^idMask == m && *all[s&idMask].node == node {
			return at, true
		}
	}
	return 0, false
}

// find returns nobody if node is not in the index.
func (x *index) find(all []member, node overlay.Node) id {
	if at, ok := x.at(all, node); ok {
		return id(x.slots[at] & idMask)
	}
	return nobody
}

// add takes i in, which is not in the index yet.
func (x *index) add(all []member, i id) {
	if x.count++; 5*x.count > 4*len(x.slots) { // else searches become long
		old := x.slots
		x.slots = make([]uint32, max(8, 2*len(old)))
		for _, s := range old {
			if s != empty {
				x.put(all, id(s&idMask))
			}
		}
	}
	x.put(all, i)
}

func (x *index) put(all []member, i id) {
	h := hash.Of(all[i].node.Name)
	at := x.home(h)
	for x.slots[at] != empty {
		at = x.after(at)
	}
	x.slots[at] = mark(h) | uint32(i)
}

// remove takes node out, which is in the index and still in all. Those behind it move
// up that would not be found beyond an empty slot.
func (x *index) remove(all []member, node overlay.Node) {
	hole, _ := x.at(all, node)
	for at := x.after(hole); x.slots[at] != empty; at = x.after(at) {
		s := x.slots[at]
		home := x.home(hash.Of(all[s&idMask].node.Name))
		if mask := len(x.slots) - 1; (at-home)&mask >= (at-hole)&mask {
			x.slots[hole], hole = s, at
		}
	}
	x.slots[hole] = empty
	x.count--
}
