package actor

// DefaultStashLimit bounds a process's stash. A stash is for the messages of a
// short transition; one that grows beyond this is a leak.
const DefaultStashLimit = 1 << 16

// stash holds messages put aside, in the order in which they were.
type stash struct {
	entries []stashed
	limit   int // 0: DefaultStashLimit
}

type stashed struct {
	msg any // what goes back into the queue: a message, or a letter around it
}

// stashMessage puts msg, the message in hand, aside.
func (p *process) stashMessage(msg any) error {
	s := &p.ensureAnnex().stash
	limit := s.limit
	if limit == 0 {
		limit = DefaultStashLimit
	}
	if len(s.entries) >= limit {
		return ErrStashFull
	}
	if p.current.waiting() {
		msg = &letter{kind: letterCall, call: p.current, msg: msg}
		p.keepCall() // so that it is not answered with ErrNoReply
	} else if trace := p.annex.Load().trace; trace != nil {
		msg = &letter{kind: letterEnvelope, msg: msg, trace: trace}
	}
	s.entries = append(s.entries, stashed{msg})
	p.self().Retain()
	return nil
}

// unstashAll puts the stash before everything that waits, oldest first.
func (p *process) unstashAll() int {
	a := p.annex.Load()
	if a == nil || len(a.stash.entries) == 0 {
		return 0
	}
	entries := a.stash.entries
	a.stash.entries = nil
	list := chunkList{sys: p.sys}
	for _, e := range entries {
		list.add(e.msg)
	}
	h := &p.hand
	for h.firstI < h.firstN {
		list.add(h.first[h.firstI])
		h.first[h.firstI] = nil
		h.firstI++
	}
	// What is left of the chunk in hand is copied, the rest is hung on.
	if c := h.chunk; c != nil {
		rest := c.next
		for h.chunk == c {
			msg, _ := h.next(p.sys)
			list.add(msg)
		}
		list.tail.next = rest
	}
	h.chunk, h.chunkI = list.head, 0
	return len(entries)
}

// chunkList is a queue of messages under construction.
type chunkList struct {
	sys        *System
	head, tail *chunk
}

func (l *chunkList) add(msg any) {
	if l.tail == nil {
		l.head = l.sys.newChunk()
		l.tail = l.head
	} else if l.tail.n == chunkMessages {
		l.tail.next = l.sys.newChunk()
		l.tail = l.tail.next
	}
	l.tail.msgs[l.tail.n] = msg
	l.tail.n++
}
