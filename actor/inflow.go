package actor

// maxUnwoken is how many messages an [Inflow] delivers to a process before it
// lets that run: some tens of microseconds' worth, in which a process that
// handles them faster than they come would otherwise be woken for each.
const maxUnwoken = 256

// Inflow delivers messages that come one after the other, as over a connection,
// with nothing but a sender, a receiver, which must be a process of this node, and
// a size. It is [System.Deliver] of such a message, but that a receiver may be let
// run only when [Inflow.Flush] is called, which has to be before the caller waits
// for more. It is for one goroutine at a time.
type Inflow struct {
	sys    *System
	idle   *process // has mail and has not been woken
	unseen int      // messages since it was found idle
}

// Inflow returns a way in for messages.
func (s *System) Inflow() *Inflow { return &Inflow{sys: s} }

// Deliver puts msg into the mailbox of to. It does not wait, and reports over as
// System.Deliver does. What cannot be delivered becomes a dead letter.
func (f *Inflow) Deliver(from, to PID, msg any, size int) (over bool) {
	s := f.sys
	p, err := (*process)(nil), ErrNoProc
	if msg == nil {
		err = ErrNilMessage
	} else if to.node == s.node {
		p = s.procs.find(to.id)
	}
	if p != f.idle {
		f.Flush()
	}
	if p != nil {
		if over, err = p.deliverAbroad(msg, size, f); err == nil {
			return over
		}
	}
	s.deadLetter(DeadLetter{To: to, From: from, Message: msg, Reason: err})
	return over
}

// DeliverAll is Deliver of several messages, none of them nil, from one sender to
// one receiver, in order. size is that of all of them.
func (f *Inflow) DeliverAll(from, to PID, msgs []any, size int) (over bool) {
	if len(msgs) == 0 {
		return false
	}
	if to.node == f.sys.node {
		if p := f.sys.procs.find(to.id); p != nil {
			if p != f.idle {
				f.Flush()
			}
			if over, ok := p.deliverRun(msgs, size, f); ok {
				return over
			}
		}
	}
	for _, msg := range msgs {
		over = f.Deliver(from, to, msg, size/len(msgs)) || over
	}
	return over
}

// Flush lets those run that have mail.
func (f *Inflow) Flush() {
	if f.idle != nil {
		f.wake()
	}
}

func (f *Inflow) wake() {
	p := f.idle
	f.idle, f.unseen = nil, 0
	p.mu.Lock()
	p.wake(nil) // unlocks
}

// delivered notes that p has mail: so many messages. It is called with p.mu held
// and releases it.
func (f *Inflow) delivered(p *process, n int) {
	idle := p.phase == phaseIdle
	p.mu.Unlock()
	if !idle {
		return // it runs, or is about to
	}
	f.idle = p
	if f.unseen += n; f.unseen >= maxUnwoken {
		f.wake()
	}
}
