package pool

import (
	"context"

	"github.com/topos-go/topos/actor"
)

// doer is the worker that calls [Config.Work]. Its jobs are calls, whose context
// ends when nobody wants them done any more.
type doer struct {
	work func(ctx context.Context, job any) (any, error)
}

func (d doer) Receive(self *actor.Self, job any) error {
	if !self.IsCall() {
		return nil
	}
	value, err := d.work(self.Context(), job)
	if err != nil {
		return self.ReplyError(err)
	}
	return self.Reply(value)
}
