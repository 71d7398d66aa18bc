package supervisor

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/actor"
)

// theater is a real supervisor with real processes, to be compared with a
// model.
type theater struct {
	*rapid.T
	sys   *actor.System
	sup   actor.PID
	spec  Spec
	model *model
	ended chan actor.PID // every process that ends
}

// mortal ends with any error that it is sent.
func mortal(_ *actor.Self, msg any) error { return msg.(error) }

// TestProcessAgreesWithModel plays random starts, ends, terminations, restarts
// and deletions to a supervisor and to the model.
func TestProcessAgreesWithModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sys, err := actor.NewSystem(actor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer sys.Close(context.Background())
		spec, m := drawSpec(t)
		spec.Period = time.Hour // real time passes as it likes
		m.period = spec.Period
		for i := range spec.Children {
			spec.Children[i].Start = actor.Start(func() actor.Actor { return actor.Func(mortal) })
		}
		th := &theater{T: t, sys: sys, spec: spec, model: m, ended: make(chan actor.PID, 1000)}
		defer sys.Observe(func(e actor.Event) {
			if exited, ok := e.(actor.ProcessExited); ok {
				th.ended <- exited.PID
			}
		})()
		if th.sup, err = Spawn(context.Background(), sys, spec); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			th.step()
			if !th.compare() {
				break
			}
		}
	})
}

// compare asks the supervisor for its children. It reports false if there is
// no supervisor any more.
func (th *theater) compare() bool {
	list, err := WhichChildren(context.Background(), th.sys, th.sup)
	switch {
	case th.model.over && !errors.Is(err, actor.ErrNoProc) && !errors.Is(err, actor.ErrShutdown):
		th.Fatalf("children are %s, %v; the supervisor should have ended", infosText(list), err)
	case th.model.over:
		return false
	case err != nil:
		th.Fatal(err)
	case infosText(list) != th.model.String():
		th.Fatalf("children are %s, want %v", infosText(list), th.model)
	}
	return true
}

// await waits for the end of a process, of which its supervisor knows then.
func (th *theater) await(pid actor.PID) {
	for <-th.ended != pid {
	}
}

func (th *theater) step() {
	ctx := context.Background()
	op := rapid.SampledFrom([]string{"add", "add", "crash", "crash", "end", "terminate", "restart", "delete"}).Draw(th.T, "op")
	if op == "add" {
		th.add()
		return
	}
	if len(th.model.children) == 0 {
		return
	}
	i := rapid.IntRange(0, len(th.model.children)-1).Draw(th.T, "child")
	list, err := WhichChildren(ctx, th.sys, th.sup)
	if err != nil {
		th.Fatal(err)
	}
	m, c := th.model.children[i], list[i]
	switch op {
	case "crash", "end":
		if m.running {
			reason := map[string]error{"crash": errCrash, "end": actor.ErrNormal}[op]
			th.model.end(time.Unix(0, 0), m, op == "crash", nil)
			_ = th.sys.Send(c.PID, reason)
			th.await(c.PID)
		}
	case "terminate":
		th.model.stop(m)
		if th.spec.Strategy == SimpleOneForOne {
			err = TerminateInstance(ctx, th.sys, th.sup, c.PID)
		} else {
			err = TerminateChild(ctx, th.sys, th.sup, c.ID)
		}
		if err != nil {
			th.Fatal(err)
		}
	case "restart":
		if !m.running {
			th.model.start(m)
		}
		_, _ = RestartChild(ctx, th.sys, th.sup, c.ID)
	case "delete":
		if !m.running {
			th.model.remove(m)
		}
		_ = DeleteChild(ctx, th.sys, th.sup, c.ID)
	}
}

func (th *theater) add() {
	if th.spec.Strategy == SimpleOneForOne {
		th.model.add(modelOf(th.spec.Children[0]), false)
		_, _ = StartInstance(context.Background(), th.sys, th.sup)
		return
	}
	c := drawChild(th.T, th.spec.AutoShutdown)
	c.Start = actor.Start(func() actor.Actor { return actor.Func(mortal) })
	th.model.add(modelOf(c), false)
	_, _ = StartChild(context.Background(), th.sys, th.sup, c)
}
