package remote

import (
	"runtime"
	"testing"
	"time"
)

// after lets w sleep n times, for took each and with nothing between.
func (w *busyPolicy) after(n int, took time.Duration) *busyPolicy {
	for range n {
		w.woke(w.slept.Add(took), took)
	}
	return w
}

func TestBusyWaitNeedsAFewShortWaitsInARow(t *testing.T) {
	const limit = 100 * time.Microsecond
	short, long := 2*limit, 2*limit+1
	rich := func() *busyPolicy { return &busyPolicy{limit: limit, saved: busySavings, slept: time.Now()} }
	for name, c := range map[string]struct {
		w    *busyPolicy
		want bool
	}{
		"at first":           {rich(), false},
		"too few":            {rich().after(busyAfter-1, short), false},
		"enough":             {rich().after(busyAfter, short), true},
		"a long one between": {rich().after(busyAfter-1, short).after(1, long).after(busyAfter-1, short), false},
		"a long one last":    {rich().after(busyAfter, short).after(1, long), false},
		"only long ones":     {rich().after(100, long), false},
		"poor":               {(&busyPolicy{limit: limit, saved: limit - 1, slept: time.Now()}).after(busyAfter, 0), false},
	} {
		if got := c.w.ready(); got != c.want {
			t.Errorf("%s: ready %v, not %v", name, got, c.want)
		}
	}
}

func TestBusyWaitLosesASmallShareOfTheTime(t *testing.T) {
	const limit = 100 * time.Microsecond
	w := &busyPolicy{limit: limit, slept: time.Now()}
	// What waits seem to promise is never kept: each that is busy is in vain.
	var lost, total time.Duration
	for total < time.Second {
		took := limit
		if w.ready() {
			w.lost(limit)
			lost, took = lost+limit, 2*limit
		}
		total += took
		w.woke(w.slept.Add(took), limit)
	}
	if lost == 0 || lost > total/busyShare+busySavings {
		t.Errorf("lost %v of %v", lost, total)
	}
}

func TestBusyWaitGoesOnAsLongAsItGains(t *testing.T) {
	const limit = 200 * time.Microsecond
	for _, c := range []struct {
		took        time.Duration // to an answer
		every       int           // one of so many is in vain
		least, most int           // how many of 1,000 may be busy
	}{
		{10 * time.Microsecond, 50, 900, 1000},
		{20 * time.Microsecond, 20, 700, 1000},
		{70 * time.Microsecond, 1001, 1000, 1000},
		{390 * time.Microsecond, 1001, 100, 400}, // it costs more than it gains
		{10 * time.Microsecond, 2, 50, 300},
	} {
		w := (&busyPolicy{limit: limit, saved: busySavings, slept: time.Now()}).after(busyAfter, limit)
		busy := 0
		for i := range 1_000 {
			switch {
			case !w.ready():
				w.after(1, limit)
				continue
			case (i+1)%c.every == 0:
				w.lost(limit)
			default:
				w.won(c.took)
			}
			busy++
		}
		if busy < c.least || busy > c.most {
			t.Errorf("%v, one of %d in vain: %d of 1000 waits were busy", c.took, c.every, busy)
		}
	}
}

func TestBusyWaitSavesAndOwesNoMoreThanItMay(t *testing.T) {
	w := &busyPolicy{limit: time.Millisecond}
	w.after(1, time.Hour)
	for range 1_000_000 {
		w.won(0)
	}
	if w.saved != busySavings {
		t.Errorf("saved %v", w.saved)
	}
	w.lost(time.Hour) // the machine stood still
	if w.saved != busySavings-2*w.limit {
		t.Errorf("after a loss, saved %v", w.saved)
	}
	for range 1_000_000 {
		w.lost(time.Millisecond)
	}
	if w.saved != -busySavings {
		t.Errorf("after many losses, saved %v", w.saved)
	}
}

func TestBusyWaitSleepsOnceInASpell(t *testing.T) {
	now := time.Now()
	w := &busyPolicy{limit: time.Microsecond, slept: now}
	if w.stale(now.Add(busySpell - 1)) {
		t.Error("stale too soon")
	}
	if !w.stale(now.Add(busySpell)) {
		t.Error("not stale in time")
	}
}

func TestHalfOfTheProcessorsMayWaitBusily(t *testing.T) {
	if b := NewBusyWait(0); b.most != 0 {
		t.Errorf("%d may who may not", b.most)
	}
	if b := NewBusyWait(time.Hour); b.limit != busySavings {
		t.Errorf("for %v", b.limit)
	}
	b := NewBusyWait(DefaultBusyWait)
	half := runtime.GOMAXPROCS(0) / 2
	for i := range half {
		if !b.take() {
			t.Errorf("only %d of %d may", i, half)
		}
	}
	if b.take() {
		t.Error("one more may")
	}
	for range half {
		b.leave()
	}
	if half > 0 && !b.take() {
		t.Error("none may after all have left")
	}
}
