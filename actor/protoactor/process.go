package protoactor

import (
	"context"
	"errors"
	"sync"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
)

// process is a process of ours as actors of theirs see it.
type process struct {
	b  *Bridge
	to actor.Address
}

// SendUserMessage sends message to the process. One with a sender is a call,
// whose reply goes to the sender.
func (p *process) SendUserMessage(pid *proto.PID, message any) {
	switch m := message.(type) {
	case *proto.MessageEnvelope:
		if _, poison := m.Message.(*proto.PoisonPill); poison {
			p.Stop(pid)
			return
		}
		if m.Sender != nil {
			p.b.ask(p.to, pid, m)
			return
		}
		message = m.Message
	case *proto.PoisonPill:
		p.Stop(pid)
		return
	}
	if err := p.b.sys.Send(p.to, message); err != nil {
		p.b.actors.DeadLetter.SendUserMessage(pid, message)
	}
}

// SendSystemMessage carries out what makes sense for a process of ours: to
// watch it, and to stop it.
func (p *process) SendSystemMessage(pid *proto.PID, message any) {
	switch m := message.(type) {
	case *proto.Watch:
		p.watch(m.Watcher, &watchRequest{who: pid, to: p.to})
	case *proto.Unwatch:
		p.watch(m.Watcher, &unwatchRequest{who: pid})
	case *proto.Stop:
		p.Stop(pid)
	case *proto.Terminated:
		// A stand-in watches whom it stands for. Nobody else is told so.
		_ = p.b.sys.Send(p.to, m)
	}
}

// watch lets the watcher's host have the monitor, so that its Down comes after
// everything that the process has sent to the watcher; the gateway has it for
// watchers that are not hosted.
func (p *process) watch(watcher *proto.PID, request any) {
	if box, ok := p.b.hosted(watcher); ok {
		box.PostSystemMessage(request)
		return
	}
	if err := p.b.sys.Send(p.b.gateway, &watchFor{watcher: watcher, request: request}); err != nil {
		tellTerminated(p.b, watcher, request)
	}
}

// tellTerminated answers a watch that cannot be made any more.
func tellTerminated(b *Bridge, watcher *proto.PID, request any) {
	if w, ok := request.(*watchRequest); ok {
		b.processOf(watcher).SendSystemMessage(watcher,
			&proto.Terminated{Who: w.who, Why: proto.TerminatedReason_NotFound})
	}
}

// Stop sends the process a shutdown signal.
func (p *process) Stop(*proto.PID) {
	if pid, ok := p.b.pidOf(p.to); ok {
		_ = p.b.sys.Exit(pid, actor.ErrShutdown) // who has ended need not be stopped
	}
}

// pidOf returns the process at to, as far as this node knows.
func (b *Bridge) pidOf(to actor.Address) (actor.PID, bool) {
	switch a := to.(type) {
	case actor.PID:
		return a, true
	case actor.Name:
		return b.sys.Whereis(a)
	case actor.ClusterName:
		if b.whereis != nil {
			return b.whereis(string(a))
		}
	}
	return actor.PID{}, false
}

// watchRequest asks a host, or the gateway, to monitor to; watchFor says for
// whom.
type (
	watchRequest struct {
		who *proto.PID // as the watcher calls it
		to  actor.Address
	}
	unwatchRequest struct{ who *proto.PID }
	watchFor       struct {
		watcher *proto.PID
		request any
	}
)

// terminated is the message for a watcher of a process of ours.
func terminated(who *proto.PID, reason error) *proto.Terminated {
	why := proto.TerminatedReason_Stopped
	switch {
	case errors.Is(reason, actor.ErrNoProc):
		why = proto.TerminatedReason_NotFound
	case errors.Is(reason, actor.ErrNoConnection):
		why = proto.TerminatedReason_AddressTerminated
	}
	return &proto.Terminated{Who: who, Why: why}
}

// ask carries a request of theirs to a process of ours, and the reply back. It
// returns when the request is in the mailbox, or on its way to another node, so
// that it keeps its place between the messages that its sender sends before and
// after it.
func (b *Bridge) ask(to actor.Address, pid *proto.PID, env *proto.MessageEnvelope) {
	ctx, sent, ok := b.beginAsk()
	if !ok {
		b.actors.DeadLetter.SendUserMessage(pid, env)
		return
	}
	go func() {
		defer b.asking.Done()
		defer ctx.cancel()
		value, err := actor.Call[any](ctx, b.sys, to, env.Message)
		ctx.markSent()
		b.answer(pid, env, value, err)
	}()
	<-sent
}

// beginAsk counts one more request, unless the bridge is closed.
func (b *Bridge) beginAsk() (*askContext, <-chan struct{}, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, nil, false
	}
	b.asking.Add(1)
	ctx, cancel := context.WithTimeout(b.ctx, b.timeout)
	sent := make(chan struct{})
	return &askContext{Context: ctx, cancel: cancel, sent: sent}, sent, true
}

// askContext is a context that notices when a call begins to wait on it: the
// request has been sent then.
type askContext struct {
	context.Context
	cancel context.CancelFunc
	once   sync.Once
	sent   chan struct{}
}

func (c *askContext) markSent() { c.once.Do(func() { close(c.sent) }) }

// Done is context.Context's.
func (c *askContext) Done() <-chan struct{} {
	c.markSent()
	return c.Context.Done()
}

// answer gives the outcome of a request to its sender.
func (b *Bridge) answer(pid *proto.PID, env *proto.MessageEnvelope, value any, err error) {
	sender := b.processOf(env.Sender)
	_, waits := sender.(*proto.ActorProcess)
	future := !waits // a future, or somebody on another node who may be one
	switch {
	case err == nil && value == nil && !future:
		// Actors of theirs cannot receive nil.
	case err == nil:
		sender.SendUserMessage(env.Sender, value)
	case errors.Is(err, actor.ErrNoProc), errors.Is(err, actor.ErrNoConnection), errors.Is(err, context.Canceled):
		b.actors.DeadLetter.SendUserMessage(pid, env) // which answers the sender
	case errors.Is(err, actor.ErrNoReply):
		if future {
			sender.SendUserMessage(env.Sender, &proto.DeadLetterResponse{Target: pid})
		}
	default:
		sender.SendUserMessage(env.Sender, err)
	}
}
