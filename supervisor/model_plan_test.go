package supervisor

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/actor"
)

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
