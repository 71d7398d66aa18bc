package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/actor"
)

// New returns the actor that supervises as spec says, or every mistake in spec.
// Each process needs an actor of its own; for a supervisor that is a child of
// another, or is started more than once, use [Start].
//
// The process traps exits. It returns from its Init when all children have
// been started, and from its Terminate when all have been stopped.
func New(spec Spec) (actor.Actor, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	seed := spec.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	return &process{plan: newPlan(spec, rand.New(rand.NewPCG(seed, seed)))}, nil
}

// Start returns the start function of a supervisor that is a child of another.
// Mistakes in spec are errors of every start. See also [Child].
func Start(spec Spec, opts ...actor.SpawnOption) actor.StartFunc {
	return StartWith(func(...any) (Spec, error) { return spec, nil }, opts...)
}

// StartWith is [Start] with a Spec that is made anew for every start, by a
// function that may look at the world or at the arguments of a dynamic child.
// It is OTP's supervisor callback. An error fails the start; actor.ErrIgnore
// says that no supervisor is wanted.
func StartWith(newSpec func(args ...any) (Spec, error), opts ...actor.SpawnOption) actor.StartFunc {
	return func(parent *actor.Self, args ...any) (actor.PID, error) {
		spec, err := newSpec(args...)
		if err != nil {
			return actor.PID{}, err
		}
		a, err := New(spec)
		if err != nil {
			return actor.PID{}, err
		}
		return parent.SpawnLink(a, opts...)
	}
}

// Child returns the specification of a child that is a supervisor itself.
func Child(id string, spec Spec, opts ...actor.SpawnOption) ChildSpec {
	return ChildSpec{ID: id, Start: Start(spec, opts...), Type: Supervisor}
}

// Spawn starts a supervisor outside any process, the root of a tree, and
// returns when all its children have been started. A child that does not start
// makes it stop those that have, and return a [*StartError].
func Spawn(ctx context.Context, sys *actor.System, spec Spec, opts ...actor.SpawnOption) (actor.PID, error) {
	a, err := New(spec)
	if err != nil {
		return actor.PID{}, err
	}
	return sys.Spawn(ctx, a, opts...)
}

// process carries out what its plan decides.
type process struct {
	plan   *plan
	log    *slog.Logger
	reason error // why the supervisor ends

	timer actor.TimerRef
	alarm time.Time // when timer is due; zero: there is none
}

// alarm is the message of process.timer.
type alarm struct{}

func (s *process) Init(self *actor.Self) error {
	self.TrapExit(true)
	s.log = self.Logger()
	s.perform(self, s.plan.boot(time.Now()))
	s.drain(self) // nothing, unless a child did not start
	return s.reason
}

func (s *process) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case actor.Down:
		s.down(self, m)
	case actor.Exit:
		s.exited(self, m)
	case alarm:
		s.alarm = time.Time{}
		s.perform(self, s.plan.tick(time.Now()))
	case request:
		if t, ok := m.(terminateInstance); ok {
			t.alive = self.System().Alive(t.pid)
			m = t
		}
		s.perform(self, s.plan.serve(time.Now(), m, self.From()))
	default:
		s.log.Warn("supervisor received an unexpected message", "message", msg)
	}
	s.setAlarm(self)
	return s.reason
}

func (s *process) Terminate(self *actor.Self, _ error) {
	s.perform(self, s.plan.shutdown(time.Now()))
	s.drain(self)
}

// exited is a trapped exit signal. From a child that is gone it is the link's:
// it comes after the child's Terminate, when its names are free, and has the
// reason even of a child that ended at once. Anything else that is linked to
// the supervisor may end as it likes, and a child that is alive may send exit
// signals as it likes.
func (s *process) exited(self *actor.Self, m actor.Exit) {
	if c := s.plan.family.byPID[m.From]; c != nil && !self.System().Alive(m.From) {
		s.perform(self, s.plan.ended(time.Now(), c, m.Reason))
	}
}

