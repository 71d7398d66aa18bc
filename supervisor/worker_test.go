package supervisor_test

import (
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// worker is the child of the tests. It ends with any error that it is sent,
// runs any function, and answers "ping".
type worker struct {
	init      func(*actor.Self) error
	terminate func(*actor.Self, error)
}

func (w *worker) Init(self *actor.Self) error {
	if w.init == nil {
		return nil
	}
	return w.init(self)
}

func (w *worker) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case error:
		return m
	case func(*actor.Self):
		m(self)
	case string:
		return self.Reply(m)
	}
	return nil
}

func (w *worker) Terminate(self *actor.Self, reason error) {
	if w.terminate != nil {
		w.terminate(self, reason)
	}
}

// start is the start function of a plain worker.
var start = actor.Start(func() actor.Actor { return new(worker) })

// permanent, transient and temporary return workers' specifications.
func permanent(id string) supervisor.ChildSpec {
	return supervisor.ChildSpec{ID: id, Start: start}
}

func transient(id string) supervisor.ChildSpec {
	return supervisor.ChildSpec{ID: id, Start: start, Restart: supervisor.Transient}
}

func temporary(id string) supervisor.ChildSpec {
	return supervisor.ChildSpec{ID: id, Start: start, Restart: supervisor.Temporary}
}

// ignoring is a start function whose process is not wanted.
func ignoring(*actor.Self, ...any) (actor.PID, error) { return actor.PID{}, actor.ErrIgnore }

// refusing is a start function that fails.
func refusing(*actor.Self, ...any) (actor.PID, error) { return actor.PID{}, errRefused }
