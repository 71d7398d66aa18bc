package pool

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/internal/hash"
)

// ledger is what a test notes of what a desk has decided.
type ledger struct {
	t       *rapid.T
	d       *desk
	now     time.Time
	last    uint64
	waiting map[uint64]*job
	inHand  map[uint64]int // by job, the slot
	wanted  map[int]bool   // slots for which a worker was asked
	refused int
}

func (l *ledger) carryOut(effects []effect) {
	for _, e := range effects {
		switch e.kind {
		case assign:
			if _, twice := l.inHand[e.job]; twice {
				l.t.Fatalf("job %d was given away twice", e.job)
			}
			delete(l.waiting, e.job)
			l.inHand[e.job] = e.slot
		case refuse:
			delete(l.waiting, e.job)
			l.refused++
		case startWorker:
			l.wanted[e.slot] = true
		case stopWorker:
			for job, slot := range l.inHand {
				if slot == e.slot {
					l.t.Fatalf("slot %d is stopped with job %d in hand", slot, job)
				}
			}
			l.carryOut(slices.Clone(l.d.vacated(l.now, e.slot, false)))
		}
	}
	if err := l.d.valid(); err != nil {
		l.t.Fatal(err)
	}
	if len(l.d.waiting) != len(l.waiting) {
		l.t.Fatalf("%d jobs wait, want %v", len(l.d.waiting), l.waiting)
	}
	if n, _ := l.d.workers(); n > l.d.cfg.Max {
		l.t.Fatalf("%d workers", n)
	}
}

func (l *ledger) offer(slots ...int) {
	var jobs []*job
	call := rapid.Bool().Draw(l.t, "call")
	for _, slot := range slots {
		l.last++
		j := &job{id: l.last, slot: slot, call: call, hash: rapid.Uint64().Draw(l.t, "hash")}
		jobs = append(jobs, j)
		l.waiting[j.id] = j
	}
	before := len(l.d.waiting)
	l.carryOut(slices.Clone(l.d.offer(l.now, jobs...)))
	limit := l.d.cfg.Queue + l.d.cfg.Blocked
	if l.d.cfg.Overflow == Fail || !call {
		limit = max(l.d.cfg.Queue, before)
	}
	if len(l.d.waiting) > limit {
		l.t.Fatalf("%d jobs wait, more than %d", len(l.d.waiting), limit)
	}
}

func (l *ledger) some(from map[uint64]int) (uint64, bool) {
	if len(from) == 0 {
		return 0, false
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(from))).Draw(l.t, "job"), true
}

func (l *ledger) slotsIn(states ...slotState) []int {
	var slots []int
	for i := range l.d.slots {
		if slices.Contains(states, l.d.slots[i].state) {
			slots = append(slots, i)
		}
	}
	return slots
}

// step lets something happen.
func (l *ledger) step() {
	l.now = l.now.Add(rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, time.Second, time.Minute}).Draw(l.t, "time"))
	switch rapid.SampledFrom([]string{"job", "job", "job", "fan", "done", "done", "rose", "fell", "failed", "withdraw", "tick"}).Draw(l.t, "event") {
	case "job":
		l.offer(map[bool]int{true: byHash, false: anySlot}[l.d.cfg.Route == Hash])
	case "fan":
		if slots := l.slotsIn(up); len(slots) > 0 {
			l.offer(slots...)
		}
	case "done":
		if job, ok := l.some(l.inHand); ok {
			slot := l.inHand[job]
			delete(l.inHand, job)
			l.carryOut(slices.Clone(l.d.done(l.now, slot)))
		}
	case "rose":
		if slots := l.slotsIn(starting, growing, down); len(slots) > 0 {
			l.carryOut(slices.Clone(l.d.rose(l.now, rapid.SampledFrom(slots).Draw(l.t, "slot"))))
		}
	case "fell":
		if slots := l.slotsIn(up); len(slots) > 0 {
			l.d.fell(rapid.SampledFrom(slots).Draw(l.t, "slot"))
		}
	case "failed":
		if slots := l.slotsIn(growing); len(slots) > 0 {
			l.carryOut(slices.Clone(l.d.vacated(l.now, slots[0], true)))
		}
	case "withdraw":
		if ids := slices.Sorted(maps.Keys(l.waiting)); len(ids) > 0 {
			delete(l.waiting, ids[0])
			if !l.d.withdraw(ids[0]) || l.d.withdraw(ids[0]) {
				l.t.Fatalf("job %d cannot be withdrawn once", ids[0])
			}
		}
	case "tick":
		at := l.d.deadline()
		effects := slices.Clone(l.d.tick(l.now))
		if due := !at.IsZero() && !l.now.Before(at); due != (len(effects) > 0) {
			l.t.Fatalf("at %v with a deadline of %v there are effects %v", l.now, at, effects)
		}
		l.carryOut(effects)
	}
}

