package pool

import "time"

// job is one job at the desk.
type job struct {
	id    uint64
	slot  int    // where it must be done; anySlot, or by its hash
	hash  uint64 // of its key, if slot is bySlotHash
	call  bool   // somebody waits for it
	since time.Time

	in   *line // where it waits
	gone bool  // it does so no longer
}

// Values of job.slot besides slots.
const (
	anySlot = -1
	byHash  = -2
)

// line is a queue of jobs. Those that leave it from the middle are marked, and
// taken out when there are too many.
type line struct {
	jobs []*job
	gone int
}

func (l *line) push(j *job) {
	j.in = l
	l.jobs = append(l.jobs, j)
}

// first returns the job that has waited longest, or nil.
func (l *line) first() *job {
	for len(l.jobs) > 0 {
		if j := l.jobs[0]; !j.gone {
			return j
		}
		l.drop()
		l.gone--
	}
	return nil
}

// pop takes the first job out.
func (l *line) pop() *job {
	j := l.first()
	if j != nil {
		l.drop()
		j.in = nil
	}
	return j
}

func (l *line) drop() {
	l.jobs[0] = nil
	if l.jobs = l.jobs[1:]; len(l.jobs) == 0 {
		l.jobs = nil // a burst leaves nothing behind
	}
}

// leave takes j out, wherever it stands.
func (l *line) leave(j *job) {
	j.gone, j.in = true, nil
	if l.gone++; l.gone <= len(l.jobs)/2 {
		return
	}
	kept := make([]*job, 0, len(l.jobs)-l.gone)
	for _, other := range l.jobs {
		if !other.gone {
			kept = append(kept, other)
		}
	}
	l.jobs, l.gone = kept, 0
}