// down is the end of a child that was told to end. A monitor reports it too,
// since the child may have taken the link back. The first report counts.
func (s *process) down(self *actor.Self, m actor.Down) {
	pid, _ := m.Of.(actor.PID)
	if c := s.plan.family.byPID[pid]; c != nil && c.monitor == m.Ref {
		s.perform(self, s.plan.ended(time.Now(), c, m.Reason))
	}
}

// signal makes the process of c end, and sees to it that its Down comes.
func (s *process) signal(self *actor.Self, c *child, reason error) {
	if c.monitor == (actor.MonitorRef{}) {
		c.monitor = self.Monitor(c.pid)
	}
	_ = self.Exit(c.pid, reason) // if it is gone, the Down says so
}

// perform carries out effects, and those that follow from their outcome.
func (s *process) perform(self *actor.Self, effects []effect) {
	for len(effects) > 0 {
		var next []effect
		for _, e := range effects {
			switch e.do {
			case doStart: // the last of its batch
				pid, err := s.start(self, e.child)
				next = s.plan.started(time.Now(), pid, err)
			case doStop:
				s.signal(self, e.child, actor.ErrShutdown)
			case doKill:
				s.signal(self, e.child, actor.ErrKilled)
			case doReply:
				e.from.Reply(e.value)
			case doReport:
				s.report(e)
			case doEnd:
				s.reason = e.err
			}
		}
		effects = next
	}
}

// start calls the start function of c. A panic in it is an error of the start.
func (s *process) start(self *actor.Self, c *child) (pid actor.PID, err error) {
	returned := false
	defer func() {
		if !returned {
			if v := recover(); v != nil {
				pid, err = actor.PID{}, actor.NewPanicError(v)
			} // else runtime.Goexit: the kernel ends the supervisor
		}
	}()
	pid, err = c.spec.Start(self, c.args...)
	returned = true
	switch {
	case err != nil:
		return actor.PID{}, err
	case pid.IsZero():
		return actor.PID{}, ErrNoProcess
	}
	c.monitor = actor.MonitorRef{}
	return pid, self.Link(pid) // in case the start function has not
}

// report logs what a person may want to know about a child.
func (s *process) report(e effect) {
	level := slog.LevelWarn
	if e.what == reportIntensity {
		level = slog.LevelError
	}
	ctx := context.Background()
	if !s.log.Enabled(ctx, level) {
		return
	}
	s.log.Log(ctx, level, e.what, "child", e.child.spec.ID, "child_pid", e.pid, "reason", e.err)
}

// setAlarm sets the timer to the plan's deadline.
func (s *process) setAlarm(self *actor.Self) {
	at, ok := s.plan.deadline()
	if ok && at.Equal(s.alarm) || !ok && s.alarm.IsZero() {
		return
	}
	if !s.alarm.IsZero() {
		self.CancelTimer(s.timer)
	}
	s.alarm = at
	if ok {
		s.timer = self.SendAfter(max(0, time.Until(at)), alarm{})
	}
}

// drain waits, in Init and Terminate, where no messages are received, for the
// children that have been told to end. It gives up when this process is
// killed: then the links end the children, in no order.
func (s *process) drain(self *actor.Self) {
	for c := s.plan.awaited(); c != nil; c = s.plan.awaited() {
		down, err := s.await(self, c)
		var effects []effect
		switch {
		case err == nil:
			effects = s.plan.ended(time.Now(), c, down.Reason)
		case errors.Is(err, actor.ErrTimeout):
			effects = s.plan.tick(time.Now())
		default:
			return
		}
		s.perform(self, effects)
	}
}

// await waits for the end of c, or the plan's deadline.
func (s *process) await(self *actor.Self, c *child) (actor.Down, error) {
	ctx := context.Background()
	if at, ok := s.plan.deadline(); ok {
		limited, cancel := context.WithDeadline(ctx, at)
		defer cancel()
		ctx = limited
	}
	return self.AwaitDown(ctx, c.monitor)
}
