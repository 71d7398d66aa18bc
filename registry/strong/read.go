package strong

import (
	"context"
	"sync"
	"time"
)

// maxReads bounds the reads that wait for a confirmation.
const maxReads = 1 << 16

// query is what is read: a registered name or a lease.
type query struct {
	lease bool
	name  string
}

func (q query) encode() []byte { return append(appendBool(nil, q.lease), q.name...) }

func decodeQuery(b []byte) (query, error) {
	r := reader{b: b}
	q := query{lease: r.yes()}
	q.name = string(r.b)
	if r.bad || len(q.name) > maxName {
		return query{}, errMalformed
	}
	return q, nil
}

// read looks q up.
func (q query) read(m *machine) result {
	if q.lease {
		return m.owner(q.name)
	}
	return m.lookup(q.name)
}

// pendingRead waits for a confirmation. answer is called once and must not wait.
type pendingRead struct {
	query  query
	answer func(result, error)
}

// readers lets reads that come together share one confirmation that this node
// still leads. A read is linearizable because everything that was acknowledged
// before it was asked for is in the leader's state by then: by earlier leaders,
// since an entry of this leader's own has been carried out after theirs; by
// itself, since it acknowledges only what it has carried out; and by later
// leaders nothing, since a majority of the voters confirms after the question
// that it has not voted for one.
//
// raft has VerifyLeader for that. It also counts answers from standbys and to
// heartbeats that were sent before the question, and so relies on clocks.
type readers struct {
	fsm *fsm
	// confirm returns nil if this node has been the leader at some moment since
	// it was called.
	confirm func(ctx context.Context) error
	queue   queue[pendingRead]
}

func (p *readers) ask(q query, answer func(result, error)) {
	if err := p.queue.put(pendingRead{q, answer}); err != nil {
		answer(result{}, err)
	}
}

// run answers reads until ctx ends.
func (p *readers) run(ctx context.Context) {
	all := func(waiting []pendingRead) int { return len(waiting) }
	for ctx.Err() == nil {
		if reads := p.queue.take(all); len(reads) > 0 {
			p.serve(ctx, reads)
			continue
		}
		select {
		case <-p.queue.wake:
		case <-ctx.Done():
		}
	}
	if left := p.queue.close(); len(left) > 0 {
		p.serve(ctx, left)
	}
}

func (p *readers) serve(ctx context.Context, reads []pendingRead) {
	if err := p.confirm(ctx); err != nil {
		for _, r := range reads {
			r.answer(result{}, err)
		}
		return
	}
	results := make([]result, len(reads))
	p.fsm.view(func(m *machine) {
		for i, r := range reads {
			results[i] = r.query.read(m)
		}
	})
	for i, r := range reads {
		r.answer(results[i], nil)
	}
}

// ballot counts the voters that confirm a leader.
type ballot struct {
	needed  int // votes still
	open    int // voters that have not answered
	decided chan error
	mu      sync.Mutex
}

// vote takes a voter's answer.
func (b *ballot) vote(yes bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open--
	if yes {
		b.needed--
	}
	var err error
	switch {
	case b.needed == 0 && yes:
	case b.open < b.needed:
		err = errNotLeader
	default:
		return
	}
	select {
	case b.decided <- err:
	default: // it was decided before
	}
}

// wait returns what the voters have decided.
func (b *ballot) wait(ctx context.Context, timeout time.Duration) error {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case err := <-b.decided:
		return err
	case <-timer.C:
		return errNotLeader
	case <-ctx.Done():
		return errClosed
	}
}
