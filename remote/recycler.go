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
	// recyclerRest is after how long of no use what is ready is given up.
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
// what is found at once would grow from one collection to the next. It is a
// wire.Memory, and may be used by any goroutine. It is made with newRecycler.
type recycler struct {
	now func() time.Time

	mu      sync.Mutex
	shelves map[int]*shelf
	tracked int // bytes that have a finalizer or are ready
	used    time.Time
}

// shelf has blocks of one size that are ready.
type shelf struct {
	size  int
	ready []*byte
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
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used = r.now()
	s := r.shelf(blockSize(n))
	if last := len(s.ready) - 1; last >= 0 { // the likeliest to be in a cache
		block := s.ready[last]
		s.ready[last] = nil
		s.ready = s.ready[:last]
		runtime.SetFinalizer(block, s.found)
		return unsafe.Slice(block, n), nil
	}
	if r.tracked+s.size > recycledBytes {
		return uncleared(n), nil
	}
	r.tracked += s.size
	block := unsafe.SliceData(uncleared(s.size))
	runtime.SetFinalizer(block, s.found)
	return unsafe.Slice(block, n), nil
}

// shelf returns the one with blocks of size.
func (r *recycler) shelf(size int) *shelf {
	s := r.shelves[size]
	if s == nil {
		s = &shelf{size: size}
		s.found = func(block *byte) { r.found(s, block) }
		r.shelves[size] = s
	}
	return s
}

// found is told by the collector that nobody has block any more.
func (r *recycler) found(s *shelf, block *byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now().Sub(r.used) > recyclerRest {
		r.tracked -= s.size
		return
	}
	s.ready = append(s.ready, block)
}

// rest leaves what is ready to the collector, if none has been needed for some
// time.
func (r *recycler) rest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now().Sub(r.used) <= recyclerRest {
		return
	}
	for _, s := range r.shelves {
		r.tracked -= s.size * len(s.ready)
		s.ready = nil
	}
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
