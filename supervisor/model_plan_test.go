package supervisor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
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

// drawSpec draws a supervisor without children, or with a template, and its
// model.
func drawSpec(t *rapid.T) (Spec, *model) {
	spec := Spec{
		Strategy:  rapid.SampledFrom([]Strategy{OneForOne, OneForAll, RestForOne, SimpleOneForOne}).Draw(t, "strategy"),
		Intensity: AtMost(rapid.IntRange(0, 6).Draw(t, "intensity")),
		Period:    time.Duration(rapid.IntRange(1, 20).Draw(t, "period")) * time.Second,
	}
	if spec.Strategy == SimpleOneForOne {
		spec.Children = []ChildSpec{drawChild(t, Never)}
	} else {
		spec.AutoShutdown = rapid.SampledFrom([]AutoShutdown{Never, AnySignificant, AllSignificant}).Draw(t, "auto")
	}
	return spec, &model{strategy: spec.Strategy, limit: spec.Intensity.max(), period: spec.Period, auto: spec.AutoShutdown}
}

func drawChild(t *rapid.T, auto AutoShutdown) ChildSpec {
	c := ChildSpec{
		ID:      rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "id"),
		Restart: rapid.SampledFrom([]Restart{Permanent, Transient, Temporary}).Draw(t, "restart"),
		Start:   func(*actor.Self, ...any) (actor.PID, error) { panic("not called") },
	}
	c.Significant = auto != Never && c.Restart != Permanent && rapid.Bool().Draw(t, "significant")
	return c
}

func modelOf(c ChildSpec) *modelChild {
	return &modelChild{id: c.ID, restart: c.Restart, significant: c.Significant}
}

// TestPlanAgreesWithModel plays random starts, ends, terminations and refusals
// to plan and model, with processes that end as soon as they are told to.
func TestPlanAgreesWithModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec, m := drawSpec(t)
		s := newStage(t, spec)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			s.step(spec, m)
			s.retries()
			if (s.ended != nil) != m.over {
				t.Fatalf("the supervisor's end is %v, the model's %v", s.ended, m.over)
			}
			if m.over {
				break
			}
			if got, want := s.list(), m.String(); got != want {
				t.Fatalf("children are %s, want %s", got, want)
			}
		}
		s.perform(s.plan.shutdown(s.now))
		if len(s.alive) != 0 {
			t.Fatalf("%d processes outlive their supervisor", len(s.alive))
		}
	})
}

func (s *stage) list() string {
	var infos []ChildInfo
	for c := s.plan.family.first; c != nil; c = c.next {
		infos = append(infos, c.info())
	}
	return infosText(infos)
}

// step does one random thing to plan and model.
func (s *stage) step(spec Spec, m *model) {
	op := rapid.SampledFrom([]string{"add", "add", "crash", "crash", "end", "terminate", "restart", "delete", "refuse", "wait"}).Draw(s.T, "op")
	if op == "add" {
		s.add(spec, m)
		return
	}
	if op == "wait" {
		s.now = s.now.Add(time.Duration(rapid.IntRange(1, 10).Draw(s.T, "wait")) * time.Second)
		return
	}
	if len(m.children) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.children)-1).Draw(s.T, "child")
	mc, c := m.children[i], s.plan.family.from(nil)[i]
	if mc.id != c.spec.ID {
		s.Fatalf("child %d is %q, want %q", i, c.spec.ID, mc.id)
	}
	switch op {
	case "crash", "end":
		if mc.running {
			reason := map[string]error{"crash": errCrash, "end": actor.ErrNormal}[op]
			m.end(s.now, mc, op == "crash", s.refuses)
			s.gone(c.pid, reason)
		}
	case "terminate":
		m.stop(mc)
		if spec.Strategy == SimpleOneForOne {
			s.ask(terminateInstance{pid: c.pid, alive: true})
		} else {
			s.ask(terminateChild{c.spec.ID})
		}
	case "restart":
		if !mc.running && !s.refuses[mc.id] {
			m.start(mc)
		}
		s.ask(restartChild{c.spec.ID})
	case "delete":
		if !mc.running {
			m.remove(mc)
		}
		s.ask(deleteChild{c.spec.ID})
	case "refuse":
		s.refuses[mc.id] = !s.refuses[mc.id]
	}
}

