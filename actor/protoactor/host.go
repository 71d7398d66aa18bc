package protoactor

import (
	"context"
	"fmt"
	"math"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
)

// Failure is the exit reason of a process whose actor was stopped by one of
// their supervision strategies, or whose failure was escalated to the top.
type Failure struct {
	// Actor is the id of the actor that failed, or to which the failure of a
	// child was escalated.
	Actor string
	// Reason is what was passed to panic.
	Reason any
}

// Error says who failed and why.
func (f *Failure) Error() string { return fmt.Sprintf("protoactor: %s failed: %v", f.Actor, f.Reason) }

// Unwrap returns the reason if it is an error.
func (f *Failure) Unwrap() error {
	err, _ := f.Reason.(error)
	return err
}

// host is the process that runs one actor of theirs.
type host struct {
	b   *Bridge
	box *mailbox
	// spawn makes the actor. Nil: it was there before the host.
	spawn func() error
	// guarded hosts leave failures to a strategy of theirs; for others a panic
	// is the end of the process.
	guarded   bool
	suspended bool     // the strategy has not decided yet
	failure   *Failure // the last one
	watching  map[actor.MonitorRef]*proto.PID
	asked     asked
	stopped   bool // Stopping and Stopped have been told
}

// Init gives the actor its process, and for a child of a supervisor of ours
// makes it: the start has succeeded when Started has been handled.
func (h *host) Init(self *actor.Self) (err error) {
	h.box.attach(self.PID())
	if h.spawn == nil {
		return nil
	}
	done := false
	defer func() {
		if done && err == nil {
			return
		}
		// Without an Init there is no Terminate, and no end that is reported.
		defer func() {
			h.b.byPID.Delete(self.PID())
			h.box.ended()
		}()
		h.stop(self)
	}()
	if err = h.spawn(); err == nil {
		err = h.drain(self)
	}
	done = true
	return err
}

// Receive lets the actor handle msg.
func (h *host) Receive(self *actor.Self, msg any) error {
	if h.box.pending.Load() {
		if err := h.drain(self); err != nil {
			return err
		}
	}
	switch m := msg.(type) {
	case wake:
		return nil
	case actor.Down:
		return h.down(m)
	case []byte:
		self.Retain() // theirs know nothing of memory that is lent
	}
	if h.suspended {
		return self.Stash(msg)
	}
	message := msg
	if self.IsCall() {
		message = h.request(self, msg)
	}
	if h.guarded {
		return h.guard(message, h.box.invoker.InvokeUserMessage)
	}
	h.box.invoker.InvokeUserMessage(message)
	return nil
}

// request makes of a call of ours a message whose sender answers it.
func (h *host) request(self *actor.Self, msg any) any {
	sender, number := h.b.sender(self.From())
	h.asked.add(h.b, number)
	return &proto.MessageEnvelope{Message: msg, Sender: sender}
}

// guard calls invoke, and lets the actor's strategy decide about a panic. The
// strategy itself may panic: a guardian that is to escalate does.
func (h *host) guard(message any, invoke func(any)) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = h.escalate(reason, message)
		}
	}()
	invoke(message)
	return nil
}

func (h *host) escalate(reason, message any) (err error) {
	h.failure = &Failure{Actor: h.box.ctx.Self().Id, Reason: reason}
	if f, ok := reason.(*Failure); ok {
		h.failure = f
	}
	defer func() {
		if recover() != nil {
			err = h.failure
		}
	}()
	h.box.invoker.EscalateFailure(reason, message)
	return nil
}

// drain handles the system messages. An error ends the process.
func (h *host) drain(self *actor.Self) error {
	for {
		message, ok := h.box.next()
		if !ok {
			return nil
		}
		if err := h.handleSystem(self, message); err != nil {
			return err
		}
	}
}

func (h *host) handleSystem(self *actor.Self, message any) error {
	switch m := message.(type) {
	case *proto.SuspendMailbox:
		h.suspended = true
	case *proto.ResumeMailbox:
		h.suspended = false
		self.UnstashAll()
	case *proto.Stop:
		if h.suspended && h.failure != nil {
			return h.failure
		}
		return actor.ErrNormal
	case *Failure: // escalated to the top
		return m
	case *watchRequest:
		if h.watching == nil {
			h.watching = make(map[actor.MonitorRef]*proto.PID)
		}
		h.watching[self.Monitor(m.to)] = m.who
	case *unwatchRequest:
		for ref, who := range h.watching {
			if who.Equal(m.who) {
				self.DemonitorFlush(ref)
				delete(h.watching, ref)
			}
		}
	default:
		if h.guarded {
			return h.guard(message, h.box.invoker.InvokeSystemMessage)
		}
		h.box.invoker.InvokeSystemMessage(message)
	}
	return nil
}

// down tells the actor that a process of ours which it watches has ended.
func (h *host) down(m actor.Down) error {
	who, ok := h.watching[m.Ref]
	if !ok {
		return nil
	}
	delete(h.watching, m.Ref)
	message := terminated(who, m.Reason)
	if h.guarded {
		return h.guard(message, h.box.invoker.InvokeSystemMessage)
	}
	h.box.invoker.InvokeSystemMessage(message)
	return nil
}

// Terminate stops the actor as theirs are stopped: Stopping, its children, then
// Stopped. A panic on the way does not keep the rest from happening, and is the
// exit reason.
func (h *host) Terminate(self *actor.Self, _ error) { h.stop(self) }

func (h *host) stop(self *actor.Self) {
	if h.box.ctx == nil || h.stopped {
		return // the actor was never made
	}
	h.stopped = true
	defer h.asked.forget(h.b)
	defer h.box.invoker.InvokeUserMessage(&proto.Stopped{})
	defer func() {
		h.box.ctx.CancelReceiveTimeout()
		h.box.unregister()
	}()
	defer h.stopChildren(self)
	h.box.invoker.InvokeUserMessage(&proto.Stopping{})
}

// stopChildren returns when the actor has no children any more, or this process
// is killed.
func (h *host) stopChildren(self *actor.Self) {
	children := h.box.ctx.Children()
	for i := len(children) - 1; i >= 0; i-- {
		h.box.ctx.Stop(children[i])
	}
	if len(children) == 0 {
		return
	}
	mine := self.Monitor(self.PID()) // fires after the wait: it only lends itself to it
	for len(h.box.ctx.Children()) > 0 {
		if message, ok := h.box.next(); ok {
			h.childGone(message)
			continue
		}
		ctx, cancel := context.WithCancel(context.Background())
		if h.box.awaitWith(cancel) {
			_, err := self.AwaitDown(ctx, mine)
			if ctx.Err() == nil && err != nil {
				cancel()
				return // killed
			}
		}
		h.box.awaitWith(nil)
		cancel()
	}
}

// childGone handles a system message while the actor stops: only the ends of
// children count any more. A panic in the handling of one does not keep the
// others from being waited for.
func (h *host) childGone(message any) {
	if gone, ok := message.(*proto.Terminated); ok {
		_ = h.guardQuietly(gone)
	}
}

func (h *host) guardQuietly(gone *proto.Terminated) (failed bool) {
	defer func() { failed = recover() != nil }()
	h.box.invoker.InvokeSystemMessage(gone)
	return failed
}

// unbounded is the stash of a suspended actor: theirs has no limit.
const unbounded = actor.StashLimit(math.MaxInt)
