package remote

import (
	"fmt"

	"github.com/topos-go/topos/remote/wire"
)

// outbox is what one lane has to send, in its queue, and what it has sent
// without a confirmation yet, in its log: a numbered sequence of frames. It is
// pure; the stream's lock guards it.
//
// When a lane is connected anew, the other side says how many frames it has
// received, and the outbox goes back to the one after that. So nothing is lost
// or doubled as long as both nodes live, and the number of frames that were not
// confirmed is known when one does not.
//
// Invariants:
//  1. acked < written <= taken <= next.
//  2. The segments hold the frames acked+1 … next-1 and perhaps earlier ones,
//     in order and each whole.
//  3. What lies before the cursor has been taken, what lies behind it has not.
//  4. logged is the sum of the segments' sizes, large that of those with payloads,
//     way that of those of which the last frame is after come.
//  5. The memory of a segment is not reused before all its frames have been
//     both written and confirmed: until then a writer may be reading it.
type outbox struct {
	queue  queue
	window int // how much may be on its way before large payloads have to wait; 0 for any

	segs   []*segment
	logged int
	large  int // of logged, what has a payload of its own
	way    int // of logged, what is in segs[seen:]: it has not wholly come
	seen   int

	seg, off int // the cursor: segment and offset

	next    uint64 // the number the next frame gets that is begun; the first is 1
	taken   uint64 // the first frame that has not wholly been taken
	written uint64 // the first frame that has not wholly been written
	acked   uint64 // the last frame confirmed, of those written
	claimed uint64 // the last frame confirmed, of those taken
	come    uint64 // the last frame that the other side has, confirmed or not
}

// init makes o empty. limit is what the other side lets a lane have open of
// frames that come in parts.
func (o *outbox) init(limit int) {
	*o = outbox{next: 1, taken: 1, written: 1, queue: queue{limit: limit}}
}

// unconfirmed returns how many frames have not been confirmed, or not even
// been begun.
func (o *outbox) unconfirmed() uint64 { return o.next - 1 - o.acked + uint64(o.queue.frames) }

// size returns how many bytes have not been confirmed, begun or not.
func (o *outbox) size() int { return o.logged + o.queue.bytes }

// bulk returns how much of size is of large messages.
func (o *outbox) bulk() int { return o.large + o.queue.large }

// behind reports whether the cursor stands before something that has been
// begun.
func (o *outbox) behind() bool {
	return o.seg+1 < len(o.segs) || o.seg < len(o.segs) && o.off < o.segs[o.seg].size()
}

// unsent reports whether there is something to take.
func (o *outbox) unsent() bool { return o.behind() || !o.queue.empty() }

// full reports whether large payloads have to wait for confirmations.
func (o *outbox) full() bool { return o.window > 0 && o.way >= o.window }

// held reports whether there are large payloads that do.
func (o *outbox) held() bool { return o.full() && o.queue.large > 0 }

// push appends a frame of a shard; see queue.push.
func (o *outbox) push(shard uint32, frame, payload []byte) { o.queue.push(shard, frame, payload) }

// begin appends what is to be sent next to the log.
func (o *outbox) begin() bool {
	s := o.queue.next(!o.full())
	if s == nil {
		return false
	}
	s.base = o.next
	o.next += uint64(s.frames)
	o.logged += s.size()
	o.way += s.size()
	if s.payload != nil {
		o.large += s.size()
	}
	o.segs = append(o.segs, s)
	return true
}

// take appends about limit bytes of what is to be sent next to bufs, cutting
// large payloads only. The slices must not be changed; they are valid until
// wrote or rewind is called.
func (o *outbox) take(bufs [][]byte, limit int) [][]byte {
	for limit > 0 && (o.behind() || o.begin()) {
		s := o.segs[o.seg]
		if o.off == s.size() {
			o.seg, o.off = o.seg+1, 0
			continue
		}
		var piece []byte
		if o.off < len(s.data) {
			piece = s.data[o.off:]
		} else {
			piece = s.payload[o.off-len(s.data):]
			piece = piece[:min(len(piece), limit)]
		}
		bufs = append(bufs, piece)
		o.off += len(piece)
		limit -= len(piece)
	}
	if o.seg < len(o.segs) {
		s := o.segs[o.seg]
		o.taken = s.base + uint64(s.within(o.off))
	}
	return bufs
}

