package session

import (
	"fmt"
	"time"
)

// Receiver is the receiving side of one stream, between two incarnations of
// nodes. It is made by NewReceiver and must not be used concurrently. What its
// methods return belongs to it and is valid until the next call; they never
// block. A time that is before an earlier one is taken for the earlier one.
//
// Invariants:
//  1. Everything below next has been returned, or never will be.
//  2. have holds numbers in next+1 … next+Config.Window-1, held of them, none
//     above high, which is what has come beyond a gap.
//  3. In an ordered stream cells holds their messages, of bytes in sum, which is
//     at most Config.WindowBytes.
type Receiver[T any] struct {
	cfg   Config
	clock *clock

	next  uint64
	high  uint64
	have  marks
	held  int
	cells ring[cell[T]]
	bytes int

	pending int           // what has come since the last ack
	owing   bool          // an ack is owed
	ackAt   time.Duration // when it is due

	out    []T
	ranges []Range
	stats  ReceiverStats
}

// cell is a message that has come before its turn.
type cell[T any] struct {
	item T
	size int
}

// ReceiverStats counts what has happened to a receiver since it was made.
type ReceiverStats struct {
	// Delivered messages were returned.
	Delivered uint64
	// Duplicates came again, or after they had been given up.
	Duplicates uint64
	// Dropped came too early: beyond the window, or when there was no room to
	// keep them.
	Dropped uint64
	// Skipped counts the numbers that never came because the sender said so. It
	// is not the number of messages lost: senders that were forgotten leave
	// numbers out, and what it gave up may have come all the same.
	Skipped uint64
}

// NewReceiver returns the receiver of a stream.
func NewReceiver[T any](cfg Config) (*Receiver[T], error) {
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	return newReceiver[T](cfg, new(clock)), nil
}

func newReceiver[T any](cfg Config, c *clock) *Receiver[T] {
	return &Receiver[T]{cfg: cfg, clock: c, next: 1}
}

// Receive takes a transmission, with the Seq and Oldest that came with it, and
// returns the messages whose turn it is, each of them once: they must be
// delivered, in this order, before an ack taken later is sent. It may be none,
// and it may be several. size is what the message counts for in
// Config.WindowBytes. What is not returned and not kept comes again.
//
// An error wraps ErrMalformed: nothing has changed.
func (r *Receiver[T]) Receive(now time.Time, seq, oldest uint64, item T, size int) ([]T, error) {
	return r.receive(now, seq, oldest, item, size, r.cfg.WindowBytes)
}

// receive is Receive with room for so many more bytes at most.
func (r *Receiver[T]) receive(now time.Time, seq, oldest uint64, item T, size, room int) ([]T, error) {
	t := r.begin(now)
	if oldest == 0 || oldest > seq || seq >= endOfNumbers || size < 0 {
		return nil, fmt.Errorf("%w: number %d, oldest %d, size %d", ErrMalformed, seq, oldest, size)
	}
	if seq == r.next && r.held == 0 { // all is well
		r.next++
		r.deliver(item)
		r.owe(t, false)
		return r.out, nil
	}
	r.advance(oldest)
	switch {
	case seq < r.next || r.have.has(seq) && seq-r.next < uint64(r.cfg.Window):
		r.stats.Duplicates++
	case seq == r.next:
		r.next++
		r.deliver(item)
		r.drain()
	case seq-r.next >= uint64(r.cfg.Window):
		r.stats.Dropped++
	case r.cfg.Unordered:
		r.keep(seq)
		r.deliver(item)
	case size > min(room, r.cfg.WindowBytes-r.bytes):
		r.stats.Dropped++
	default:
		r.keep(seq)
		r.cells.reserve(r.next, max(r.high, r.next)+1, seq)
		r.high = max(r.high, seq)
		*r.cells.at(seq) = cell[T]{item: item, size: size}
		r.bytes += size
	}
	r.owe(t, true)
	return r.out, nil
}

// Skip takes the Skip of the sender's Effects. It returns what Receive does.
func (r *Receiver[T]) Skip(now time.Time, oldest uint64) ([]T, error) {
	t := r.begin(now)
	if oldest == 0 || oldest > endOfNumbers {
		return nil, fmt.Errorf("%w: skip to %d", ErrMalformed, oldest)
	}
	r.advance(oldest)
	r.owe(t, true)
	return r.out, nil
}

// Ack returns the ack that is due, if one is. Then none is owed any more: one
// that is lost is asked for by what the sender transmits again.
func (r *Receiver[T]) Ack(now time.Time) (Ack, bool) {
	t := r.begin(now)
	if !r.owing || t < r.ackAt {
		return Ack{}, false
	}
	return r.Flush()
}

// Flush returns the ack that is owed, if one is, due or not: for when something
// is sent to that node anyway.
func (r *Receiver[T]) Flush() (Ack, bool) {
	r.out = clearScratch(r.out)
	if !r.owing {
		return Ack{}, false
	}
	r.owing, r.pending = false, 0
	return Ack{Cumulative: r.next - 1, Ranges: r.gaps()}, true
}

