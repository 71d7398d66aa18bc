package order

import "slices"

// Shards is how many sequences the ordered messages of a channel are divided
// into: more than there can be of lanes. They are numbered from 0. The number of
// lane i's unordered messages, which are a sequence too, is Shards+i.
const Shards = 256

// Mark is how many messages of a sequence there have been.
type Mark struct {
	Seq   uint32
	Count uint64
}

// Table is what the sending side of a channel knows of its sequences: where they
// stand and how far they have come. The zero Table has sent nothing.
//
// Invariants:
//  1. The messages of a shard are on one lane until all of them are sure to have
//     been delivered, or the first one on another lane says how many came before.
//  2. What the messages of a shard on its lane wait for, and may not have been
//     delivered, is in behind.
type Table struct {
	shards *[Shards]place
	loose  []place
}

// place is where a sequence of messages stands.
type place struct {
	lane   Lane
	count  uint64 // how many messages there have been
	mark   uint64 // the lane's count of frames after the last of them
	aside  bool   // some that may be under way were sent with a key, or to a name
	behind []Standing
}

// at returns the place of a sequence, making it if need be.
func (t *Table) at(seq uint32) *place {
	if seq < Shards {
		if t.shards == nil {
			t.shards = new([Shards]place)
		}
		return &t.shards[seq]
	}
	for seq-Shards >= uint32(len(t.loose)) {
		t.loose = append(t.loose, place{})
	}
	return &t.loose[seq-Shards]
}

// Next says that the next message of a sequence goes over lane. If must, then
// after has to be a condition for it. aside says that the message is in another
// shard than what else its sender sends to its receiver, and behind what it waits
// for besides, by a condition that the caller adds. [Table.Pushed] is to follow.
func (t *Table) Next(seq uint32, lane Lane, aside bool, behind []Standing) (after Mark, must bool) {
	p := t.at(seq)
	settled := p.settled()
	if p.lane != lane {
		if !settled {
			after, must = Mark{seq, p.count}, true
			p.wait(p.standing())
		}
		p.lane = lane
	}
	p.wait(behind...)
	p.aside = aside || p.aside && !settled
	p.count++
	return after, must
}

// Follow is Next of a message in an ordinary case: it goes where the sequence
// stands, and neither it nor those before it are aside or wait for anything. If
// that is not so, it reports false, and Next is to be asked. The message itself must
// neither be aside nor wait for anything.
func (t *Table) Follow(seq uint32, lane Lane) bool {
	p := t.at(seq)
	if p.lane != lane || p.aside || len(p.behind) > 0 {
		return false
	}
	p.count++
	return true
}

// Pushed says that the frame of the message that Next was asked for has been
// counted by its lane.
func (t *Table) Pushed(seq uint32) {
	p := t.at(seq)
	p.mark = p.lane.Pushed()
}

// settled reports whether everything in p is sure to have been delivered.
func (p *place) settled() bool {
	if len(p.behind) > 0 {
		p.behind = slices.DeleteFunc(p.behind, Standing.Reached)
	}
	return len(p.behind) == 0 && p.standing().Reached()
}

// standing returns how far p's lane has to be confirmed.
func (p *place) standing() Standing { return Standing{p.lane, p.mark} }

// wait adds what p's messages wait for: of each lane, the furthest.
func (p *place) wait(on ...Standing) {
next:
	for _, s := range on {
		for i := range p.behind {
			if p.behind[i].lane == s.lane {
				p.behind[i].mark = max(p.behind[i].mark, s.mark)
				continue next
			}
		}
		p.behind = append(p.behind, s)
	}
}

// Outstanding calls f, in order, for the sequences that may have messages of one
// pair of processes under way, whose own shard is given: that shard, those that
// were used aside, and the unordered ones. behind is what a message waits for that
// is to come after them, and must not be kept.
func (t *Table) Outstanding(shard uint32, f func(m Mark, behind []Standing)) {
	visit := func(p *place, seq uint32) {
		if !p.settled() {
			f(Mark{seq, p.count}, append(p.behind, p.standing()))
		}
	}
	if t.shards != nil {
		for seq := range t.shards {
			if p := &t.shards[seq]; p.aside || uint32(seq) == shard {
				visit(p, uint32(seq))
			}
		}
	}
	for i := range t.loose {
		visit(&t.loose[i], uint32(Shards+i))
	}
}
