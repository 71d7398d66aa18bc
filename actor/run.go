package actor

// turnMessages is how many messages a process handles before it lets other
// processes run. It amortises the change of process and keeps a busy process
// from holding up the rest for long.
const turnMessages = 256

// run handles messages until the mailbox is empty, the process has ended, or
// its turn is over; in the last case it reports true. The caller owns the
// receiver's line of p, and on a false result does so no longer.
func (p *process) run() (again bool) {
	returned := false
	defer func() {
		if returned {
			return
		}
		var reason error = ErrGoexit
		if v := recover(); v != nil {
			reason = NewPanicError(v)
		}
		again = false
		p.exit(reason)
	}()
	again, reason := p.loop()
	returned = true
	if reason != nil {
		p.exit(reason)
	}
	return again
}

// loop is the body of run without its protection. A reason ends the process.
func (p *process) loop() (again bool, reason error) {
	for n := 0; n < turnMessages; {
		if p.fence.Load() != 0 {
			return false, p.interruption()
		}
		msg, ok := p.hand.next(p.sys)
		if !ok {
			if !p.refill() {
				return false, nil
			}
			continue
		}
		n++
		switch m := msg.(type) {
		case *call:
			reason = p.handleCall(m.ref(), m.msg)
		case *letter:
			reason = p.handleLetter(m)
		default:
			reason = p.actor.Receive(p.self(), msg)
		}
		if reason != nil {
			return false, reason
		}
		if p.hand.idle && !isSilent(msg) {
			p.touch()
		}
	}
	return true, nil
}

// refill takes new mail. It reports false when there is none and p has become
// idle, that is, no longer belongs to the caller.
func (p *process) refill() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mailbox.bounded {
		if msg, ok := p.annex.Load().bound.pop(); ok {
			p.hand.first[0], p.hand.firstN, p.hand.firstI = msg, 1, 0
			return true
		}
	} else if p.mailbox.take(&p.hand) {
		return true
	}
	// A signal that came since the last look must not be slept through. A
	// zombie (phaseDead) always has a raised fence.
	if p.fence.Load() != 0 {
		return true
	}
	p.phase = phaseIdle
	return false
}

// interruption is the reason why a raised fence ends the process.
func (p *process) interruption() error {
	if p.fenced() {
		return ErrKilled
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.annex.Load().exit
}

// letter is mail of the kernel's own, or a message with something attached.
type letter struct {
	kind   letterKind
	ref    uint64  // of a monitor or a timer
	from   PID     // of an exit
	of     Address // of a down
	reason error   // of an exit or a down
	msg    any     // of an envelope or a timer
	trace  []byte  // of an envelope
	loan   Loan    // of an envelope, if its message was lent
	call   callRef // of a request that was stashed
}

type letterKind uint8

const (
	letterEnvelope   letterKind = iota // a message with a trace, or lent
	letterDown                         // a monitor fired
	letterExit                         // a trapped exit signal
	letterParentExit                   // an exit signal from the parent: it ends the process in its turn
	letterTimer                        // a timer fired
	letterIdle                         // a receive timeout may be due
	letterCall                         // a request, again
	letterMark                         // what came before it from other nodes has been handled
)

// isSilent reports whether msg is none that a receive timeout counts.
func isSilent(msg any) bool {
	m, ok := msg.(*letter)
	return ok && (m.kind == letterIdle || m.kind == letterMark)
}

// handleLetter opens m and handles what is in it, if it is still wanted.
func (p *process) handleLetter(m *letter) error {
	switch m.kind {
	case letterParentExit:
		return m.reason
	case letterExit:
		return p.actor.Receive(p.self(), Exit{From: m.from, Reason: m.reason})
	case letterDown:
		if p.monitorFired(MonitorRef{m.ref}) {
			return p.actor.Receive(p.self(), downMessage(MonitorRef{m.ref}, m.of, m.reason))
		}
	case letterTimer:
		if p.timerFired(TimerRef{m.ref}) {
			return p.actor.Receive(p.self(), m.msg)
		}
	case letterIdle:
		if p.idleDue() {
			return p.actor.Receive(p.self(), ReceiveTimeout{})
		}
	case letterMark:
		p.discharge(int(m.ref))
	case letterCall:
		if m.call.waiting() {
			return p.handleCall(m.call, m.msg)
		}
	case letterEnvelope:
		a := p.ensureAnnex()
		a.trace, a.loan = m.trace, m.loan
		err := p.actor.Receive(p.self(), m.msg)
		a.trace = nil
		a.returnLoan()
		return err
	}
	return nil
}
