package server

import (
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/internal/order"
)

// process is a Server as the kernel sees it.
//
// Invariants:
//  1. While pending is not nil, no callback runs: messages are stashed until
//     the wake that Init sent comes, behind which nothing is missed.
//  2. watchful is true while a message finds more to do than to be handled:
//     a timeout to take back, or a pending continue.
type process struct {
	server   Server
	timer    actor.TimerRef // behind Next.Timeout, or behind wake
	watchful bool
	pending  any // what Init wants continued

	final  any // the last reply, and whom it is for
	caller actor.From
}

// timeout is the message of the timer behind Next.Timeout.
type timeout struct{}

// wake is the message that a server sends to itself when it is to continue
// after Init. Init runs on the spawner's goroutine, which must not wait.
type wake struct{}

func (p *process) Init(self *actor.Self) error {
	init, ok := p.server.(Initializer)
	if !ok {
		return nil
	}
	next, err := init.Init(self)
	if err != nil || next.Continue == nil {
		return p.follow(self, next, err)
	}
	if _, ok := p.server.(Continuer); !ok {
		return ErrNoContinuer
	}
	p.pending, p.watchful = next.Continue, true
	// A bounded mailbox may be full already. A timer's message it takes.
	p.timer = self.SendAfter(0, wake{})
	_ = self.Send(self.PID(), wake{})
	return nil
}

func (p *process) Receive(self *actor.Self, msg any) error {
	if p.watchful {
		if handled, err := p.look(self, msg); handled {
			return err
		}
	}
	var next Next
	var err error
	if self.IsCall() {
		if stop, ok := msg.(order.Stop); ok {
			return stop.Obey(self)
		}
		next, err = p.server.HandleCall(self, msg)
	} else {
		switch msg.(type) {
		case timeout:
			next, err = p.server.(TimeoutHandler).HandleTimeout(self)
		case wake:
			return nil // the second one
		case actor.Down, actor.Exit, actor.NodeDown, actor.ReceiveTimeout:
			next, err = p.inform(self, msg)
		default:
			next, err = p.server.HandleCast(self, msg)
		}
	}
	if err == nil && next.Continue == nil && next.Timeout == 0 {
		return nil
	}
	return p.follow(self, next, err)
}

// look does what a message means besides being one, and reports whether that
// was all.
func (p *process) look(self *actor.Self, msg any) (handled bool, err error) {
	if p.pending == nil {
		p.watchful = false
		self.CancelTimer(p.timer)
		return false, nil
	}
	_, woken := msg.(wake)
	if !woken && self.Stash(msg) == nil {
		return true, nil
	}
	next := Next{Continue: p.pending}
	p.pending, p.watchful = nil, false
	self.CancelTimer(p.timer)
	err = p.follow(self, next, nil)
	self.UnstashAll()
	return woken || err != nil, err
}

func (p *process) inform(self *actor.Self, msg any) (Next, error) {
	if h, ok := p.server.(InfoHandler); ok {
		return h.HandleInfo(self, msg)
	}
	self.Logger().Warn("server dropped a message it has no HandleInfo for", "message", msg)
	return Next{}, nil
}

// follow does what a callback asked for.
func (p *process) follow(self *actor.Self, next Next, err error) error {
	for err == nil && next.Continue != nil {
		c, ok := p.server.(Continuer)
		if !ok {
			return ErrNoContinuer
		}
		next, err = c.HandleContinue(self, next.Continue)
	}
	if err != nil {
		if next.Final != nil && self.IsCall() {
			p.final, p.caller = next.Final, self.From()
		}
		return err
	}
	if next.Timeout > 0 {
		if _, ok := p.server.(TimeoutHandler); !ok {
			return ErrNoTimeoutHandler
		}
		p.timer, p.watchful = self.SendAfter(next.Timeout, timeout{}), true
	}
	return nil
}

func (p *process) Terminate(self *actor.Self, reason error) {
	if t, ok := p.server.(actor.Terminator); ok {
		t.Terminate(self, reason)
	}
	if p.final != nil {
		p.caller.Reply(p.final)
	}
}
