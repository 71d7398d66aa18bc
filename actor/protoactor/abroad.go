package protoactor

import (
	"context"
	"errors"
	"fmt"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
)

// abroad is an actor of theirs on another node, reached through the gateway of
// the bridge there.
type abroad struct {
	b    *Bridge
	node actor.NodeID
}

// SendUserMessage sends message to the actor.
func (a *abroad) SendUserMessage(pid *proto.PID, message any) {
	f := frame{Kind: frameUser}
	f.address(a.node.String(), pid)
	header, inner, sender := proto.UnwrapEnvelope(message)
	if header != nil && header.Length() > 0 {
		f.Header = header.ToMap()
	}
	a.b.signed(&f, sender)
	err := a.b.put(&f, inner)
	if err == nil {
		err = a.send(&f)
	}
	if err == nil {
		return
	}
	a.b.actors.Logger().Warn("message to another node is not sent", "to", pid.Id, "node", a.node, "reason", err)
	a.b.actors.DeadLetter.SendUserMessage(pid, message)
}

func (a *abroad) send(f *frame) error {
	data, err := a.b.encode(f)
	if err != nil {
		return err
	}
	return a.b.sys.Send(actor.NameAt{Node: a.node.Name, Name: GatewayName}, data)
}

// SendSystemMessage sends what makes sense between nodes.
func (a *abroad) SendSystemMessage(pid *proto.PID, message any) {
	var f frame
	f.address(a.node.String(), pid)
	switch m := message.(type) {
	case *proto.Watch:
		f.Kind = frameWatch
		a.b.signed(&f, m.Watcher)
		// The gateway knows when the node is lost, and so must hear of it first.
		_ = a.b.sys.Send(a.b.gateway, &watchAbroad{watcher: m.Watcher, who: pid, node: a.node})
	case *proto.Unwatch:
		f.Kind = frameUnwatch
		a.b.signed(&f, m.Watcher)
		_ = a.b.sys.Send(a.b.gateway, &unwatchAbroad{watcher: m.Watcher, who: pid})
	case *proto.Stop:
		f.Kind = frameStop
	case *proto.Terminated:
		f.Kind, f.Why = frameTerminated, int32(m.Why)
		a.b.signed(&f, m.Who)
	default:
		return
	}
	if err := a.send(&f); err != nil {
		a.b.actors.Logger().Warn("signal to another node is not sent", "to", pid.Id, "node", a.node, "reason", err)
	}
}

// Stop stops the actor.
func (a *abroad) Stop(pid *proto.PID) { a.SendSystemMessage(pid, &proto.Stop{}) }

// resolveAbroad asks the bridge of another node which process hosts pid.
func (b *Bridge) resolveAbroad(ctx context.Context, pid *proto.PID) (actor.PID, error) {
	node, err := actor.ParseNodeID(pid.Address)
	if err != nil {
		return actor.PID{}, fmt.Errorf("%w: address %q", actor.ErrNoProc, pid.Address)
	}
	f := frame{Kind: frameResolve}
	f.address(pid.Address, pid)
	data, err := b.encode(&f)
	if err != nil {
		return actor.PID{}, err
	}
	found, err := actor.Call[actor.PID](ctx, b.sys, actor.NameAt{Node: node.Name, Name: GatewayName}, data)
	if err == nil && found.IsZero() {
		err = actor.ErrNoProc
	}
	return found, err
}

// deliver carries out a frame that came from another node.
func (b *Bridge) deliver(f *frame) error {
	to, sender := f.to(), f.sender()
	if f.Node != b.address {
		b.stale(f)
		return nil
	}
	p := b.processOf(to)
	if id, isReply := cutReply(to.Id, b.address); isReply {
		p = &reply{b: b, number: id}
	}
	switch f.Kind {
	case frameUser:
		message, err := b.payload(f)
		if err != nil {
			b.refuse(f)
			return err
		}
		if sender != nil || len(f.Header) > 0 {
			env := &proto.MessageEnvelope{Message: message, Sender: sender}
			for k, v := range f.Header {
				env.SetHeader(k, v)
			}
			message = env
		}
		p.SendUserMessage(to, message)
	case frameWatch:
		p.SendSystemMessage(to, &proto.Watch{Watcher: sender})
	case frameUnwatch:
		p.SendSystemMessage(to, &proto.Unwatch{Watcher: sender})
	case frameStop:
		p.Stop(to)
	case frameTerminated:
		p.SendSystemMessage(to, &proto.Terminated{Who: sender, Why: proto.TerminatedReason(f.Why)})
	}
	return nil
}

// stale answers a frame for an earlier start of this node.
func (b *Bridge) stale(f *frame) {
	switch {
	case f.Kind == frameWatch && f.Sender != "":
		watcher := f.sender()
		b.processOf(watcher).SendSystemMessage(watcher,
			&proto.Terminated{Who: f.to(), Why: proto.TerminatedReason_AddressTerminated})
	case f.Kind == frameUser:
		b.refuse(f)
	}
}

// refuse tells the sender of f that nobody will answer.
func (b *Bridge) refuse(f *frame) {
	b.actors.EventStream.Publish(&proto.DeadLetterEvent{PID: f.to(), Message: f.Type, Sender: f.sender()})
}

var errWrongMail = errors.New("protoactor: the gateway takes no such message")
