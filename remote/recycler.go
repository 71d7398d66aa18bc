package remote

import (
	"math/bits"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/topos-go/topos/remote/wire"
)

const (
	// leastRecycled and mostRecycled bound the payloads whose memory is used
	// again: less costs the collector little, and of more there are few.
	leastRecycled = 64 << 10
	mostRecycled  = 4 << 20
	// recycledBytes is how much of such memory a node has at most, in the hands
	// of receivers or ready for others.
	recycledBytes = 16 << 20
	// recyclerRest is after how long of no use what is ready is given up, when that is
	// looked at, each releaseEvery.
	recyclerRest = time.Second
)

// recycler gives memory for large payloads, which are their receivers' own, and
// uses it again once the collector has found that nobody has it any more. New
// memory for each costs more than to read it: while a program has little other
// memory, the collector runs every few messages, and what it frees goes back to
// the system, page by page, and is got again.
//
// Memory that the collector has found is brought to life by its finalizer, which
// is why its receiver must not set one. Only so much has one, recycledBytes: else
// what is found at once would grow from one collection to the next. Who keeps as
// much has new memory for the rest. It is a wire.Memory, and may be used by any
// goroutine. It is made with newRecycler.
type recycler struct {
	now func() time.Time

	mu      sync.Mutex
	shelves map[int]*shelf // by size
	tracked int            // bytes that have a finalizer or are ready
	again   uint64         // how often some was used again
	resting bool           // nothing is needed; what is found is given up
	closed  bool           // for ever
}

// shelf has blocks of one size that are ready.
type shelf struct {
	size  int
	ready []*byte
	used  time.Time   // when one was last needed
	found func(*byte) // the finalizer
}

func newRecycler(now func() time.Time) *recycler {
	return &recycler{now: now, shelves: make(map[int]*shelf)}
}

// Take implements wire.Memory: it returns memory that its receiver may keep.
func (r *recycler) Take(n int) ([]byte, wire.Loan) {
	if n < leastRecycled || n > mostRecycled {
		return uncleared(n), nil
	}
	s, block, again := r.reserve(blockSize(n))
	switch {
	case s == nil:
		return uncleared(n), nil
	case !again:
		block = unsafe.SliceData(uncleared(s.size))
	}
	runtime.SetFinalizer(block, s.found)
	return unsafe.Slice(block, n), nil
}

// reserve returns a block that is ready, or the shelf that a new one will be of, or
// nil if there are to be no more.
func (r *recycler) reserve(size int) (s *shelf, block *byte, again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s = r.shelves[size]; s == nil {
		s = &shelf{size: size}
		s.found = func(block *byte) { r.found(s, block) }
		r.shelves[size] = s
	}
	s.used, r.resting = r.now(), false
	if last := len(s.ready) - 1; last >= 0 { // the likeliest to be in a cache
		block, s.ready[last] = s.ready[last], nil
		s.ready = s.ready[:last]
		r.again++
		return s, block, true
	}
	if r.closed || !r.makeRoom(size) {
		return nil, nil, false
	}
	r.tracked += size
	return s, nil, false
}

// makeRoom gives up what is ready of other sizes, the least lately used first, until
// there may be size bytes more. It reports whether there may.
func (r *recycler) makeRoom(size int) bool {
	for r.tracked+size > recycledBytes {
		var oldest *shelf
		for _, s := range r.shelves {
			if len(s.ready) > 0 && (oldest == nil || s.used.Before(oldest.used)) {
				oldest = s
			}
		}
		if oldest == nil {
			return false
		}
		last := len(oldest.ready) - 1
		oldest.ready[last] = nil
		oldest.ready = oldest.ready[:last]
		r.tracked -= oldest.size
	}
	return true
}

// found is told by the collector that nobody has block any more.
func (r *recycler) found(s *shelf, block *byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.resting || r.closed {
		r.tracked -= s.size
		return
	}
	s.ready = append(s.ready, block)
}

// rest leaves to the collector what is ready of sizes that have not been needed for
// some time.
func (r *recycler) rest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.resting = true
	for _, s := range r.shelves {
		if now.Sub(s.used) > recyclerRest {
			r.giveUp(s)
		} else {
			r.resting = false
		}
	}
}

// close leaves everything to the collector, also what is still in use.
func (r *recycler) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, s := range r.shelves {
		r.giveUp(s)
	}
}

// giveUp leaves what is ready of one size to the collector.
func (r *recycler) giveUp(s *shelf) {
	r.tracked -= s.size * len(s.ready)
	s.ready = nil
}

// reused returns how often memory was used again.
func (r *recycler) reused() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.again
}

// blockSize returns the size of the blocks that payloads of n bytes lie in: an
// eighth more than n at most, so that those of about a size share them.
func blockSize(n int) int {
	step := 1 << (bits.Len(uint(n-1)) - 4)
	return (n + step - 1) &^ (step - 1)
}

// uncleared returns n bytes, one or more, that hold anything, for one who writes all of
// them before anybody sees them: to clear them first is a quarter of what it takes to read
// a large payload. The memory is that of a string that nobody else has.
func uncleared(n int) []byte {
	var b strings.Builder
	b.Grow(n)
	b.WriteByte(0)
	return unsafe.Slice(unsafe.StringData(b.String()), n)
}
