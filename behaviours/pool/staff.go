package pool

import (
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// The workers are children of a supervisor of their own, so that a start that
// takes its time holds up no jobs. The start function of each tells the pool's
// process that it is there, also when the supervisor has started it again.

// hired is the message that a worker has been started in a slot.
type hired struct {
	slot int
	pid  actor.PID
}

// spec describes the supervisor of the workers of the pool's process.
func (c Config) spec(desk func(parent *actor.Self, h hired)) supervisor.Spec {
	start := func(parent *actor.Self, args ...any) (actor.PID, error) {
		slot := args[0].(int)
		pid, err := c.Worker(slot)(parent)
		if err == nil {
			desk(parent, hired{slot, pid})
		}
		return pid, err
	}
	return supervisor.Spec{
		Strategy: supervisor.SimpleOneForOne, Intensity: c.Intensity, Period: c.Period,
		Children: []supervisor.ChildSpec{{ID: "worker", Start: start, Backoff: c.Backoff, Shutdown: c.Shutdown}},
	}
}

// The orders to staff, and what it answers.
type (
	hire    struct{ slot int }
	dismiss struct {
		slot int
		pid  actor.PID
	}
	notHired struct {
		slot int
		err  error
	}
	dismissed struct{ slot int }
)

// staff is the process that asks the supervisor for workers, one after the
// other, so that the pool's process need not wait.
type staff struct{ pool, sup actor.PID }

func (s *staff) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case hire:
		pid, err := supervisor.StartInstance(actor.Patient(self.Context()), self, s.sup, m.slot)
		if err == nil && pid.IsZero() {
			err = actor.ErrIgnore
		}
		if err != nil {
			return self.Send(s.pool, notHired{m.slot, err})
		}
	case dismiss:
		if err := supervisor.TerminateInstance(actor.Patient(self.Context()), self, s.sup, m.pid); err != nil {
			return err // it is no supervisor of ours any more
		}
		return self.Send(s.pool, dismissed{m.slot})
	}
	return nil
}
