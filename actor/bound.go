package actor

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Mailbox is a [SpawnOption] that bounds a process's mailbox. Without it, or
// with Capacity 0, a mailbox is unbounded. Signals ([Down], [Exit]), replies
// and timer messages are never refused and do not count.
type Mailbox struct {
	// Capacity is how many messages may wait; 0 means any number.
	Capacity int
	// Overflow says what happens to a message that finds the mailbox full.
	Overflow Overflow
	// Wait is how long OverflowBlock lets a sender wait at most.
	// Zero means DefaultOverflowWait.
	Wait time.Duration
}

// DefaultOverflowWait bounds the wait for room in a full mailbox: long enough
// for a busy receiver, short enough that a cycle of waiting senders dissolves.
const DefaultOverflowWait = time.Second

// Overflow is what a full mailbox does.
type Overflow uint8

const (
	// OverflowFail refuses the new message: its sender gets ErrMailboxFull.
	OverflowFail Overflow = iota
	// OverflowDropNewest takes the new message and makes it a dead letter;
	// its sender is not told.
	OverflowDropNewest
	// OverflowDropOldest makes the message that has waited longest a dead
	// letter and takes the new one.
	OverflowDropOldest
	// OverflowBlock lets the sender wait for room, first come, first served,
	// until Mailbox.Wait has passed, then fails with ErrMailboxFull. A call
	// waits no longer than its context and deadline allow, and a process no
	// longer than until an exit signal or a kill ends it; the error is then
	// that reason. A process that sends to itself does not wait.
	OverflowBlock
)

// String returns the policy's name, such as "drop-oldest".
func (o Overflow) String() string {
	switch o {
	case OverflowFail:
		return "fail"
	case OverflowDropNewest:
		return "drop-newest"
	case OverflowDropOldest:
		return "drop-oldest"
	case OverflowBlock:
		return "block"
	}
	return fmt.Sprintf("Overflow(%d)", uint8(o))
}

func (m Mailbox) valid() error {
	if m.Capacity < 0 || m.Wait < 0 || m.Overflow > OverflowBlock {
		return fmt.Errorf("actor: invalid mailbox: capacity %d, overflow %v, wait %v", m.Capacity, m.Overflow, m.Wait)
	}
	return nil
}

// bound is the queue of a process with a bounded mailbox. It gives out one
// message at a time, so that capacity and drop-oldest are exact. Guarded by
// process.mu.
//
// Invariants:
//  1. users never exceeds Capacity.
//  2. While a sender waits, users is Capacity: a place that becomes free is
//     filled at once with the message that has waited longest outside, so that
//     nobody overtakes it.
type bound struct {
	Mailbox
	queue   []boundEntry // a ring
	head, n int
	users   int       // entries that count against the capacity
	waiting []*waiter // blocked senders, the longest first
}

type boundEntry struct {
	msg    any
	exempt bool
}

// waiter is a sender waiting for room.
type waiter struct {
	msg   any
	taken bool          // msg is in the queue
	done  chan struct{} // closed when it is, or when the process is gone
}

func (b *bound) push(msg any, exempt bool) {
	if b.n == len(b.queue) {
		grown := make([]boundEntry, max(8, 2*b.n))
		for i := range b.n {
			grown[i] = *b.at(i)
		}
		b.queue, b.head = grown, 0
	}
	*b.at(b.n) = boundEntry{msg, exempt}
	b.n++
}

// at returns the i-th place of the ring, counted from the oldest.
func (b *bound) at(i int) *boundEntry { return &b.queue[(b.head+i)%len(b.queue)] }

func (b *bound) pop() (msg any, ok bool) {
	if b.n == 0 {
		b.queue, b.head = nil, 0
		return nil, false
	}
	e := *b.at(0)
	b.removeFirst()
	if !e.exempt {
		b.vacate()
	}
	return e.msg, true
}

func (b *bound) removeFirst() {
	*b.at(0) = boundEntry{}
	b.head = (b.head + 1) % len(b.queue)
	b.n--
}

// replaceOldest takes the user message that has waited longest away and puts
// msg at the end, in the place that becomes free.
func (b *bound) replaceOldest(msg any) (dropped any) {
	i := 0
	for b.at(i).exempt {
		i++
	}
	dropped = b.at(i).msg
	for ; i > 0; i-- { // the signals before it move up
		*b.at(i) = *b.at(i - 1)
	}
	b.removeFirst()
	b.push(msg, false)
	return dropped
}

// vacate fills a free place with what has waited longest outside, if anything.
func (b *bound) vacate() {
	if len(b.waiting) == 0 {
		b.users--
		return
	}
	w := b.waiting[0]
	b.waiting[0] = nil
	b.waiting = b.waiting[1:]
	b.push(w.msg, false)
	w.taken = true
	close(w.done)
}

// releaseAll lets every blocked sender find out that the process is gone.
func (b *bound) releaseAll() {
	for _, w := range b.waiting {
		close(w.done)
	}
	b.waiting = nil
}

// giveUp takes w out of the queue of blocked senders.
func (b *bound) giveUp(w *waiter) {
	b.waiting = slices.DeleteFunc(b.waiting, func(other *waiter) bool { return other == w })
}

// deliverBounded delivers a user message to a bounded mailbox. ctx ends the
// wait for room. It is called with p.mu held and releases it.
func (p *process) deliverBounded(ctx context.Context, msg any, from *process) error {
	b := p.annex.Load().bound
	if b.users < b.Capacity {
		b.users++
		b.push(msg, false)
		p.wake(from) // unlocks
		return nil
	}
	switch b.Overflow {
	case OverflowDropNewest:
		p.mu.Unlock()
		p.sys.discard(p.pid(), msg, ErrMailboxFull)
		return nil
	case OverflowDropOldest:
		dropped := b.replaceOldest(msg)
		p.wake(from) // unlocks
		p.sys.discard(p.pid(), dropped, ErrMailboxFull)
		return nil
	case OverflowBlock:
		if from != p {
			return p.deliverBlocking(ctx, b, msg, from)
		}
	}
	p.mu.Unlock()
	return ErrMailboxFull
}

// deliverBlocking waits for room. It is called with p.mu held and releases it.
func (p *process) deliverBlocking(ctx context.Context, b *bound, msg any, from *process) error {
	w := &waiter{msg: msg, done: make(chan struct{})}
	b.waiting = append(b.waiting, w)
	p.mu.Unlock()
	gaveUp := b.await(ctx, w, from)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case w.taken: // perhaps in the moment of giving up
		return nil
	case p.phase == phaseDead:
		return ErrNoProc
	default:
		b.giveUp(w)
		return gaveUp
	}
}

// await waits until w is done or there is a reason to wait no longer, which it
// returns: the mailbox's patience, the call's deadline, the end of ctx or that of
// the sender.
func (b *bound) await(ctx context.Context, w *waiter, from *process) error {
	patience, late := b.Wait, ErrMailboxFull
	if c, ok := w.msg.(*call); ok {
		if left := time.Until(c.dueBy()); left < patience {
			patience, late = left, ErrTimeout
		}
	}
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	var life context.Context
	var ended <-chan struct{}
	if from != nil {
		life = from.lifeContext()
		ended = life.Done()
	}
	select {
	case <-w.done:
		return nil
	case <-timeout.C:
		return late
	case <-ctx.Done():
		return ContextError(ctx)
	case <-ended:
		return context.Cause(life)
	}
}
