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
	// ballastTime is in how much time at most as much must come as the ballast holds.
	ballastTime = time.Second
	// limitBallasts is of how many times the ballast a limit of the program's memory
	// must be at least, so that it is of no account there.
	limitBallasts = 32
)

// ballast is memory that a node holds and nobody touches, while much comes and the
// program's heap is small. Go's collector runs when the heap has grown in proportion
// to what is alive. Where that is nearly nothing and two million messages come in a
// second, it would run a hundred times in that second, and take more of the processors
// than the messages do. The ballast counts as alive; what is never touched takes
// none of the system's memory. So what it costs is that garbage may grow by as much.
//
// Several nodes of a program hold one or two between them, since each looks at the
// whole heap. It may be used by any goroutine. It is made with newBallast.
type ballast struct {
	size int // 0: there is to be none
	now  func() time.Time
	heap func() heap

	came atomic.Int64 // bytes since as many as size were last there

	mu     sync.Mutex
	full   time.Time // when as many were last there, and
	fast   time.Time // when they last were within ballastTime
	memory []byte    // nil: none is held
	closed bool      // none will be
}

// heap is what the collector aims at.
type heap struct {
	goal    uint64 // the size of the heap, in bytes, at which it is next done
	percent uint64 // how much of what is alive may be garbage; see [runtime/debug.SetGCPercent]
	limit   uint64 // of the program's memory; see [runtime/debug.SetMemoryLimit]
}

func newBallast(size int, now func() time.Time, heap func() heap) *ballast {
	return &ballast{size: max(size, 0), now: now, heap: heap}
}

// received says that n bytes have come.
func (b *ballast) received(n int) {
	if b.size > 0 && b.came.Add(int64(n)) >= int64(b.size) {
		b.reconsider()
	}
}

// reconsider takes the ballast if it did not take long until as many bytes were there.
func (b *ballast) reconsider() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.came.Store(0)
	now := b.now()
	took := now.Sub(b.full)
	if b.full = now; took > ballastTime {
		return
	}
	b.fast = now
	if b.memory == nil && !b.closed && b.helps(0) {
		b.memory = uncleared(b.size)
	}
}

// helps reports whether a ballast is worth while, of which held bytes are held already:
// not in a program whose heap is large without it, or that does without collections, or
// has little memory.
func (b *ballast) helps(held int) bool {
	h := b.heap()
	size := uint64(b.size)
	if h.percent == math.MaxUint64 || h.limit/limitBallasts < size {
		return false
	}
	by := uint64(held) + uint64(held)*h.percent/100
	return h.goal < 2*size+by
}

// rest gives the ballast up if it is of no use any more.
func (b *ballast) rest() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.memory != nil && (b.now().Sub(b.fast) > ballastTime || !b.helps(len(b.memory))) {
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

// programHeap returns what the collector of this program aims at. It stops nobody.
func programHeap() heap {
	s := []metrics.Sample{
		{Name: "/gc/heap/goal:bytes"}, {Name: "/gc/gogc:percent"}, {Name: "/gc/gomemlimit:bytes"},
	}
	metrics.Read(s)
	return heap{goal: s[0].Value.Uint64(), percent: s[1].Value.Uint64(), limit: s[2].Value.Uint64()}
}