// Whatever happens, each job is given to one worker, refused or withdrawn, never
// twice; nobody is idle while jobs wait for him; and limits hold. When the
// workers are up and do their jobs, all are done in the end.
func TestDeskGivesEachJobToOneWorker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{
			Size:     rapid.IntRange(1, 3).Draw(t, "size"),
			Limit:    rapid.IntRange(1, 3).Draw(t, "limit"),
			Route:    rapid.SampledFrom([]Route{RoundRobin, LeastBusy, Hash}).Draw(t, "route"),
			Queue:    rapid.IntRange(1, 5).Draw(t, "queue"),
			Overflow: rapid.SampledFrom([]Overflow{Fail, Block}).Draw(t, "overflow"),
			Blocked:  2, GrowWait: time.Second, Idle: time.Minute,
		}
		cfg.Max = cfg.Size + rapid.IntRange(0, 2).Draw(t, "more")
		cfg = cfg.withDefaults()
		l := &ledger{
			t: t, d: newDesk(cfg), now: time.Unix(1e9, 0),
			waiting: make(map[uint64]*job), inHand: make(map[uint64]int), wanted: make(map[int]bool),
		}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			l.step()
		}
		l.finish()
	})
}

// finish lets all workers be up and do what there is.
func (l *ledger) finish() {
	for _, slot := range l.slotsIn(starting, growing, down) {
		l.carryOut(slices.Clone(l.d.rose(l.now, slot)))
	}
	for rounds := 0; len(l.inHand)+len(l.waiting) > 0; rounds++ {
		if rounds > 10_000 {
			l.t.Fatalf("jobs are left: %v in hand, %v wait", l.inHand, l.waiting)
		}
		for _, slot := range l.slotsIn(growing) {
			l.carryOut(slices.Clone(l.d.rose(l.now, slot)))
		}
		for job, slot := range maps.Clone(l.inHand) {
			delete(l.inHand, job)
			l.carryOut(slices.Clone(l.d.done(l.now, slot)))
		}
	}
	for range l.d.slots { // after a day without work only Size are left
		l.now = l.now.Add(24 * time.Hour)
		l.carryOut(slices.Clone(l.d.tick(l.now)))
	}
	if n, _ := l.d.workers(); n != l.d.cfg.Size {
		l.t.Fatalf("%d workers are left, want %d", n, l.d.cfg.Size)
	}
	if at := l.d.deadline(); !at.IsZero() {
		l.t.Fatalf("a tick is wanted at %v", at)
	}
}

// A worker that crashed while it was being stopped was started again by its
// supervisor: it is stopped too, and its slot not used before it is gone.
func TestWorkerThatNobodyWantsIsStopped(t *testing.T) {
	now := time.Unix(1e9, 0)
	d := newDesk(Config{Size: 1, Max: 2, GrowQueue: 1}.withDefaults())
	d.rose(now, 0)
	if effects := d.rose(now, 1); len(effects) != 1 || effects[0] != (effect{stopWorker, 0, 1}) {
		t.Fatalf("effects %v", effects)
	}
	for i := range 2 {
		d.offer(now, &job{id: uint64(i), slot: anySlot})
	}
	if s := d.slots[1].state; s != stopping {
		t.Errorf("its slot is in state %d", s)
	}
	if effects := d.vacated(now, 1, false); len(effects) != 1 || effects[0] != (effect{startWorker, 0, 1}) {
		t.Errorf("when it is gone: effects %v", effects)
	}
}

// upDesk is a desk whose workers are all up.
func upDesk(size, most int) *desk {
	d := newDesk(Config{Size: size, Max: most, Route: Hash}.withDefaults())
	for i := range size {
		d.rose(time.Time{}, i)
	}
	return d
}

func TestKeysAreSpreadEvenlyOverWorkers(t *testing.T) {
	const workers, keys = 16, 100_000
	d := upDesk(workers, workers)
	var count [workers]int
	for i := range keys {
		count[d.owner(hash.Of(strconv.Itoa(i)+"-key"))]++
	}
	for slot, n := range count {
		if n < keys/workers*9/10 || n > keys/workers*11/10 {
			t.Errorf("slot %d owns %d keys, want %d within a tenth", slot, n, keys/workers)
		}
	}
}

func TestOnlyTheKeysOfANewWorkerMove(t *testing.T) {
	const keys = 10_000
	d := upDesk(7, 8)
	before := make([]int, keys)
	for i := range keys {
		before[i] = d.owner(hash.Of(strconv.Itoa(i) + "-key"))
	}
	d.slots[7].state = up
	moved := 0
	for i, was := range before {
		now := d.owner(hash.Of(strconv.Itoa(i) + "-key"))
		if now == was {
			continue
		}
		moved++
		if now != 7 {
			t.Fatalf("key %d moved from %d to %d", i, was, now)
		}
	}
	if moved < keys/8*8/10 || moved > keys/8*12/10 {
		t.Errorf("%d of %d keys moved, want an eighth", moved, keys)
	}
}

func TestLineForgetsThoseThatHaveLeft(t *testing.T) {
	var l line
	var jobs []*job
	for i := range 1000 {
		j := &job{id: uint64(i)}
		jobs = append(jobs, j)
		l.push(j)
	}
	for _, j := range jobs[1:900] {
		l.leave(j)
	}
	if len(l.jobs) > 202 {
		t.Errorf("%d places are held by 101 jobs", len(l.jobs))
	}
	for _, want := range append([]*job{jobs[0]}, jobs[900:]...) {
		if j := l.pop(); j != want {
			t.Fatalf("got %v, want %v", j, want)
		}
	}
	if l.pop() != nil || l.jobs != nil {
		t.Error("the line is not empty")
	}
}
