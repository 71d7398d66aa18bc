package protoactor

import (
	"strconv"
	"sync"
	"sync/atomic"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
)

// replies are the calls of ours that hosted actors have not answered yet.
type replies struct {
	last    atomic.Uint64
	waiting sync.Map // number -> actor.From
}

// reply is a call of ours as actors of theirs see it: the sender of its
// request. The first message to it is the answer.
type reply struct {
	b      *Bridge
	number uint64
}

// SendUserMessage answers the call.
func (r *reply) SendUserMessage(pid *proto.PID, message any) {
	from, ok := r.b.replies.waiting.LoadAndDelete(r.number)
	if !ok {
		r.b.actors.DeadLetter.SendUserMessage(pid, message)
		return
	}
	switch m := proto.UnwrapEnvelopeMessage(message).(type) {
	case *proto.DeadLetterResponse:
		from.(actor.From).ReplyError(actor.ErrNoProc)
	case error:
		from.(actor.From).ReplyError(m)
	default:
		from.(actor.From).Reply(m)
	}
}

// SendSystemMessage tells who wants to watch a call that it is none to watch.
func (r *reply) SendSystemMessage(pid *proto.PID, message any) {
	if m, ok := message.(*proto.Watch); ok {
		r.b.processOf(m.Watcher).SendSystemMessage(m.Watcher,
			&proto.Terminated{Who: pid, Why: proto.TerminatedReason_NotFound})
	}
}

// Stop does nothing: a call cannot be stopped by who is to answer it.
func (r *reply) Stop(*proto.PID) {}

// sender returns the PID that answers from, and the number to forget it by.
func (b *Bridge) sender(from actor.From) (*proto.PID, uint64) {
	n := b.replies.last.Add(1)
	b.replies.waiting.Store(n, from)
	return proto.NewPID(toposAddress, idReply+b.address+"/"+strconv.FormatUint(n, 36)), n
}

// asked are the calls that one host has accepted, so that those which nobody
// waits for any more are forgotten.
type asked struct {
	numbers []uint64
	limit   int
}

func (a *asked) add(b *Bridge, n uint64) {
	if len(a.numbers) >= a.limit {
		kept := a.numbers[:0]
		for _, n := range a.numbers {
			from, ok := b.replies.waiting.Load(n)
			if ok && from.(actor.From).Waiting() {
				kept = append(kept, n)
			} else {
				b.replies.waiting.Delete(n)
			}
		}
		a.numbers, a.limit = kept, 2*len(kept)+64
	}
	a.numbers = append(a.numbers, n)
}

func (a *asked) forget(b *Bridge) {
	for _, n := range a.numbers {
		b.replies.waiting.Delete(n)
	}
	a.numbers = nil
}
