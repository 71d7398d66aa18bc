package pool

import "time"

// desk decides who does what: which worker gets a job, which jobs wait and which
// are refused, when the pool grows and shrinks. It has no process, clock or
// lock: events with their times go in, effects come out.
//
// Invariants:
//  1. waiting holds the jobs in all lines, and no others.
//  2. A worker that is up and has a hand free has an empty line; and if there is
//     one, the common line is empty too.
//  3. At most one worker is being started because of growth.
type desk struct {
	cfg     Config
	slots   []slot
	common  line // jobs that any worker may do
	waiting map[uint64]*job
	turn    int       // the slot after the one that was given a job last
	barred  time.Time // no growth before: a start has failed
	effects []effect
}

// slot is a place for a worker.
type slot struct {
	state slotState
	busy  int       // jobs in hand
	idle  time.Time // since when there are none
	own   line      // jobs that only this worker may do
}

type slotState uint8

const (
	empty    slotState = iota // there is no worker, and none is wanted
	starting                  // one is being started with the pool
	growing                   // one is being started because there is much to do
	up
	down     // it has ended and will be started again
	stopping // it is being stopped
)

// effect is something to be done: a job to be given to a worker or refused, a
// worker to be started or stopped.
type effect struct {
	kind effectKind
	job  uint64
	slot int
}

type effectKind uint8

const (
	assign effectKind = iota
	refuse
	startWorker
	stopWorker
)

func newDesk(cfg Config) *desk {
	d := &desk{cfg: cfg, slots: make([]slot, cfg.Max), waiting: make(map[uint64]*job)}
	for i := range cfg.Size {
		d.slots[i].state = starting
	}
	return d
}

// begin makes room for the effects of one event.
func (d *desk) begin() { d.effects = d.effects[:0] }

func (d *desk) do(kind effectKind, job uint64, slot int) {
	d.effects = append(d.effects, effect{kind, job, slot})
}

// offer brings jobs, all of which are taken or none.
func (d *desk) offer(now time.Time, jobs ...*job) []effect {
	d.begin()
	if d.excess(jobs) {
		for _, j := range jobs {
			d.do(refuse, j.id, 0)
		}
		return d.effects
	}
	for _, j := range jobs {
		j.since = now
		d.place(j)
	}
	d.grow(now)
	return d.effects
}

// again brings a job back that was given to a worker and did not reach it.
func (d *desk) again(j *job) []effect {
	d.begin()
	d.place(j)
	return d.effects
}

// excess reports whether more of jobs would have to wait than may.
func (d *desk) excess(jobs []*job) bool {
	more := 0
	for _, j := range jobs {
		if i := d.choose(j); i < 0 || !d.free(i) {
			more++
		}
	}
	limit := d.cfg.Queue
	if d.cfg.Overflow == Block && jobs[0].call {
		limit += d.cfg.Blocked
	}
	return more > 0 && len(d.waiting)+more > limit
}

// place gives j to a worker that is free, or lets it wait.
func (d *desk) place(j *job) {
	i := d.choose(j)
	switch {
	case i >= 0 && d.free(i):
		d.give(j, i)
		return
	case j.slot == anySlot, i < 0:
		d.common.push(j)
	default:
		d.slots[i].own.push(j)
	}
	d.waiting[j.id] = j
}

// choose returns the slot that j belongs to, or is best done in; negative if
// there is none, or if it may be done by anybody and nobody is free.
func (d *desk) choose(j *job) int {
	switch {
	case j.slot >= 0:
		return j.slot
	case j.slot == byHash:
		return d.owner(j.hash)
	case d.cfg.Route == LeastBusy:
		return d.leastBusy()
	}
	for n := range d.slots {
		if i := (d.turn + n) % len(d.slots); d.free(i) {
			return i
		}
	}
	return -1
}

// leastBusy returns a free slot with the fewest jobs in hand, the first after
// the one that was given a job last.
func (d *desk) leastBusy() int {
	best := -1
	for n := range d.slots {
		if i := (d.turn + n) % len(d.slots); d.free(i) && (best < 0 || d.slots[i].busy < d.slots[best].busy) {
			best = i
		}
	}
	return best
}

// owner returns the slot to which a key belongs. Those that are being started
// again count.
func (d *desk) owner(hash uint64) int {
	best, most := -1, uint64(0)
	for i := range d.slots {
		s := d.slots[i].state
		if s != up && s != down && s != starting {
			continue
		}
		if w := weight(i, hash); best < 0 || w > most {
			best, most = i, w
		}
	}
	return best
}

// free reports whether slot i can be given a job now.
func (d *desk) free(i int) bool {
	s := &d.slots[i]
	return s.state == up && s.busy < d.cfg.Limit && s.own.first() == nil
}

func (d *desk) give(j *job, i int) {
	d.slots[i].busy++
	d.turn = (i + 1) % len(d.slots)
	d.do(assign, j.id, i)
}

// serve gives slot i jobs that wait, the oldest first.
func (d *desk) serve(i int) {
	s := &d.slots[i]
	for s.state == up && s.busy < d.cfg.Limit {
		from := &s.own
		if own, other := s.own.first(), d.common.first(); own == nil || other != nil && other.since.Before(own.since) {
			from = &d.common
		}
		j := from.pop()
		if j == nil {
			return
		}
		delete(d.waiting, j.id)
		d.give(j, i)
	}
}

// done says that a job of slot i is out of hand, however it went.
func (d *desk) done(now time.Time, i int) []effect {
	d.begin()
	s := &d.slots[i]
	if s.busy--; s.busy == 0 {
		s.idle = now
	}
	d.serve(i)
	return d.effects
}

// rose says that there is a worker in slot i. If none is wanted it is stopped.
func (d *desk) rose(now time.Time, i int) []effect {
	d.begin()
	s := &d.slots[i]
	if s.state == empty || s.state == stopping {
		s.state = stopping
		d.do(stopWorker, 0, i)
		return d.effects
	}
	s.state = up
	if s.busy == 0 {
		s.idle = now
	}
	d.rehome()
	d.serve(i)
	d.grow(now)
	return d.effects
}

// rehome sends jobs with keys that found no worker at all to their owners.
func (d *desk) rehome() {
	for j := d.common.first(); j != nil && j.slot == byHash; j = d.common.first() {
		d.common.pop()
		delete(d.waiting, j.id)
		d.place(j)
	}
}

// fell says that the worker in slot i has ended and will be started again.
func (d *desk) fell(i int) {
	if d.slots[i].state == up {
		d.slots[i].state = down
	}
}

// vacated says that there is no worker in slot i and none will be started: it
// was stopped, or could not be started. What waited for it is given to others.
// One that is there was started since.
func (d *desk) vacated(now time.Time, i int, failed bool) []effect {
	d.begin()
	s := &d.slots[i]
	if s.state == up || s.state == down {
		return d.effects // it is another one's
	}
	s.state = empty
	if failed {
		d.barred = now.Add(growAgain)
	}
	for j := s.own.pop(); j != nil; j = s.own.pop() {
		delete(d.waiting, j.id)
		if j.slot >= 0 {
			d.do(refuse, j.id, i)
			continue
		}
		d.place(j)
	}
	d.grow(now)
	return d.effects
}

// withdraw takes a job back that waits. It reports whether it did.
func (d *desk) withdraw(id uint64) bool {
	j := d.waiting[id]
	if j == nil {
		return false
	}
	delete(d.waiting, id)
	j.in.leave(j)
	return true
}
