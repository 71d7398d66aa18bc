package supervisor

import (
	"context"
	"errors"

	"github.com/topos-go/topos/actor"
)

// Service returns the start function of a child that is a plain function: a
// listener's accept loop, a poller, anything that runs until its context ends.
// The start returns as soon as there is a process; run is then called in it.
//
// The context is cancelled when the child is told to end, with the reason as
// its cause. When run returns, the process ends: with actor.ErrNormal for nil,
// with the cause for nil or the context's error after it was cancelled, and
// with the error otherwise. A panic is contained and is the exit reason.
//
// run occupies the process's goroutine. A function that does not return when
// its context is cancelled is killed after the child's Shutdown, and after the
// kill grace is a zombie, named in the reason and by the system's Close; see
// [OnZombie].
func Service(run func(context.Context) error, opts ...actor.SpawnOption) actor.StartFunc {
	if run == nil {
		return nil // which ChildSpec.Validate reports
	}
	return actor.Start(func() actor.Actor { return &service{run} }, opts...)
}

// service is the actor behind Service. Running the function in a handler gives
// it what handlers have: it is the process, so the process cannot end before
// it has returned or been given up as a zombie.
type service struct{ run func(context.Context) error }

// runService is the one message of a service.
type runService struct{}

func (s *service) Init(self *actor.Self) error { return self.Send(self.PID(), runService{}) }

func (s *service) Receive(self *actor.Self, msg any) error {
	if _, ok := msg.(runService); !ok {
		return nil // services take no messages
	}
	ctx := self.Context()
	err := s.run(ctx)
	cause := context.Cause(ctx)
	switch {
	case cause != nil && (err == nil || errors.Is(err, ctx.Err()) || errors.Is(err, cause)):
		return cause
	case err == nil:
		return actor.ErrNormal
	}
	return err
}
