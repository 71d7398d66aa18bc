package remote

import "testing"

const mib = 1 << 20

func blocking() room { return newRoom(&Channel{QueueBytes: 80 * mib, WhenFull: Block}) }

func (r *room) isFreed(t *testing.T, what string, f func()) {
	t.Helper()
	freed := r.freed
	f()
	select {
	case <-freed:
	default:
		t.Errorf("%s: nobody is told that there is room", what)
	}
}

func TestLargeMessagesLeaveRoomForSmallOnes(t *testing.T) {
	r := blocking()
	for !r.refuses(true) {
		r.resize(mib, mib)
	}
	if r.bytes != 70*mib {
		t.Errorf("large ones may use %d bytes", r.bytes)
	}
	r.enter(true)
	for !r.refuses(false) {
		r.resize(1<<10, 0)
	}
	if r.bytes != 80*mib {
		t.Errorf("small ones may use %d bytes", r.bytes-r.large)
	}
	// A little less does not let anybody in again, so that nobody is woken for it.
	r.resize(-mib+1, -mib+1)
	if !r.refuses(false) || !r.refuses(true) {
		t.Error("a little less is enough")
	}
	r.isFreed(t, "less", func() { r.resize(-1, -1) })
	if r.refuses(true) {
		t.Error("the large one is not let in")
	}
}

func TestSmallMessagesLeaveRoomForLargeOnesThatWait(t *testing.T) {
	r := blocking()
	for !r.refuses(false) {
		r.resize(1<<10, 0)
	}
	if r.bytes != 80*mib {
		t.Errorf("small ones may use %d bytes", r.bytes)
	}
	r.enter(true)
	r.isFreed(t, "less", func() { r.resize(-mib, 0) })
	if r.refuses(true) || !r.refuses(false) {
		t.Errorf("refuses the large one that waits: %v, small ones: %v", r.refuses(true), r.refuses(false))
	}
	// Until there are as few small ones as they always may be.
	r.resize(mib, mib)
	r.resize(-70*mib, 0)
	if r.refuses(false) {
		t.Error("small ones have nothing of their own")
	}
}

func TestSmallMessagesGoOnWhenNoLargeOneWaitsAnyMore(t *testing.T) {
	r := blocking()
	r.resize(70*mib, 70*mib)
	r.resize(9*mib+mib-1, 0)
	r.enter(true)
	r.resize(1, 0)
	r.enter(false)
	if !r.refuses(false) {
		t.Fatal("there is room")
	}
	r.resize(-mib, -mib)
	if r.refuses(true) || !r.refuses(false) {
		t.Fatal("the large one is to be let in first")
	}
	r.isFreed(t, "given up", func() { r.leave(true) })
	if r.refuses(false) {
		t.Error("it waits for nobody")
	}
	r.leave(false)
	if r.waiting != 0 || r.larges != 0 {
		t.Errorf("%+v", r)
	}
}

func TestQueueOfAFewBytesLetsBothInByTurns(t *testing.T) {
	for limit := 1; limit < 40; limit++ {
		r := newRoom(&Channel{QueueBytes: limit, WhenFull: Block})
		if r.refuses(false) || r.refuses(true) {
			t.Fatalf("%d: nobody is let in", limit)
		}
		r.resize(100, 100)
		r.enter(true)
		if !r.refuses(false) || !r.refuses(true) {
			t.Fatalf("%d: somebody is let in", limit)
		}
		r.isFreed(t, "all", func() { r.resize(-100, -100) })
		if r.refuses(false) || r.refuses(true) {
			t.Fatalf("%d: nobody is let in again", limit)
		}
	}
}

func TestWhereNobodyWaitsTheQueueIsForAll(t *testing.T) {
	for _, full := range []Full{Fail, DropOldest} {
		r := newRoom(&Channel{QueueBytes: 1000, WhenFull: full})
		r.resize(999, 500)
		if r.refuses(true) || r.refuses(false) {
			t.Errorf("%v: there is room", full)
		}
		r.resize(1, 1)
		if !r.refuses(true) || !r.refuses(false) {
			t.Errorf("%v: there is none", full)
		}
	}
}
