package rpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
)

// worker is a process that runs handlers, one at a time.
type worker struct {
	server  actor.PID
	handler Handler
}

// workerDone is what a worker says when its handler has returned.
type workerDone struct {
	worker actor.PID
	job    *job
	answer answer
}

func (w *worker) Receive(self *actor.Self, msg any) error {
	j, ok := msg.(*job)
	if !ok {
		return nil
	}
	done := &workerDone{worker: self.PID(), job: j}
	done.answer.value, done.answer.err = w.handler(j.ctx, self, j.body)
	if err := done.answer.err; err != nil {
		done.answer.err = fmt.Errorf("%w: %w", ErrServer, err)
	}
	return self.Send(w.server, done)
}

// free says whether a job could start at once.
func (s *server) free() bool {
	return len(s.idle) > 0 || len(s.workers) < s.cfg.Concurrency
}

// work gives queued jobs to workers.
func (s *server) work(self *actor.Self) {
	for len(s.queue) > 0 && s.free() {
		j := s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		if s.jobs[j.entry] != j {
			continue // cancelled
		}
		if j.ctx.Err() != nil {
			s.unrun(j, ErrExpired)
			continue
		}
		pid, err := s.worker(self)
		if err != nil {
			s.unrun(j, fmt.Errorf("%w: %w", ErrOverloaded, err))
			continue
		}
		j.started = true
		s.workers[pid] = j
		_ = self.Send(pid, j) // if it has ended, its Exit is on its way
	}
}

// unrun ends a job that has not run and may be begun again.
func (s *server) unrun(j *job, err error) {
	j.cancel()
	delete(s.jobs, j.entry)
	s.table.undo(j.entry)
	for _, w := range j.waiting {
		w.from.ReplyError(err)
	}
	j.waiting = nil
}

// worker returns a worker that is idle or new.
func (s *server) worker(self *actor.Self) (actor.PID, error) {
	if n := len(s.idle); n > 0 {
		pid := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return pid, nil
	}
	return self.SpawnLink(&worker{self.PID(), s.cfg.Handler}, actor.Label("rpc worker"))
}

// finished takes the answer of a worker, which is idle then.
func (s *server) finished(self *actor.Self, done *workerDone) {
	if s.workers[done.worker] != done.job {
		return
	}
	s.workers[done.worker] = nil
	s.idle = append(s.idle, done.worker)
	s.over(done.job, done.answer)
	s.work(self)
}

// exited is the end of a worker, or an exit signal from elsewhere.
func (s *server) exited(self *actor.Self, e actor.Exit) error {
	j, ok := s.workers[e.From]
	if !ok {
		if errors.Is(e.Reason, actor.ErrNormal) {
			return nil
		}
		return e.Reason
	}
	delete(s.workers, e.From)
	for i, pid := range s.idle {
		if pid == e.From {
			s.idle = append(s.idle[:i], s.idle[i+1:]...)
			break
		}
	}
	if j != nil {
		s.over(j, answer{err: fmt.Errorf("%w: %w", ErrServer, e.Reason)})
	}
	s.work(self)
	return nil
}

// Terminate ends the handlers and waits for them, so that none runs beside the
// server's successor.
func (s *server) Terminate(self *actor.Self, _ error) {
	for _, j := range s.jobs {
		j.cancel()
	}
	ctx := self.Context()
	var ends []actor.MonitorRef
	for pid := range s.workers {
		ends = append(ends, self.Monitor(pid))
		_ = self.Exit(pid, actor.ErrShutdown)
	}
	for _, ref := range ends {
		if _, err := self.AwaitDown(ctx, ref); errors.Is(err, context.Canceled) || errors.Is(err, actor.ErrKilled) {
			return
		}
	}
}
