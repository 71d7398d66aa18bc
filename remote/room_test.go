package remote

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLargeMessagesLeaveRoomForSmallOnes(t *testing.T) {
	r := newRoom(&Channel{QueueBytes: 80 << 20, WhenFull: Block})
	for !r.refuses(true) {
		r.resize(1 << 20)
	}
	if r.bytes != 70<<20 {
		t.Errorf("large ones may use %d bytes", r.bytes)
	}
	for !r.refuses(false) {
		r.resize(1 << 10)
	}
	if r.bytes != 80<<20 {
		t.Errorf("small ones may use %d bytes", r.bytes)
	}
	// A little less does not let anybody in again, so that nobody is woken for it.
	for _, step := range []struct {
		bytes        int
		small, large bool
	}{{79<<20 + 1, true, true}, {79 << 20, false, true}, {69<<20 + 1, false, true}, {69 << 20, false, false}} {
		r.resize(step.bytes - r.bytes)
		if r.refuses(false) != step.small || r.refuses(true) != step.large {
			t.Errorf("at %d: refuses small %v, large %v", step.bytes, r.refuses(false), r.refuses(true))
		}
	}
}

func TestSendersOfSmallMessagesDoNotKeepLargeOnesOutForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(&Channel{QueueBytes: 80 << 20, WhenFull: Block})
		r.resize(75 << 20)
		r.enter(true)
		time.Sleep(patience)
		if r.refuses(false) {
			t.Error("small ones have to wait at once")
		}
		time.Sleep(time.Nanosecond)
		if !r.refuses(false) {
			t.Error("small ones still pass")
		}
		freed := r.freed
		r.enter(false)
		r.resize(-7 << 20)
		select {
		case <-freed:
		default:
			t.Error("nobody is told that there is room")
		}
		if r.refuses(true) || r.refuses(false) {
			t.Error("there is no room")
		}
		r.leave(true)
		r.leave(false)
		if r.waiting != 0 || r.larges != 0 || !r.since.IsZero() {
			t.Errorf("%+v", r)
		}
	})
}

func TestWhereNobodyWaitsTheQueueIsForAll(t *testing.T) {
	for _, full := range []Full{Fail, DropOldest} {
		r := newRoom(&Channel{QueueBytes: 1000, WhenFull: full})
		r.resize(999)
		if r.refuses(true) || r.refuses(false) {
			t.Errorf("%v: there is room", full)
		}
		r.resize(1)
		if !r.refuses(true) || !r.refuses(false) {
			t.Errorf("%v: there is none", full)
		}
	}
}
