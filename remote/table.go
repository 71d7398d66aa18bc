package remote

import (
	"hash/fnv"
	"slices"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/wire"
)

// shards is how many sequences the messages of a channel are divided into. What
// is in order of a sender, a receiver and a key is in one of them; there are
// more of these than there can be of lanes.
const shards = 256

// shardOf returns the shard of a signal: of its sender and receiver, and of its
// key if it has one. Replies go with what their sender sends to the caller.
func shardOf(sig *actor.Signal) uint32 {
	h := hashPair(sig.From, sig.To)
	if sig.Via.Key != "" || sig.Name.Name != "" {
		f := fnv.New64a()
		_, _ = f.Write([]byte(sig.Via.Key))
		_, _ = f.Write([]byte{0})
		_, _ = f.Write([]byte(sig.Name.Name))
		h ^= f.Sum64()
	}
	return shardOfHash(h)
}

// shardOfPair returns the shard of what has no key and does not go to a name.
func shardOfPair(from, to actor.PID) uint32 { return shardOfHash(hashPair(from, to)) }

func hashPair(from, to actor.PID) uint64 {
	return from.ID()*0x9e3779b97f4a7c15 ^ to.ID()*0xc2b2ae3d27d4eb4f
}

func shardOfHash(h uint64) uint32 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return uint32(h >> 56)
}

// aside reports whether a signal is in another shard than what else its sender
// sends to its receiver.
func aside(sig *actor.Signal) bool { return sig.Via.Key != "" || sig.Name.Name != "" }

// laneOf returns the lane that a shard belongs to when there are n: the jump
// consistent hash of Lamping and Veach, so that of n+1 lanes the new one takes
// its share from all others and nothing else moves.
func laneOf(shard uint32, n int) int {
	key := (uint64(shard) + 1) * 0x9e3779b97f4a7c15
	lane, next := 0, 0
	for next < n {
		lane = next
		key = key*2862933555777941757 + 1
		next = int(float64(lane+1) * (float64(1<<31) / float64((key>>33)+1)))
	}
	return lane
}

// table is the sending side's knowledge of a stream's shards: where they live
// and how far they have come. It is pure; the stream's lock guards it.
//
// Invariants:
//  1. The messages of a shard are on one lane until all of them are sure to have
//     been delivered, or the first one on another lane says how many came
//     before.
//  2. Lanes beyond active get no messages.
type table struct {
	active int // how many lanes are used
	byNo   *[shards]place
	loose  []place // unordered messages, by lane
}

// place is where a sequence of messages stands.
type place struct {
	lane  int
	seq   uint64 // how many there have been
	mark  uint64 // the lane's count of frames after the last of them
	aside bool   // some were sent with a key, or to a name
	// behind is what those on the lane wait for at their receiver: that they
	// have come there is not enough then.
	behind []standing
}

// standing is how far a lane has to be confirmed for something to have come.
type standing struct {
	lane *lane
	mark uint64
}

func (s standing) confirmed() bool { return s.lane.quiet.Load() >= s.mark }

// wait adds what p's messages wait for: only the furthest of each lane counts.
func (p *place) wait(on ...standing) {
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

func (t *table) init(ch *Channel) { t.active = ch.MinLanes }

// settledLocked reports whether everything in p is sure to have been delivered:
// it has been confirmed, and so has what it waited for.
func (s *stream) settledLocked(p *place) bool {
	if len(p.behind) > 0 {
		p.behind = slices.DeleteFunc(p.behind, standing.confirmed)
	}
	return len(p.behind) == 0 && s.standing(p).confirmed()
}

// standing returns how far p's lane has to be confirmed.
func (s *stream) standing(p *place) standing {
	if p.seq == 0 || p.lane >= len(s.lanes) || s.lanes[p.lane] == nil {
		return standing{lane: s.peer.membership} // nothing: 0 frames of any lane
	}
	return standing{s.lanes[p.lane], p.mark}
}

// placeLocked returns the lane for the next message of a shard, and what has to
// be delivered before if that is not obvious from the lane.
func (s *stream) placeLocked(m *outgoing) (l *lane, after []*wire.Mark) {
	t := &s.table
	if m.shard >= shards {
		index := s.leastLocked()
		for index >= len(t.loose) {
			t.loose = append(t.loose, place{lane: len(t.loose)})
		}
		if l = s.laneLocked(index); l != nil {
			t.loose[index].seq++
		}
		return l, nil
	}
	if t.byNo == nil {
		t.byNo = new([shards]place)
	}
	p := &t.byNo[m.shard]
	index := 0
	if t.active > 1 || p.lane > 0 {
		index = laneOf(m.shard, t.active)
	}
	if l = s.laneLocked(index); l == nil {
		return nil, nil
	}
	settled := s.settledLocked(p)
	if index != p.lane {
		if !settled {
			after = []*wire.Mark{{Channel: s.ch.Name, Shard: m.shard, Seq: p.seq}}
			p.wait(s.standing(p))
			s.peer.node.stats.moved.Add(1)
		}
		p.lane = index
	}
	p.wait(m.behind...)
	p.aside = m.aside || p.aside && !settled
	p.seq++
	return l, after
}

// placedLocked notes that the message has been queued for which placeLocked has
// found l.
func (s *stream) placedLocked(m *outgoing, l *lane) {
	if m.shard >= shards {
		s.table.loose[l.index].mark = l.pushed
	} else {
		s.table.byNo[m.shard].mark = l.pushed
	}
}

// leastLocked returns the active lane with the least to do.
func (s *stream) leastLocked() int {
	best, least := 0, -1
	for i := range s.table.active {
		size := 0
		if i < len(s.lanes) && s.lanes[i] != nil {
			size = s.lanes[i].out.size()
		}
		if least < 0 || size < least {
			best, least = i, size
		}
	}
	return best
}

// outstanding adds to m where the sequences stand that may have messages of one
// pair of processes under way, whose own shard is given: that shard, those used
// with keys or names, and the unordered ones. Not m's own, which keeps its order
// by itself.
func (s *stream) outstanding(m *outgoing, shard uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.table
	add := func(p *place, no uint32) {
		if s.settledLocked(p) || s == s.peer.data && no == m.shard {
			return
		}
		m.after = append(m.after, &wire.Mark{Channel: s.ch.Name, Shard: no, Seq: p.seq})
		m.behind = append(append(m.behind, s.standing(p)), p.behind...)
	}
	if t.byNo != nil {
		for no := range t.byNo {
			if p := &t.byNo[no]; p.aside || uint32(no) == shard {
				add(p, uint32(no))
			}
		}
	}
	for i := range t.loose {
		add(&t.loose[i], uint32(shards+i))
	}
}

// trail lets m, an exit or down signal, come after its pair's last messages on
// every channel.
func (p *peer) trail(m *outgoing, sig *actor.Signal) {
	pair := shardOfPair(sig.From, sig.To)
	for _, s := range *p.streams.Load() {
		if s.kind == streamData {
			s.outstanding(m, pair)
		}
	}
}
