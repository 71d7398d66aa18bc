package supervisor_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// wantLinear measures something for n and for 10 n children, the fastest of a
// few attempts each, and checks that it does not take more than ten times as
// long as it would if it were linear.
func wantLinear(t *testing.T, what string, run func(n int) time.Duration) {
	t.Helper()
	fastest := func(n int) time.Duration {
		best := run(n)
		for range scaleAttempts - 1 {
			best = min(best, run(n))
		}
		return best
	}
	few, many := fastest(scaleChildren/10), fastest(scaleChildren)
	if many > 100*few {
		t.Errorf("%s takes %v for %d children, %v for %d", what, few, scaleChildren/10, many, scaleChildren)
	}
}

// TestSimpleOneForOneScaleManyTemporaryChildren terminates many instances one
// by one.
func TestSimpleOneForOneScaleManyTemporaryChildren(t *testing.T) {
	f := outside(t)
	sup := f.supervise(simple(temporary("child")))
	wantLinear(t, "terminating instances", func(n int) time.Duration {
		var pids []actor.PID
		for range n {
			pids = append(pids, f.startInstance(sup))
		}
		began := time.Now()
		for _, pid := range pids {
			if err := supervisor.TerminateInstance(f.ctx, f.sys, sup, pid); err != nil {
				t.Fatal(err)
			}
		}
		return time.Since(began)
	})
}

// TestScaleStartStopManyChildren starts and stops many children with IDs.
func TestScaleStartStopManyChildren(t *testing.T) {
	f := outside(t)
	wantLinear(t, "starting and terminating children", func(n int) time.Duration {
		sup := f.supervise(supervisor.Spec{})
		began := time.Now()
		for i := range n {
			f.startChild(sup, permanent(fmt.Sprint(i)))
		}
		for i := range n {
			f.terminateChild(sup, fmt.Sprint(i))
		}
		defer f.stop(sup)
		return time.Since(began)
	})
}

// TestASupervisorStopsManyChildrenTogether ends a supervisor that has many.
func TestASupervisorStopsManyChildrenTogether(t *testing.T) {
	f := outside(t)
	wantLinear(t, "stopping a supervisor of instances", func(n int) time.Duration {
		sup := f.supervise(simple(permanent("child")))
		var pids []actor.PID
		for range n {
			pids = append(pids, f.startInstance(sup))
		}
		f.wantCounts(sup, 1, n, 0, n)
		began := time.Now()
		f.stop(sup)
		took := time.Since(began)
		if slices.ContainsFunc(pids, f.sys.Alive) {
			t.Error("an instance outlives its supervisor")
		}
		return took
	})
}