// Deadline returns when an ack will be due; the zero time if none is owed.
func (r *Receiver[T]) Deadline() time.Time {
	if !r.owing {
		return time.Time{}
	}
	return r.clock.time(r.ackAt)
}

// Held returns how many messages are kept until it is their turn, or, in an
// unordered stream, were returned before an earlier one.
func (r *Receiver[T]) Held() int { return r.held }

// Bytes returns the sum of the sizes of what is kept.
func (r *Receiver[T]) Bytes() int { return r.bytes }

// Stats returns what has happened to the receiver.
func (r *Receiver[T]) Stats() ReceiverStats { return r.stats }

func (r *Receiver[T]) begin(now time.Time) time.Duration {
	r.out = clearScratch(r.out)
	return r.clock.at(now)
}

func (r *Receiver[T]) deliver(item T) {
	r.out = append(r.out, item)
	r.stats.Delivered++
}

// keep notes that seq, which is within the window and beyond a gap, has come.
func (r *Receiver[T]) keep(seq uint64) {
	r.have.add(seq, r.cfg.Window)
	r.held++
	if r.cfg.Unordered {
		r.high = max(r.high, seq)
	}
}

// advance goes to the lowest number that the sender retains. What is kept from
// before has been given up by it, with the outcome unknown, so it is delivered.
func (r *Receiver[T]) advance(oldest uint64) {
	for r.held > 0 && r.next < oldest {
		if r.have.has(r.next) {
			r.take()
		} else {
			r.stats.Skipped++
		}
		r.next++
	}
	if r.next < oldest {
		r.stats.Skipped += oldest - r.next
		r.next = oldest
	}
	r.drain()
}

// drain delivers what is kept and has no gap before it.
func (r *Receiver[T]) drain() {
	for r.held > 0 && r.have.has(r.next) {
		r.take()
		r.next++
	}
}

// take takes the number next, which has come, out of what is kept.
func (r *Receiver[T]) take() {
	r.have.remove(r.next)
	r.held--
	if r.cfg.Unordered {
		return
	}
	c := r.cells.at(r.next)
	r.deliver(c.item)
	r.bytes -= c.size
	*c = cell[T]{}
}

// owe notes that something has come that is to be acknowledged, at once or in a
// while.
func (r *Receiver[T]) owe(t time.Duration, urgent bool) {
	r.pending++
	if !r.owing {
		r.owing, r.ackAt = true, t+r.cfg.AckDelay
	}
	if urgent || r.pending >= r.cfg.AckEvery {
		r.ackAt = min(r.ackAt, t)
	}
}

// gaps returns the lowest ranges beyond the first gap.
func (r *Receiver[T]) gaps() []Range {
	r.ranges = r.ranges[:0]
	if r.held == 0 {
		return nil
	}
	for seq := r.next + 1; seq <= r.high; seq++ {
		if !r.have.has(seq) {
			continue
		}
		if n := len(r.ranges); n > 0 && r.ranges[n-1].Last == seq-1 {
			r.ranges[n-1].Last = seq
		} else if n < MaxRanges {
			r.ranges = append(r.ranges, Range{First: seq, Last: seq})
		} else {
			break
		}
	}
	return r.ranges
}

// roomy reports whether the receiver has memory for what comes before its turn,
// and nothing in it.
func (r *Receiver[T]) roomy() bool { return r.held == 0 && len(r.have.words) > 0 }

// shrink gives that memory back.
func (r *Receiver[T]) shrink() {
	r.cells, r.have, r.ranges, r.out = ring[cell[T]]{}, marks{}, nil, nil
}

// valid returns an error if an invariant is broken.
func (r *Receiver[T]) valid() error {
	held, sum := 0, 0
	for seq := r.next; seq < r.next+uint64(r.cfg.Window); seq++ {
		if !r.have.has(seq) {
			continue
		}
		if held++; seq == r.next || seq > r.high {
			return fmt.Errorf("%d is kept, next is %d, the highest %d", seq, r.next, r.high)
		}
		if !r.cfg.Unordered {
			sum += r.cells.at(seq).size
		}
	}
	marked := 0
	for _, w := range r.have.words {
		for ; w != 0; w &= w - 1 {
			marked++
		}
	}
	if held != r.held || marked != held || sum != r.bytes || r.bytes > r.cfg.WindowBytes {
		return fmt.Errorf("%d held of %d bytes, %d within the window, %d marked, %d bytes", r.held, r.bytes, held, marked, sum)
	}
	if len(r.cells.places) > max(16, 2*r.cfg.Window) || cap(r.out) > 2*max(scratchKept, r.cfg.Window) {
		return fmt.Errorf("%d places, %d returned at once", len(r.cells.places), cap(r.out))
	}
	return nil
}
