package supervisor

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/actor"
)

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