func (s *stage) add(spec Spec, m *model) {
	if spec.Strategy == SimpleOneForOne {
		m.add(modelOf(spec.Children[0]), s.refuses[spec.Children[0].ID])
		s.ask(startInstance{})
		return
	}
	c := drawChild(s.T, spec.AutoShutdown)
	m.add(modelOf(c), s.refuses[c.ID])
	s.ask(startChild{c})
}

// TestPlanSurvivesAnyInterleaving lets processes end late, in any order, and
// time pass, while requests come in. Whatever happens, the invariants hold,
// everybody is answered, and in the end everything is stopped.
func TestPlanSurvivesAnyInterleaving(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec, _ := drawSpec(t)
		spec.Intensity = AtMost(20)
		s := newStage(t, spec)
		s.slow = true
		asked := 0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if s.ended != nil {
				break
			}
			asked += s.anything(spec)
		}
		if s.ended == nil && rapid.Bool().Draw(t, "settle") {
			s.slow = false
			s.endAll()
			for s.ended == nil && s.plan.op.kind != opNone {
				t.Fatalf("operation %d does not end", s.plan.op.kind)
			}
			if s.ended == nil && s.answers != asked {
				t.Fatalf("%d of %d requests are answered", s.answers, asked)
			}
		}
		s.slow = true
		s.perform(s.plan.shutdown(s.now))
		s.finish()
	})
}

// finish ends everything that is told to end, one by one, as Terminate does.
func (s *stage) finish() {
	for c := s.plan.awaited(); c != nil; c = s.plan.awaited() {
		if at, ok := s.plan.deadline(); ok && rapid.Bool().Draw(s.T, "late") {
			s.now = at
			s.perform(s.plan.tick(s.now))
		}
		s.gone(c.pid, actor.ErrShutdown)
	}
	if len(s.alive) != 0 {
		s.Fatalf("%d processes outlive their supervisor", len(s.alive))
	}
}

// anything does one random thing and returns how many requests it was.
func (s *stage) anything(spec Spec) int {
	op := rapid.SampledFrom([]string{"add", "terminate", "restart", "delete", "update", "count", "crash", "crash", "gone", "gone", "gone", "wait", "refuse"}).Draw(s.T, "op")
	id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(s.T, "whom")
	pid := actor.MakePID(testNode, rapid.Uint64Range(1, s.last+1).Draw(s.T, "pid"))
	switch op {
	case "add":
		if spec.Strategy == SimpleOneForOne {
			s.ask(startInstance{[]any{1}})
		} else {
			s.ask(startChild{drawChild(s.T, spec.AutoShutdown)})
		}
	case "terminate":
		if spec.Strategy == SimpleOneForOne {
			s.ask(terminateInstance{pid: pid})
		} else {
			s.ask(terminateChild{id})
		}
	case "restart":
		s.ask(restartChild{id})
	case "delete":
		s.ask(deleteChild{id})
	case "update":
		c := drawChild(s.T, spec.AutoShutdown)
		c.Backoff.Initial = time.Duration(rapid.IntRange(0, 2).Draw(s.T, "backoff")) * time.Second
		changed := spec
		changed.Children = []ChildSpec{c}
		s.ask(updateSpec{changed})
	case "count":
		s.ask(countChildren{})
	case "crash":
		s.gone(pid, errCrash)
		return 0
	case "gone":
		if len(s.ending) > 0 {
			i := rapid.IntRange(0, len(s.ending)-1).Draw(s.T, "who")
			who := s.ending[i]
			s.ending = append(s.ending[:i], s.ending[i+1:]...)
			s.gone(who, rapid.SampledFrom([]error{actor.ErrShutdown, actor.ErrKilled, actor.ErrZombie}).Draw(s.T, "reason"))
		}
		return 0
	case "wait":
		s.now = s.now.Add(time.Duration(rapid.IntRange(0, 3).Draw(s.T, "wait")) * time.Second)
		s.perform(s.plan.tick(s.now))
		return 0
	case "refuse":
		s.refuses[id] = !s.refuses[id]
		return 0
	default:
		panic(fmt.Sprint("unknown ", op))
	}
	return 1
}
