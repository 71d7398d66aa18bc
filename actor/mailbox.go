package actor

// mailbox is the queue between senders and the receiver: under process.mu a
// sender appends to it, and the receiver takes everything at once.
//
// The first messages lie in the process itself, further ones in chunks from a
// pool of the system, so that an idle process owns no buffer and a burst
// leaves nothing behind. Moving a whole chunk list at once measured as fast as
// swapping two slices, without their copying and keeping.
type mailbox struct {
	phase   phase  // whether the receiver is awake; of the whole process
	bounded bool   // messages lie in annex.bound instead
	inlined uint8  // used entries of inline, which is used only if head is nil
	count   uint32 // messages in inline and chunks
	inline  [inlineMessages]any
	head    *chunk
	tail    *chunk
}

const (
	inlineMessages = 2
	chunkMessages  = 62 // a chunk is 1,024 bytes, the allocator's header included
	// takeChunks bounds what the receiver takes at once, so that the length of
	// the mailbox tells the truth to within a thousand messages.
	takeChunks = 16
)

// chunk is a link of a queue of messages.
type chunk struct {
	next *chunk
	n    int
	msgs [chunkMessages]any
}

func (b *mailbox) push(msg any, sys *System) {
	b.count++
	if b.head == nil {
		if b.inlined < inlineMessages {
			b.inline[b.inlined] = msg
			b.inlined++
			return
		}
		b.head = sys.newChunk()
		b.tail = b.head
	} else if b.tail.n == chunkMessages {
		b.tail.next = sys.newChunk()
		b.tail = b.tail.next
	}
	b.tail.msgs[b.tail.n] = msg
	b.tail.n++
}

// hand is what the receiver has taken and not yet handled.
type hand struct {
	first  [inlineMessages]any
	firstN uint8
	firstI uint8
	chunkI uint16
	idle   bool // there is a receive timeout to keep off
	chunk  *chunk
}

// take moves the oldest messages from b into h, which must be empty. It
// reports whether there were any.
func (b *mailbox) take(h *hand) bool {
	if b.count == 0 {
		return false
	}
	if h.firstN = b.inlined; h.firstN > 0 {
		h.first = b.inline
		b.inline = [inlineMessages]any{}
		b.count -= uint32(b.inlined)
		b.inlined = 0
	}
	h.firstI = 0
	h.chunk, h.chunkI = b.head, 0
	last := b.head
	for i := 1; last != nil; i++ {
		b.count -= uint32(last.n)
		if i == takeChunks {
			break
		}
		last = last.next
	}
	if last == nil {
		b.head, b.tail = nil, nil
		return true
	}
	if b.head = last.next; b.head == nil {
		b.tail = nil
	}
	last.next = nil
	return true
}

// next returns the next message in h. Handled messages are let go of.
func (h *hand) next(sys *System) (any, bool) {
	if h.firstI < h.firstN {
		msg := h.first[h.firstI]
		h.first[h.firstI] = nil
		h.firstI++
		return msg, true
	}
	c := h.chunk
	if c == nil {
		return nil, false
	}
	msg := c.msgs[h.chunkI]
	c.msgs[h.chunkI] = nil
	h.chunkI++
	if int(h.chunkI) == c.n {
		h.chunk, h.chunkI = c.next, 0
		c.next, c.n = nil, 0
		sys.chunks.Put(c)
	}
	return msg, true
}

func (s *System) newChunk() *chunk { return s.chunks.Get().(*chunk) }
