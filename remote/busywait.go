package remote

import (
	"runtime"
	"sync/atomic"
	"time"
)

const (
	// DefaultBusyWait is longer than the answer to a short request takes between
	// two machines that stand side by side, and not much longer than it takes to
	// put a thread to sleep and wake it.
	DefaultBusyWait = 200 * time.Microsecond
	// busyAfter is how many short waits in a row it takes for the next one to be
	// busy.
	busyAfter = 4
	// busyShare is the share of the time that a connection may lose by busy waits without
	// gaining by others: one part of so many. What has not been lost is saved up to
	// busySavings.
	busyShare   = 16
	busySavings = 4 * time.Millisecond
	// busyGain is what a busy wait saves that was not in vain, the processor's time for
	// going to sleep and being woken, and busyWorth which part of the time that it took
	// counts as lost: the rest is what it is worth that the answer is there sooner.
	busyGain  = 40 * time.Microsecond
	busyWorth = 4
	// busySpell is after how long, of waits that were all busy, one is not: the
	// scheduler looks for what has come for others when it finds nothing to run,
	// and who waits busily can always be run.
	busySpell = 3 * time.Millisecond
)

// BusyWait is leave for the readers of connections to wait busily for what comes
// next, where that has come soon a few times in a row, as the schedulers of BEAM
// do (erl +sbwt) and the kernel can (SO_BUSY_POLL): then a request takes a
// fraction of the time. Each reader does so only while what it gains, by not going
// to sleep, is worth what it loses; that is a whole processor for a connection on
// which something comes every 150 microseconds. All that share a BusyWait use at
// most half of the processors for it, and of one, none. Nodes in one process had
// better share one. It is made with [NewBusyWait], for a [TCP], and may be used by
// any goroutine.
type BusyWait struct {
	limit time.Duration
	most  int32        // how many may wait at once
	taken atomic.Int32 // how many do
}

// NewBusyWait returns leave to wait for up to limit at a time, or four
// milliseconds if that is less, on half of the processors that there are now. If
// limit is not positive, there are no busy waits.
func NewBusyWait(limit time.Duration) *BusyWait {
	b := &BusyWait{limit: min(limit, busySavings)}
	if limit > 0 {
		b.most = int32(runtime.GOMAXPROCS(0) / 2)
	}
	return b
}

// take lets one more wait, unless there are most already.
func (b *BusyWait) take() bool {
	if b.taken.Add(1) <= b.most {
		return true
	}
	b.leave()
	return false
}

// leave ends a wait that take has let begin.
func (b *BusyWait) leave() { b.taken.Add(-1) }

// busyPolicy decides whether the reader of a connection waits busily for what
// comes next: asking again and again costs less than going to sleep and
// being woken, and the answer is there sooner, if it comes soon. It has come
// soon a few times in a row when that is tried, and little time is lost by being
// wrong. It is pure, and of the connection's reader.
type busyPolicy struct {
	limit time.Duration // the longest
	short int           // so many waits in a row were short
	slept time.Time     // when it last waited in the other way
	saved time.Duration // may be lost
}

// ready reports whether the next wait may be busy.
func (w *busyPolicy) ready() bool { return w.short >= busyAfter && w.saved >= w.limit }

// stale reports whether, at now, the next wait must not be busy even so.
func (w *busyPolicy) stale(now time.Time) bool { return now.Sub(w.slept) >= busySpell }

// woke notes that something came at now, after a wait that was not busy.
func (w *busyPolicy) woke(now time.Time, took time.Duration) {
	w.save(now.Sub(w.slept) / busyShare)
	w.slept = now
	if took > 2*w.limit { // once to go to sleep and be woken
		w.short = 0
	} else {
		w.short = min(w.short+1, busyAfter)
	}
}

// won notes that something came in a wait that was busy for so long.
func (w *busyPolicy) won(took time.Duration) { w.save(busyGain - min(took, 2*w.limit)/busyWorth) }

// lost notes that nothing came: one more short wait, and the next may be busy again. If
// it took much longer than it should have, others had the processor.
func (w *busyPolicy) lost(took time.Duration) {
	w.short = busyAfter - 1
	w.save(-min(took, 2*w.limit))
}

// save adds to what may be lost.
func (w *busyPolicy) save(d time.Duration) {
	w.saved = max(-busySavings, min(w.saved+d, busySavings))
}
