package remote

import (
	"hash/fnv"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/order"
	"github.com/topos-go/topos/remote/wire"
)

// shards is how many sequences the messages of a channel are divided into. What
// is in order of a sender, a receiver and a key is in one of them.
const shards = order.Shards

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

// placeLocked returns the lane for m, the sequence that it is in, and what has to
// be delivered before if that is not obvious from the lane. It returns nil if the
// peer is retired.
func (s *stream) placeLocked(m *outgoing) (l *lane, seq uint32, after []*wire.Mark) {
	index, seq := 0, m.shard
	if m.shard >= shards {
		index = s.leastLocked()
		seq = shards + uint32(index)
	} else if s.active > 1 {
		index = order.Home(m.shard, s.active)
	}
	if l = s.laneLocked(index); l == nil {
		return nil, 0, nil
	}
	mark, must := s.table.Next(seq, l, m.aside, m.behind)
	if must {
		after = []*wire.Mark{s.markOf(mark)}
		s.peer.node.stats.moved.Add(1)
	}
	return l, seq, after
}

// maxMarks is how many marks one After frame has: as many as fit with the longest
// names of channels.
const maxMarks = 1024

func (s *stream) markOf(m order.Mark) *wire.Mark {
	return &wire.Mark{Channel: s.ch.Name, Shard: m.Seq, Seq: m.Count}
}

// leastLocked returns the active lane with the least to do.
func (s *stream) leastLocked() int {
	best, least := 0, -1
	for i := range s.active {
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

// trail lets m, an exit or down signal, come after its pair's last messages on
// every channel. Its own shard keeps its order by itself.
func (p *peer) trail(m *outgoing, sig *actor.Signal) {
	pair := shardOfPair(sig.From, sig.To)
	for _, s := range *p.streams.Load() {
		if s.kind != streamData {
			continue
		}
		s.mu.Lock()
		if s.stage != nil {
			for range s.stage.until(sig.From, sig.To) { // they have no place in the table yet
				s.unstageLocked()
			}
		}
		s.table.Outstanding(pair, func(mark order.Mark, behind []order.Standing) {
			if s != p.data || mark.Seq != m.shard {
				m.after = append(m.after, s.markOf(mark))
				m.behind = append(m.behind, behind...)
			}
		})
		s.mu.Unlock()
	}
}
