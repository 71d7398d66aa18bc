package actor

import (
	"errors"
	"time"
)

// DefaultKillGrace is how long a killed process may stay in its handler before
// it is declared a zombie.
const DefaultKillGrace = time.Second

// exitSignal is an exit signal on its way to one process.
type exitSignal struct {
	from   PID
	reason error
	link   bool // sent by a link, and so void once the link is gone
	parent bool // counts as the parent's, whoever that is
	abroad bool // came from another node, and so never from the parent
}

// signalExit lets sig act on p, by OTP's rules:
//
//	signal                    p does not trap exits    p traps exits
//	ErrKilled, not by a link  dies                     dies
//	from p's parent           dies, unless ErrNormal   ends in its turn
//	ErrNormal                 nothing                  Exit message
//	any other                 dies                     Exit message
func (p *process) signalExit(sig exitSignal, from *process) {
	if !sig.link && errors.Is(sig.reason, ErrKilled) {
		p.kill()
		return
	}
	p.mu.Lock()
	if p.phase >= phaseExiting {
		p.mu.Unlock()
		return
	}
	if sig.link {
		if a := p.annex.Load(); a == nil || !a.links.remove(sig.from) {
			p.mu.Unlock()
			return
		}
	}
	fromParent := sig.parent || p.isParent(sig.from, sig.abroad)
	if a := p.annex.Load(); a != nil && a.trap {
		kind := letterExit
		if fromParent {
			kind = letterParentExit
		}
		p.enqueueLocked(&letter{kind: kind, from: sig.from, reason: sig.reason})
		p.wake(from) // unlocks
		return
	}
	if errors.Is(sig.reason, ErrNormal) && sig.from != p.pid() {
		p.mu.Unlock()
		return
	}
	p.interrupt(fenceExit, sig.reason) // unlocks
}

// exitSignal sends an exit signal from outside or from a process.
func (s *System) exitSignal(from *process, to PID, reason error) error {
	if to.IsZero() {
		return ErrNoProc
	}
	if reason == nil {
		reason = ErrNormal
	}
	var sender PID
	if from != nil {
		sender = from.pid()
	}
	if to.node != s.node {
		return s.route(Signal{Kind: SignalExit, From: sender, To: to, Reason: reason})
	}
	p := s.procs.find(to.id)
	if p == nil {
		return ErrNoProc
	}
	if errors.Is(reason, ErrKilled) {
		p.kill()
		return nil
	}
	p.signalExit(exitSignal{from: sender, reason: reason}, from)
	return nil
}

// isParent reports whether pid spawned p. What was spawned from outside has
// the system as parent, which signals as the zero PID, but not from abroad.
func (p *process) isParent(pid PID, abroad bool) bool {
	if pid.IsZero() {
		return p.parent == 0 && !abroad
	}
	if pid.node == p.sys.node {
		return pid.id == p.parent && !abroad
	}
	a := p.annex.Load()
	return a != nil && a.parentAbroad == pid
}

// enqueueLocked puts a letter into the mailbox past its bound. p.mu is held.
func (p *process) enqueueLocked(m *letter) {
	if p.mailbox.bounded {
		p.annex.Load().bound.push(m, true)
		return
	}
	p.mailbox.push(m, p.sys)
}

// interrupt raises a bit of the fence, so that p ends before its next message:
// its context is cancelled and the call it waits in fails. It is called with
// p.mu held and releases it.
func (p *process) interrupt(bit uint32, reason error) {
	a := p.ensureAnnex()
	if a.exit == nil || bit == fenceKilled {
		a.exit = reason
	}
	p.fence.Or(bit)
	blocked, life := a.blocked, a.life
	p.wake(nil) // unlocks
	// First the call, so that it fails with the reason even if it waits on the
	// context too.
	blocked.complete(nil, reason, false)
	if life != nil {
		life.cancel(reason)
	}
}

// kill ends p without Terminate: at once if it is between two messages, else
// when its handler returns, and after the grace in any case.
func (p *process) kill() {
	a := p.ensureAnnex()
	p.mu.Lock()
	if p.phase == phaseDead || p.fenced() {
		p.mu.Unlock()
		return
	}
	if p.phase != phaseIdle {
		a.grace = time.AfterFunc(p.sys.killGrace, p.expire)
	}
	p.interrupt(fenceKilled, ErrKilled) // unlocks
}

// expire declares a killed process a zombie: its handler, its Init or its
// Terminate has not returned within the grace.
func (p *process) expire() {
	p.mu.Lock()
	if p.phase == phaseDead {
		p.mu.Unlock()
		return
	}
	starting := p.phase == phaseStarting
	p.phase = phaseDead
	p.sys.zombies.add(p.pid()) // before the handler can return and take it out
	p.mu.Unlock()
	if starting {
		p.leaveParent()
	}
	p.sys.observers.report(ZombieFound{p.pid()})
	p.finalize(ErrZombie, false)
}

// exit ends p with reason. The caller owns the receiver's line and loses it.
func (p *process) exit(reason error) {
	// Deferred, because Terminate may unwind the goroutine by runtime.Goexit.
	defer func() {
		p.mu.Lock()
		if p.phase == phaseDead {
			p.mu.Unlock()
			p.returned()
			return
		}
		p.phase = phaseDead
		p.mu.Unlock()
		if p.fenced() {
			reason = ErrKilled
		}
		p.finalize(reason, true)
	}()
	p.mu.Lock()
	if p.phase == phaseDead || p.fenced() {
		p.mu.Unlock()
		return
	}
	p.phase = phaseExiting
	a := p.annex.Load()
	var life *life
	if a != nil {
		life, a.life = a.life, nil // Terminate's context is a fresh one
	}
	p.mu.Unlock()
	if life != nil {
		life.cancel(reason)
	}
	p.current = callRef{}
	p.forgetMessage()
	p.terminate(&reason)
}

// terminate runs the actor's Terminate. If it panics, that is the reason.
func (p *process) terminate(reason *error) {
	t, ok := p.original().(Terminator)
	if !ok {
		return
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		*reason = ErrGoexit
		if v := recover(); v != nil {
			*reason = NewPanicError(v)
		}
	}()
	t.Terminate(p.self(), *reason)
	returned = true
}
