package actor

import (
	"fmt"
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
	// OverflowBlock lets the sender wait for room until Mailbox.Wait has
	// passed, then fails with ErrMailboxFull. A process that sends to itself
	// does not wait.
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
type bound struct {
	Mailbox
	queue   []boundEntry // a ring
	head, n int
	users   int             // entries that count against the capacity
	waiting []chan struct{} // blocked senders, the longest first
}

type boundEntry struct {
	msg    any // nil where drop-oldest took a message away
	exempt bool
}

func (b *bound) push(msg any, exempt bool) {
	if b.n == len(b.queue) {
		grown := make([]boundEntry, max(8, 2*b.n))
		for i := range b.n {
			grown[i] = b.queue[(b.head+i)%b.n]
		}
		b.queue, b.head = grown, 0
	}
	b.queue[(b.head+b.n)%len(b.queue)] = boundEntry{msg, exempt}
	b.n++
	if !exempt {
		b.users++
	}
}

func (b *bound) pop() (msg any, ok bool) {
	for b.n > 0 {
		e := b.queue[b.head]
		b.queue[b.head] = boundEntry{}
		b.head = (b.head + 1) % len(b.queue)
		b.n--
		if e.msg == nil {
			continue
		}
		if !e.exempt {
			b.users--
			b.release()
		}
		return e.msg, true
	}
	b.queue, b.head = nil, 0
	return nil, false
}

// dropOldest takes away the user message that has waited longest.
func (b *bound) dropOldest() any {
	for i := range b.n {
		e := &b.queue[(b.head+i)%len(b.queue)]
		if !e.exempt && e.msg != nil {
			msg := e.msg
			e.msg = nil
			b.users--
			b.skipHoles()
			return msg
		}
	}
	return nil
}

// skipHoles keeps holes from piling up where nothing is popped.
func (b *bound) skipHoles() {
	for b.n > 0 && b.queue[b.head].msg == nil {
		b.head = (b.head + 1) % len(b.queue)
		b.n--
	}
}

// release lets the longest blocked sender try again.
func (b *bound) release() {
	if len(b.waiting) > 0 {
		close(b.waiting[0])
		b.waiting = b.waiting[1:]
	}
}

// releaseAll lets every blocked sender find out that the process is gone.
func (b *bound) releaseAll() {
	for _, w := range b.waiting {
		close(w)
	}
	b.waiting = nil
}

// deliverBounded delivers a user message to a bounded mailbox. It is called
// with p.mu held and releases it.
func (p *process) deliverBounded(msg any, from *process) error {
	b := p.annex.Load().bound
	if b.users < b.Capacity {
		b.push(msg, false)
		p.wake(from)
		return nil
	}
	switch b.Overflow {
	case OverflowDropNewest:
		p.mu.Unlock()
		p.sys.discard(p.pid(), msg, ErrMailboxFull)
		return nil
	case OverflowDropOldest:
		dropped := b.dropOldest()
		b.push(msg, false)
		p.wake(from)
		p.sys.discard(p.pid(), dropped, ErrMailboxFull)
		return nil
	case OverflowBlock:
		if from != p {
			return p.deliverBlocking(b, msg, from)
		}
	}
	p.mu.Unlock()
	return ErrMailboxFull
}

// deliverBlocking waits for room. It is called with p.mu held and releases it.
func (p *process) deliverBlocking(b *bound, msg any, from *process) error {
	timeout := time.NewTimer(b.Wait)
	defer timeout.Stop()
	for p.phase != phaseDead && b.users >= b.Capacity {
		room := make(chan struct{})
		b.waiting = append(b.waiting, room)
		p.mu.Unlock()
		select {
		case <-room:
			p.mu.Lock()
		case <-timeout.C:
			p.mu.Lock()
			b.giveUp(room)
			p.mu.Unlock()
			return ErrMailboxFull
		}
	}
	if p.phase == phaseDead {
		p.mu.Unlock()
		return ErrNoProc
	}
	b.push(msg, false)
	p.wake(from)
	return nil
}

// giveUp takes a sender whose time is up from the queue. If its turn came in
// the same moment, the turn goes to the next.
func (b *bound) giveUp(room chan struct{}) {
	for i, w := range b.waiting {
		if w == room {
			b.waiting = append(b.waiting[:i:i], b.waiting[i+1:]...)
			return
		}
	}
	if b.users < b.Capacity {
		b.release()
	}
}