// cut reports whether the cursor is inside a frame.
func (o *outbox) cut() bool {
	return o.seg < len(o.segs) && o.segs[o.seg].payload != nil && o.off > 0 && o.off < o.segs[o.seg].size()
}

// within returns how many frames end within the first off bytes of s.
func (s *segment) within(off int) int {
	if off == s.size() {
		return s.frames
	}
	if s.payload != nil {
		return 0
	}
	n := 0
	for end := frameSize(s.data); end <= off; end += frameSize(s.data[end:]) {
		n++
	}
	return n
}

// frameSize returns the size of the frame, made by this package, that b begins
// with.
func frameSize(b []byte) int {
	h, err := wire.ParseHeader(b, wire.Limits{Head: wire.MaxHead, Payload: maxMessageLimit, Last: 255})
	if err != nil {
		panic(fmt.Sprintf("remote: malformed frame in an outbox: %v", err))
	}
	return h.Size()
}

// wrote says that everything taken has been written.
func (o *outbox) wrote() {
	o.written = o.taken
	o.confirm()
}

// ack says that the other side confirms the frames up to number n, and has those
// up to number come. It reports false if so many were never sent.
func (o *outbox) ack(n, come uint64) bool {
	if n >= o.taken || come >= o.taken {
		return false
	}
	o.claimed = max(o.claimed, n)
	o.come = max(o.come, n, come)
	for o.seen < len(o.segs) && o.segs[o.seen].last() <= o.come {
		o.way -= o.segs[o.seen].size()
		o.seen++
	}
	o.confirm()
	return true
}

// confirm gives up the segments whose frames have been written and confirmed.
func (o *outbox) confirm() {
	o.acked = max(o.acked, min(o.claimed, o.written-1))
	done := 0
	for done < len(o.segs) && o.segs[done].last() <= o.acked {
		o.logged -= o.segs[done].size()
		if o.segs[done].payload != nil {
			o.large -= o.segs[done].size()
		}
		o.queue.memory.recycle(o.segs[done])
		done++
	}
	if done == 0 {
		return
	}
	if done == len(o.segs) {
		clear(o.segs)
		o.segs, o.seg, o.off, o.seen = o.segs[:0], 0, 0, 0
		return
	}
	left := copy(o.segs, o.segs[done:])
	clear(o.segs[left:])
	o.segs = o.segs[:left]
	o.seen -= done
	if o.seg -= done; o.seg < 0 {
		o.seg, o.off = 0, 0 // it stood at the end of the last one given up
	}
}

// rewind goes back to the frame after number n, the last that the other side
// has received. It reports false if that cannot be.
func (o *outbox) rewind(n uint64) bool {
	if n < o.acked || n >= o.taken {
		return false
	}
	o.seg, o.off = 0, 0
	for i, s := range o.segs {
		if o.seg, o.off = i, 0; n < s.base {
			break
		}
		if o.off = s.end(int(min(n-s.base+1, uint64(s.frames)))); n < s.last() {
			break
		}
	}
	for o.seg+1 < len(o.segs) && o.off == o.segs[o.seg].size() {
		o.seg, o.off = o.seg+1, 0
	}
	o.taken, o.claimed, o.come = n+1, n, n
	o.way, o.seen = o.logged, 0
	for o.seen < len(o.segs) && o.segs[o.seen].last() <= n {
		o.way -= o.segs[o.seen].size()
		o.seen++
	}
	o.wrote()
	return true
}

// shrink gives up the memory that only a busy lane needs.
func (o *outbox) shrink() {
	o.queue.memory.shrink()
	if len(o.segs) == 0 {
		o.segs = nil
	}
	if len(o.queue.small) == 0 {
		o.queue.small = nil
	}
}

// end returns where the first n frames of s end.
func (s *segment) end(n int) int {
	if n == s.frames {
		return s.size()
	}
	end := 0
	for range n {
		end += frameSize(s.data[end:])
	}
	return end
}
