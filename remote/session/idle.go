package session

import (
	"fmt"
	"slices"
	"time"
)

// each goes through all senders. It lets go of what has been idle for long, and
// finds out when the next one needs something.
func (t *Table[K, T]) each(now time.Time, do func(*Sender[T]) Effects[T]) []Due[K, T] {
	at := t.clock.at(now)
	clear(t.due)
	t.due, t.wake = t.due[:0], alarm{}
	forgotten := t.stats.Forgotten
	for _, o := range t.senders {
		before := o.sender.bytes
		if effects := do(o.sender); !effects.Empty() {
			t.due = append(t.due, Due[K, T]{Key: o.key, Effects: effects})
		}
		t.retained += o.sender.bytes - before
		if o.sender.idle() && o.used+t.cfg.Forget <= at {
			t.forget(o)
		} else {
			t.watch(o)
		}
	}
	if t.stats.Forgotten > forgotten {
		t.sweep()
	}
	for _, i := range t.receivers {
		switch {
		case !i.receiver.roomy():
		case i.used+t.cfg.Forget <= at:
			i.receiver.shrink()
		default:
			t.wake.before(i.used + t.cfg.Forget)
		}
	}
	return t.due
}

// watch makes the alarm ring when o needs something, or can be forgotten.
func (t *Table[K, T]) watch(o *outgoing[K, T]) {
	if at, ok := o.sender.deadline(); ok {
		t.wake.before(at)
	} else if o.sender.idle() {
		t.wake.before(o.used + t.cfg.Forget)
	}
}

// forget lets go of an idle sender, but not of its numbers: see the package's
// comment on why they never restart. A sweep must follow.
func (t *Table[K, T]) forget(o *outgoing[K, T]) {
	t.floor = max(t.floor, o.sender.next-1)
	delete(t.outgoing, o.key)
	t.stats.Forgotten++
}

// sweep takes the forgotten out of the list of senders.
func (t *Table[K, T]) sweep() {
	t.senders = slices.DeleteFunc(t.senders, func(o *outgoing[K, T]) bool { return t.outgoing[o.key] != o })
}

// makeRoom forgets all idle senders, and reports whether there were any.
func (t *Table[K, T]) makeRoom() bool {
	forgotten := t.stats.Forgotten
	for _, o := range t.senders {
		if o.sender.idle() {
			t.forget(o)
		}
	}
	t.sweep()
	return t.stats.Forgotten > forgotten
}

// valid returns an error if an invariant of the table or of a stream is broken.
func (t *Table[K, T]) valid() error {
	retained, kept := 0, 0
	for _, o := range t.senders {
		retained += o.sender.bytes
		if err := o.sender.valid(); err != nil {
			return fmt.Errorf("sender %v: %w", o.key, err)
		}
		if at, ok := o.sender.deadline(); ok && (!t.wake.set || at < t.wake.at) {
			return fmt.Errorf("sender %v waits for %v, the table for %v", o.key, at, t.wake)
		}
	}
	for _, i := range t.receivers {
		kept += i.receiver.bytes
		if err := i.receiver.valid(); err != nil {
			return fmt.Errorf("receiver %v: %w", i.key, err)
		}
		if i.receiver.owing && (!i.listed || !t.ackAt.set || i.receiver.ackAt < t.ackAt.at) {
			return fmt.Errorf("receiver %v owes an ack at %v, the table at %v", i.key, i.receiver.ackAt, t.ackAt)
		}
	}
	if retained != t.retained || kept != t.kept || kept > t.cfg.MaxBytes {
		return fmt.Errorf("%d bytes retained, not %d; %d kept, not %d", retained, t.retained, kept, t.kept)
	}
	if len(t.senders) != len(t.outgoing) || len(t.receivers) != len(t.incoming) || max(len(t.senders), len(t.receivers)) > t.cfg.MaxStreams {
		return fmt.Errorf("%d senders of %d, %d receivers of %d", len(t.senders), len(t.outgoing), len(t.receivers), len(t.incoming))
	}
	return nil
}
