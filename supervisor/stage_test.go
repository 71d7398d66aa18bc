package supervisor

import (
	"errors"
	"math/rand/v2"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/actor"
)

var errCrash = errors.New("crash")

// stage is a world for a plan in which processes are started at once, or
// refuse to, and end when they are told to: at once or, with slow set, when the
// test says so. It fails when a child has two processes at a time.
type stage struct {
	*rapid.T
	plan    *plan
	now     time.Time
	last    uint64
	refuses map[string]bool
	slow    bool

	alive   map[actor.PID]*child
	ending  []actor.PID // told to end, or killed
	answers int
	ended   error
}

func newStage(t *rapid.T, spec Spec) *stage {
	s := &stage{T: t, now: time.Unix(0, 0), refuses: make(map[string]bool), alive: make(map[actor.PID]*child)}
	s.plan = newPlan(spec, rand.New(rand.NewPCG(1, 1)))
	s.perform(s.plan.boot(s.now))
	return s
}

// Reply lets a stage stand for all who ask.
func (s *stage) Reply(any) bool { s.answers++; return true }

func (s *stage) perform(effects []effect) {
	for _, e := range effects {
		switch e.do {
		case doStart:
			s.perform(s.plan.started(s.now, s.spawn(e.child), s.refusal(e.child)))
		case doStop, doKill:
			if s.alive[e.pid] != nil {
				s.ending = append(s.ending, e.pid)
			}
		case doReply:
			e.from.Reply(e.value)
		case doEnd:
			s.ended = e.err
		}
	}
	if err := s.plan.valid(); err != nil {
		s.Fatal(err)
	}
	if !s.slow {
		s.endAll()
	}
}

func (s *stage) refusal(c *child) error {
	if s.refuses[c.spec.ID] {
		return errCrash
	}
	return nil
}

func (s *stage) spawn(c *child) actor.PID {
	for pid, other := range s.alive {
		if other == c {
			s.Fatalf("%q is started while %v is still there", c.spec.ID, pid)
		}
	}
	if s.refusal(c) != nil {
		return actor.PID{}
	}
	s.last++
	pid := actor.MakePID(testNode, s.last)
	s.alive[pid] = c
	return pid
}

// gone ends a process.
func (s *stage) gone(pid actor.PID, reason error) {
	c := s.alive[pid]
	if c == nil {
		return
	}
	delete(s.alive, pid)
	s.perform(s.plan.ended(s.now, c, reason))
}

// endAll ends those who have been told to.
func (s *stage) endAll() {
	for len(s.ending) > 0 {
		pid := s.ending[0]
		s.ending = s.ending[1:]
		s.gone(pid, actor.ErrShutdown)
	}
}

func (s *stage) ask(r request) { s.perform(s.plan.serve(s.now, r, s)) }

// retries lets the plan try again what it wants to try again now.
func (s *stage) retries() {
	for s.ended == nil {
		at, ok := s.plan.deadline()
		if !ok || at.After(s.now) {
			return
		}
		s.perform(s.plan.tick(s.now))
	}
}
