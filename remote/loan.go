package remote

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/topos-go/topos/remote/wire"
)

const (
	// leastLoan and mostLoan are the logarithms of the smallest and the largest
	// memory that is lent: less is cheaper to make than to lend, and of more
	// there are few.
	leastLoan = 12
	mostLoan  = 26
)

// loans lends memory for payloads, by powers of two. It is a wire.Memory, and
// may be used by any goroutine.
type loans struct {
	bySize [mostLoan - leastLoan + 1]returned
}

// returned are loans of one size that have been returned. The last of them is
// lent first: it is the likeliest to be in a processor's cache.
type returned struct {
	last atomic.Pointer[loan]
	pool sync.Pool // of *loan
}

// rest leaves what has been returned to the collector, if it is not lent again
// soon.
func (ls *loans) rest() {
	for i := range ls.bySize {
		if r := &ls.bySize[i]; r.last.Load() != nil {
			if l := r.last.Swap(nil); l != nil {
				r.pool.Put(l)
			}
		}
	}
}

// loan is memory that is lent.
type loan struct {
	from   *returned // nil: too large to be used again
	memory []byte
	asked  int
}

// Take implements wire.Memory: its receiver gives back what it takes.
func (ls *loans) Take(n int) ([]byte, wire.Loan) {
	l := ls.lend(n)
	return l.bytes(), l
}

// lend returns memory of n bytes, whose content is that of messages before.
func (ls *loans) lend(n int) *loan {
	size := max(bits.Len(uint(max(n, 1)-1)), leastLoan)
	if size > mostLoan {
		return &loan{memory: uncleared(n), asked: n}
	}
	from := &ls.bySize[size-leastLoan]
	l := from.last.Swap(nil)
	if l == nil {
		l, _ = from.pool.Get().(*loan)
	}
	if l == nil {
		l = &loan{from: from, memory: uncleared(1 << size)}
	}
	l.asked = n
	return l
}

// bytes returns what was asked for: appending to it does not write into the
// rest.
func (l *loan) bytes() []byte { return l.memory[:l.asked:l.asked] }

// Return gives the memory back.
func (l *loan) Return() {
	if l.from != nil {
		if before := l.from.last.Swap(l); before != nil {
			l.from.pool.Put(before)
		}
	}
}
