package actor

// DefaultBudget is what mail from other nodes may wait for one process, in
// bytes: much for a mailbox, little for a machine.
const DefaultBudget = 64 << 20

// Throttle is a [Router] that wants to know when a process, of which
// [System.Deliver] or [System.Overloaded] has said that it has more mail
// waiting than its budget, has come down to half of that, or has ended.
type Throttle interface {
	Router
	// Relieved is called by any goroutine, and must not wait.
	Relieved(pid PID)
}

const (
	// few and small are what a mailbox may hold without being charged: the
	// common case is a process that keeps up.
	few   = 64
	small = 64 << 10
	// quanta is how many marks a budget is divided by.
	quanta = 16
	// overhead is what a message costs besides its own size, about.
	overhead = 64
)

// account is what the mail from other nodes amounts to that waits for a
// process. Guarded by process.mu.
//
// The mail itself is not marked with its size. Instead a mark is put behind it,
// whenever a part of the budget has been charged; once the receiver comes to
// the mark, it has handled all that.
//
// Invariants:
//  1. waiting is at least what the marks in the mailbox amount to, and unmarked.
//  2. over is set if Deliver has said so and Relieved has not been called since.
type account struct {
	waiting  int // bytes
	unmarked int // of these, those behind the last mark
	over     bool
}

// deliverAbroad is deliver for a message or request that came from another
// node, of the given size. It never waits: a mailbox that would block its sender
// takes the mail beyond its bound. It reports over if more waits than may. If by is
// given, it wakes the process.
func (p *process) deliverAbroad(msg any, size int, by *Inflow) (over bool, err error) {
	p.mu.Lock()
	if p.phase == phaseDead {
		p.mu.Unlock()
		return false, ErrNoProc
	}
	if c, ok := msg.(*call); ok {
		p.acceptAbroad(c)
	}
	budget := p.sys.budget
	switch {
	case !p.mailbox.bounded:
		p.mailbox.push(msg, p.sys)
		if p.mailbox.count > few || size >= small {
			over = p.charge(size+overhead, budget/quanta, budget)
		}
	default:
		b := p.annex.Load().bound
		if b.Overflow != OverflowBlock || b.users < b.Capacity {
			return false, p.deliverBounded(p.sys.base, msg, nil) // does not wait; unlocks
		}
		b.push(msg, true)
		over = p.charge(size+overhead, 0, 0)
	}
	if by != nil {
		by.delivered(p, 1) // unlocks
	} else {
		p.wake(nil) // unlocks
	}
	return over, nil
}

// deliverRun is deliverAbroad of several messages at once, of the given size all
// in all. It reports ok false if they have to be delivered one by one.
func (p *process) deliverRun(msgs []any, size int, by *Inflow) (over, ok bool) {
	p.mu.Lock()
	if p.phase == phaseDead || p.mailbox.bounded {
		p.mu.Unlock()
		return false, false
	}
	for _, msg := range msgs {
		p.mailbox.push(msg, p.sys)
	}
	if budget := p.sys.budget; p.mailbox.count > few || size >= small {
		over = p.charge(size+len(msgs)*overhead, budget/quanta, budget)
	}
	by.delivered(p, len(msgs)) // unlocks
	return over, true
}

// charge notes that mail of the given size waits, with a mark behind it if more
// than quantum has come since the last one. p.mu is held.
func (p *process) charge(size, quantum, budget int) (over bool) {
	a := p.ensureAnnex()
	if a.account == nil {
		a.account = new(account)
	}
	acc := a.account
	acc.waiting += size
	if acc.unmarked += size; acc.unmarked > quantum {
		mark := &letter{kind: letterMark, ref: uint64(acc.unmarked)}
		acc.unmarked = 0
		if p.mailbox.bounded {
			a.bound.push(mark, true)
		} else {
			p.mailbox.push(mark, p.sys)
		}
	}
	acc.over = acc.over || acc.waiting > budget
	return acc.over
}

// discharge notes that the receiver has come to a mark.
func (p *process) discharge(size int) {
	p.mu.Lock()
	a := p.annex.Load()
	acc := a.account
	acc.waiting -= size
	limit := p.sys.budget / 2
	if p.mailbox.bounded {
		limit = 0
	}
	relieved := acc.over && acc.waiting <= limit
	if relieved {
		acc.over = false
	}
	p.mu.Unlock()
	if relieved {
		p.sys.relieved(p.pid())
	}
}

// relieved tells the router that a process has caught up, or is gone.
func (s *System) relieved(pid PID) {
	if t, ok := s.router.(Throttle); ok {
		t.Relieved(pid)
	}
}

// discount ends p's account, because p has ended.
func (p *process) discount() {
	a := p.annex.Load()
	if a == nil {
		return
	}
	p.mu.Lock()
	over := a.account != nil && a.account.over
	if over {
		a.account.over = false
	}
	p.mu.Unlock()
	if over {
		p.sys.relieved(p.pid())
	}
}

// Overloaded returns the process that sig is for and whether it has more mail
// from other nodes waiting than its budget. If it does, [Throttle.Relieved]
// will be called for it.
func (s *System) Overloaded(sig Signal) (pid PID, over bool) {
	p := s.receiver(sig)
	if p == nil {
		return PID{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.annex.Load()
	return p.pid(), p.phase != phaseDead && a != nil && a.account != nil && a.account.over
}

// receiver returns the process that sig is for; nil if there is none.
func (s *System) receiver(sig Signal) *process {
	pid := sig.To
	if pid.IsZero() && sig.Name.Name != "" {
		pid, _ = s.names.find(sig.Name.Name)
	}
	if pid.node != s.node {
		return nil
	}
	return s.procs.find(pid.id)
}
