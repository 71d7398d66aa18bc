package pool

import (
	"context"
	"errors"
	"time"

	"github.com/topos-go/topos/actor"
)

// finish deals with the outcome of a job.
func (p *process) finish(self *actor.Self, now time.Time, w *work) {
	value, err, _ := w.request.Check()
	err = cause(err)
	m := w.worker
	if err != actor.ErrNoProc {
		p.settle(self, w, value, err)
		p.perform(self, p.desk.done(now, m.slot))
		return
	}
	// It had ended when the job came.
	p.fell(m)
	p.perform(self, p.desk.done(now, m.slot))
	if m.gone {
		p.again(self, w)
	} else {
		m.limbo = append(m.limbo, w)
	}
}

// again takes a job back from a worker that was gone when it came.
func (p *process) again(self *actor.Self, w *work) {
	p.perform(self, p.desk.again(&w.job))
	p.watch(self, w)
}

// settle tells who wants it how a job went, and forgets it.
func (p *process) settle(self *actor.Self, w *work, value any, err error) {
	delete(p.work, w.id)
	if !w.call && errors.Is(err, actor.ErrNoReply) {
		err = nil // nobody has asked for one
	}
	if err == nil {
		p.completed++
	} else {
		p.failed++
	}
	switch {
	case w.part != nil:
		w.part.settle(w.partOf, value, err)
	case w.call && err != nil:
		w.from.ReplyError(err)
	case w.call:
		w.from.Reply(value)
	case err != nil:
		self.Logger().Warn("pool job failed", "reason", err)
	}
}

// conclude tells the caller of a job in hand how it went, if it has gone any way
// when the pool ends. What has not fails with the pool's reason.
func (p *process) conclude(self *actor.Self, w *work) {
	<-w.request.Done() // at once: it ends with the process
	value, err, _ := w.request.Check()
	if err = cause(err); err != actor.ErrNoProc && !errors.Is(err, context.Canceled) {
		p.settle(self, w, value, err)
	}
}

// cause is why a request to a worker has failed: whose worker it was is the
// pool's business.
func cause(err error) error {
	var failed *actor.CallError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
