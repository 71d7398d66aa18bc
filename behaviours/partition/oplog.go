package partition

import (
	"maps"
	"slices"

	"github.com/topos-go/topos/actor"
)

// limits bound an oplog.
type limits struct {
	ops, bytes int // of this node's, not stable
	keep       int // operations that stay although they are stable
	batch      int // operations in one message
	window     int // operations that are sent without having been acknowledged
	batchBytes int
	origins    int
	patience   int // for how many intervals a state may be unfit
}

// oplog holds the operations that not all known nodes have applied yet, and
// brings them to those. It is pure: it is told what happens, and returns what
// is to be done, in order.
//
// Invariants:
//  1. The operations of one origin are applied in order, each once: stream.upTo
//     goes up by one for each apply, or with a restore.
//  2. An operation leaves the log only if all known nodes have applied it, or
//     it is in the state that was restored.
//  3. Of this node's operations, no more than limits say are not stable.
type oplog struct {
	self    Origin
	limits  limits
	streams map[Origin]*stream
	peers   map[string]*peer // the known nodes, by name
	kept    int              // operations in all streams
	bytes   int
	ticks   int

	effects []effect
}

// stream is what is known of the operations of one origin: those up to base
// are not in the log any more.
type stream struct {
	base uint64
	ops  [][]byte
	ends []int // how many bytes there were up to each of ops, from the beginning
	gone int   // how many there were up to base
}

func (s *stream) upTo() uint64 { return s.base + uint64(len(s.ops)) }

// after returns the operations after the number n, or all if these are fewer.
func (s *stream) after(n uint64) [][]byte { return s.ops[min(max(n, s.base), s.upTo())-s.base:] }

// weight is how many bytes the last n operations have.
func (s *stream) weight(n int) int { return s.end(len(s.ops)) - s.end(len(s.ops)-n) }

// end is how many bytes there were up to the first n of ops.
func (s *stream) end(n int) int {
	if n == 0 {
		return s.gone
	}
	return s.ends[n-1]
}

// peer is a known node, whose acknowledgement matters.
type peer struct {
	node   actor.NodeID
	up     bool
	origin Origin // of its guard; zero if not heard of yet
	acked  map[Origin]uint64
	sent   map[Origin]uint64 // at least acked
	asked  bool              // for a state, since the last digest

	lacks   Seen // what its last state lacked
	unfit   int  // for how many intervals in a row
	unfitAt int  // the last of them
}

// effect is something an oplog wants done. The set is closed.
type effect interface{ effect() }

type (
	// post: send msg to the guard on a node.
	post struct {
		to  string
		msg any
	}
	// apply an operation of another origin.
	apply struct {
		origin Origin
		seq    uint64
		op     []byte
	}
	// restore the state from data.
	restore struct{ data []byte }
	// lend: send the state, with what is in it, to the guard on a node.
	lend struct{ to string }
	// diverge: the state of a node cannot be merged.
	diverge struct{ node string }
)

func (post) effect()    {}
func (apply) effect()   {}
func (restore) effect() {}
func (lend) effect()    {}
func (diverge) effect() {}

func newOplog(self Origin, l limits) *oplog {
	return &oplog{self: self, limits: l, streams: make(map[Origin]*stream), peers: make(map[string]*peer)}
}

func (l *oplog) emit(e effect) { l.effects = append(l.effects, e) }

// take returns the effects so far.
func (l *oplog) take() []effect {
	effects := l.effects
	l.effects = nil
	return effects
}

// stream returns that of an origin. A new one is kept only if there is room.
func (l *oplog) stream(o Origin) *stream {
	s := l.streams[o]
	if s == nil {
		s = new(stream)
		if len(l.streams) < l.limits.origins {
			l.streams[o] = s
		}
	}
	return s
}

// room reports whether an operation of this node may be taken in. If not, it
// names the nodes that must acknowledge others before.
func (l *oplog) room(size int) (missing []string, ok bool) {
	s := l.stream(l.self)
	unstable := len(s.after(l.stable(l.self)))
	if unstable < l.limits.ops && s.weight(unstable)+size <= l.limits.bytes {
		return nil, true
	}
	for _, name := range slices.Sorted(maps.Keys(l.peers)) {
		if l.peers[name].acked[l.self] < s.upTo() {
			missing = append(missing, name)
		}
	}
	return missing, false
}

// append logs an operation of this node, which it has applied, and for which
// there is room. It returns its number.
func (l *oplog) append(op []byte) (uint64, []effect) {
	s := l.stream(l.self)
	l.add(s, op)
	for _, name := range slices.Sorted(maps.Keys(l.peers)) {
		if p := l.peers[name]; p.up {
			l.supply(name, p, l.self)
		}
	}
	l.trim()
	return s.upTo(), l.take()
}

func (l *oplog) add(s *stream, op []byte) {
	s.ends = append(s.ends, s.end(len(s.ops))+len(op))
	s.ops = append(s.ops, op)
	l.kept++
	l.bytes += len(op)
}

// peerUp: a node is there. It is known from now on.
func (l *oplog) peerUp(node actor.NodeID) []effect {
	p := l.peers[node.Name]
	if p == nil || p.node != node {
		p = &peer{node: node}
		p.restart(Origin{})
		l.peers[node.Name] = p
	}
	p.up = true
	l.hope()
	l.emit(post{node.Name, l.digest(false)})
	return l.take()
}

func (p *peer) restart(o Origin) {
	p.origin, p.acked, p.sent, p.asked = o, make(map[Origin]uint64), make(map[Origin]uint64), false
}

// has: the peer has applied the operations of an origin up to a number.
func (p *peer) has(o Origin, upTo uint64) {
	p.acked[o], p.sent[o] = max(p.acked[o], upTo), max(p.sent[o], upTo)
}

// peerDown: a node cannot be reached, but may be again. What it lacks is kept.
func (l *oplog) peerDown(node actor.NodeID) {
	if p := l.peers[node.Name]; p != nil && p.node == node {
		p.up = false
		l.hope()
	}
}

// peerGone: an incarnation of a node will not come back.
func (l *oplog) peerGone(node actor.NodeID) {
	if p := l.peers[node.Name]; p != nil && p.node == node {
		delete(l.peers, node.Name)
		l.hope()
		l.trim()
	}
}

// tick: have lost messages made good.
func (l *oplog) tick() []effect {
	l.ticks++
	for _, name := range slices.Sorted(maps.Keys(l.peers)) {
		if l.peers[name].up {
			l.emit(post{name, l.digest(false)})
		}
	}
	return l.take()
}

// have is what this node has applied, sorted.
func (l *oplog) have() []Seen {
	var have []Seen
	for _, o := range l.sorted() {
		if upTo := l.streams[o].upTo(); upTo > 0 {
			have = append(have, Seen{o, upTo})
		}
	}
	return have
}

func (l *oplog) sorted() []Origin { return slices.SortedFunc(maps.Keys(l.streams), Origin.compare) }

func (l *oplog) digest(answer bool) Digest {
	return Digest{From: l.self, Have: l.have(), Answer: answer}
}

// from returns the peer that a message comes from, or nil if it is none, or
// not its newest guard.
func (l *oplog) from(o Origin) *peer {
	p := l.peers[o.Node]
	if p == nil || !o.of(p.node) {
		return nil
	}
	if p.origin != o {
		if o.Started < p.origin.Started {
			return nil
		}
		p.restart(o)
	}
	return p
}
