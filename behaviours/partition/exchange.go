package partition

import (
	"maps"
	"slices"
)

// gotDigest: a guard has told what it has applied.
func (l *oplog) gotDigest(m Digest) []effect {
	known := l.peers[m.From.Node]
	stranger := known != nil && known.origin != m.From
	p := l.from(m.From)
	if p == nil {
		return nil
	}
	more := false
	for _, seen := range m.Have {
		s := l.streams[seen.Origin]
		if s == nil || s.upTo() < seen.UpTo {
			more = true
		}
		if s != nil {
			p.has(seen.Origin, seen.UpTo)
		}
	}
	if m.Part {
		for _, seen := range m.Have {
			l.supply(m.From.Node, p, seen.Origin)
		}
	} else {
		p.asked = false
		p.sent = maps.Clone(p.acked) // what was sent otherwise is lost, as far as is known
		for _, o := range l.sorted() {
			l.supply(m.From.Node, p, o)
		}
		// A guard that was not known may not know this one: what this one said before
		// it had started was lost.
		if (more || stranger) && !m.Answer {
			l.emit(post{m.From.Node, l.digest(true)})
		}
	}
	l.trim()
	return l.take()
}

// supply sends a peer what it lacks of an origin, as far as the window goes.
func (l *oplog) supply(name string, p *peer, o Origin) {
	s := l.streams[o]
	if s == nil || p.origin == (Origin{}) || p.asked {
		return
	}
	if p.acked[o] < s.base {
		p.asked = true
		l.emit(lend{name})
		return
	}
	for sent := max(p.sent[o], p.acked[o]); sent < s.upTo() && sent-p.acked[o] < uint64(l.limits.window); sent = p.sent[o] {
		ops, bytes := s.after(sent), 0
		n := 0
		for n < len(ops) && n < l.limits.batch && (n == 0 || bytes+len(ops[n]) <= l.limits.batchBytes) {
			bytes += len(ops[n])
			n++
		}
		p.sent[o] = sent + uint64(n)
		l.emit(post{name, Entries{From: l.self, Of: o, First: sent + 1, Ops: slices.Clone(ops[:n])}})
	}
}

// gotEntries: operations have come. What is known already is passed over, what
// comes after a gap is not taken.
func (l *oplog) gotEntries(m Entries) []effect {
	if m.Of == l.self || m.First == 0 {
		return nil
	}
	s := l.stream(m.Of)
	if upTo := s.upTo(); m.First <= upTo+1 {
		// Nobody keeps more than this for one origin, which stops before that.
		room := 2*l.limits.ops - len(s.after(l.stable(m.Of)))
		for i, op := range m.Ops {
			seq := m.First + uint64(i)
			if seq <= upTo {
				continue
			}
			if room--; room < 0 || l.streams[m.Of] != s {
				break
			}
			l.add(s, op)
			l.emit(apply{m.Of, seq, op})
		}
	}
	if p := l.from(m.From); p != nil && l.streams[m.Of] == s { // who sends it has it
		p.has(m.Of, m.First+uint64(len(m.Ops))-1)
	}
	l.emit(post{m.From.Node, Digest{From: l.self, Have: []Seen{{m.Of, s.upTo()}}, Part: true, Answer: true}})
	l.trim()
	return l.take()
}

// gotState: another guard has sent all that it has, since this one lacks
// what is not in its log any more. This node's operations, and others that the
// state lacks, are applied to it again.
func (l *oplog) gotState(m State) []effect {
	theirs := make(map[Origin]uint64, len(m.Have))
	useful := false
	for _, seen := range m.Have {
		theirs[seen.Origin] = seen.UpTo
		if l.stream(seen.Origin).upTo() < seen.UpTo { // which is one of l.streams from now on
			useful = true
		}
	}
	if p := l.from(m.From); p != nil {
		for o, upTo := range theirs {
			if l.streams[o] != nil {
				p.has(o, upTo)
			}
		}
	}
	if !useful || len(l.streams) >= l.limits.origins {
		return l.take()
	}
	for _, o := range l.sorted() {
		if s := l.streams[o]; s.base > theirs[o] {
			l.unfit(m.From, Seen{o, theirs[o]})
			return l.take()
		}
	}
	l.emit(restore{m.Data})
	for _, o := range l.sorted() {
		s, upTo := l.streams[o], theirs[o]
		if s.upTo() < upTo {
			l.drop(s, len(s.ops))
			s.base = upTo
			continue
		}
		for i, op := range s.after(upTo) {
			l.emit(apply{o, upTo + uint64(i) + 1, op})
		}
	}
	l.emit(post{m.From.Node, l.digest(true)})
	l.trim()
	return l.take()
}

// unfit: the state of another guard lacks operations that are not in this log
// any more. It usually gets them from someone else meanwhile, or this guard
// what it wanted the state for. If it never does, although all are there,
// nobody has both.
func (l *oplog) unfit(from Origin, lacks Seen) {
	p := l.from(from)
	switch {
	case p == nil:
	case p.lacks != lacks:
		p.lacks, p.unfit, p.unfitAt = lacks, 1, l.ticks
	case p.unfit < l.limits.patience && p.unfitAt != l.ticks:
		p.unfitAt = l.ticks
		if p.unfit++; p.unfit == l.limits.patience && !l.anyDown() {
			l.emit(diverge{from.Node})
		}
	}
}

func (l *oplog) anyDown() bool {
	for _, p := range l.peers {
		if !p.up {
			return true
		}
	}
	return false
}

// hope: who is there has changed, and so may what can be merged.
func (l *oplog) hope() {
	for _, p := range l.peers {
		p.unfit = 0
	}
}

// stable is up to which number all known nodes have applied the operations of
// an origin.
func (l *oplog) stable(o Origin) uint64 {
	least := l.stream(o).upTo()
	for _, p := range l.peers {
		least = min(least, p.acked[o])
	}
	return least
}

// trim lets go of stable operations, but for as many as are to be kept for
// nodes that come. One that knows nobody keeps what it can: others may have
// been writing all the time.
func (l *oplog) trim() {
	keep := l.limits.keep
	if len(l.peers) == 0 {
		keep = max(keep, l.limits.ops)
	}
	if l.kept <= keep && l.bytes <= l.limits.bytes {
		return
	}
	var done []Origin // with operations that may go
	for o, s := range l.streams {
		if len(s.ops) > 0 && l.stable(o) > s.base {
			done = append(done, o)
		}
	}
	slices.SortFunc(done, Origin.compare)
	for _, o := range done {
		s := l.streams[o]
		n := int(l.stable(o) - s.base)
		if l.bytes <= l.limits.bytes {
			n = min(n, l.kept-keep)
		}
		if n > 0 {
			l.drop(s, n)
		}
	}
}

// drop lets go of the first n operations of a stream.
func (l *oplog) drop(s *stream, n int) {
	l.kept -= n
	l.bytes -= s.end(n) - s.gone
	s.gone = s.end(n)
	clear(s.ops[:n])
	s.ops, s.ends = s.ops[n:], s.ends[n:]
	s.base += uint64(n)
}
