package remote

import (
	"math"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// DefaultBallast makes a heap of nearly nothing one of 32 MiB: the collector then
	// runs about ten times a second while two million small messages come, instead of
	// a hundred times, and is no longer what a receiver does most.
	DefaultBallast = 16 << 20
	// ballastTime is in how much time as much must come as the ballast holds.
	ballastTime = time.Second
	// roomBallasts is how many times the ballast must be left of the memory that the
	// program may have.
	roomBallasts = 8
)

// ballast is memory that a node holds and nobody touches, while many small messages come
// and the program's heap is small. Go's collector runs when the heap has grown in proportion
// to what is alive. Where that is nearly nothing and two million messages come in a
// second, it would run a hundred times in that second, and take more of the processors
// than the messages do. The ballast counts as alive; what is never touched takes hardly
// any of the machine's memory. What it costs is that there may be more garbage: as much
// as the ballast, or what debug.SetGCPercent makes of that.
//
// Of several nodes in a program usually one holds it, as the others find that the heap
// has grown. It may be used by any goroutine. It is made with newBallast.
type ballast struct {
	size int // 0: there is to be none
	now  func() time.Time
	heap func() heap

	came atomic.Int64 // bytes since as many as size were last there

	mu     sync.Mutex
	full   time.Time // when as many were last there, and
	fast   time.Time // when they last were within ballastTime
	asked  time.Time // when the heap was last looked at, to take it
	memory []byte    // nil: none is held
	closed bool
}

// heap is what the collector has to do with.
type heap struct {
	goal    uint64 // the size of the heap, in bytes, at which it is next done
	objects uint64 // what is in use of it now, or garbage
	percent uint64 // how much of what is alive may be garbage; see [runtime/debug.SetGCPercent]
	left    uint64 // of what the program may have; see [runtime/debug.SetMemoryLimit]
}

func newBallast(size int, now func() time.Time, heap func() heap) *ballast {
	return &ballast{size: max(size, 0), now: now, heap: heap}
}

// received says that n bytes of small messages have come.
func (b *ballast) received(n int) {
	if b.size > 0 && b.came.Add(int64(n)) >= int64(b.size) && b.wanted() {
		b.take()
	}
}

// wanted reports whether the ballast is to be taken, since it did not take long until as
// many bytes were there.
func (b *ballast) wanted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.came.Load() < int64(b.size) {
		return false // somebody else has been told
	}
	b.came.Store(0)
	now := b.now()
	took := now.Sub(b.full)
	if b.full = now; took > ballastTime {
		return false
	}
	b.fast = now
	if b.memory != nil || now.Sub(b.asked) < ballastTime {
		return false
	}
	b.asked = now
	h := b.heap()
	// The goal is the one of the last collection; what another node has taken since
	// is among the objects.
	return b.helps(h) && h.goal < 2*uint64(b.size) && h.objects < uint64(b.size)
}

// take takes the ballast. Nobody waits meanwhile, since the collector may want something
// in return.
func (b *ballast) take() {
	memory := uncleared(b.size)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.memory = memory
	}
}

// helps reports whether a ballast is worth while, whatever the heap: unless there are no
// collections, or one after the other, or memory is scarce.
func (b *ballast) helps(h heap) bool {
	return h.percent != 0 && h.percent != math.MaxUint64 && h.left >= roomBallasts*uint64(b.size)
}

// rest gives the ballast up if it is of no use any more: also in a program whose heap has
// become large without it.
func (b *ballast) rest() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.memory == nil {
		return
	}
	h, held := b.heap(), uint64(len(b.memory))
	h.left += held
	if b.now().Sub(b.fast) > ballastTime || !b.helps(h) || h.goal >= 2*uint64(b.size)+held+held*h.percent/100 {
		b.memory = nil
	}
}

// close gives the ballast up for ever.
func (b *ballast) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.memory, b.closed = nil, true
}

// held returns how many bytes are held.
func (b *ballast) held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.memory)
}

// programHeap returns what the collector of this program has to do with. It stops nobody.
func programHeap() heap {
	s := []metrics.Sample{
		{Name: "/gc/heap/goal:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/gogc:percent"},
		{Name: "/gc/gomemlimit:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(s)
	value := func(i int) uint64 { return s[i].Value.Uint64() }
	limit, used := value(3), value(4)-value(5)
	return heap{goal: value(0), objects: value(1), percent: value(2), left: limit - min(limit, used)}
}
