package pool

import (
	"context"

	"github.com/topos-go/topos/actor"
)

// doer is the worker that calls [Config.Work].
type doer struct {
	work func(ctx context.Context, job any) (any, error)
}

// task is a job for a doer, with the context that ends when nobody wants it done
// any more.
type task struct {
	ctx context.Context
	msg any
}

func (d doer) Receive(self *actor.Self, msg any) error {
	t, ok := msg.(task)
	if !ok {
		return nil // it works for its pool only
	}
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	// Of the process itself, whose end the job's context knows nothing of.
	defer context.AfterFunc(self.System().ProcessContext(self.PID()), cancel)()
	value, err := d.work(ctx, t.msg)
	if err != nil {
		return self.ReplyError(err)
	}
	return self.Reply(value)
}
