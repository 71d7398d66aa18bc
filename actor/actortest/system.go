package actortest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
)

// CloseTimeout is how long the systems of this package wait at the end of a
// test for their processes to end of themselves before they fail it.
const CloseTimeout = 10 * time.Second

// NewSystem returns a system that is closed when the test ends. The test fails
// if processes have to be killed for that, or if handlers do not return.
func NewSystem(t testing.TB) *actor.System {
	t.Helper()
	return NewSystemConfig(t, actor.Config{})
}

// NewSystemConfig is [NewSystem] with a Config.
func NewSystemConfig(t testing.TB, cfg actor.Config) *actor.System {
	t.Helper()
	sys, err := actor.NewSystem(cfg)
	if err != nil {
		t.Fatalf("NewSystem: %v", err)
	}
	t.Cleanup(func() { closeSystem(t, sys) })
	return sys
}

func closeSystem(t testing.TB, sys *actor.System) {
	t.Helper()
	events := Observe(t, sys)
	ctx, cancel := context.WithTimeout(context.Background(), CloseTimeout)
	defer cancel()
	if err := sys.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
		return
	}
	if ctx.Err() == nil {
		return
	}
	for _, item := range events.Drain() {
		if e, ok := item.(actor.ProcessExited); ok && e.Reason == actor.ErrKilled {
			t.Errorf("%v did not end within %v of being asked to and was killed", e.PID, CloseTimeout)
		}
	}
}

// CheckLeaks fails the test if, when it ends, sys has processes that it has not
// got now. Processes that are about to end get CloseTimeout to do so. Call it
// after the system is made and before what is to be checked.
func CheckLeaks(t testing.TB, sys *actor.System) {
	t.Helper()
	before := slices.Collect(sys.Processes())
	t.Cleanup(func() {
		t.Helper()
		events := Observe(t, sys)
		timeout := time.NewTimer(CloseTimeout)
		defer timeout.Stop()
		for {
			left := leaked(sys, before)
			if len(left) == 0 {
				return
			}
			if _, ok := events.next(timeout.C); !ok {
				t.Errorf("processes leaked:\n%s", strings.Join(left, "\n"))
				return
			}
		}
	})
}

// leaked describes the processes of sys that are not in known.
func leaked(sys *actor.System, known []actor.PID) []string {
	var left []string
	for pid := range sys.Processes() {
		if info, ok := sys.Info(pid); ok && !slices.Contains(known, pid) {
			left = append(left, fmt.Sprintf("%v %s %q (%s), spawned by %v", pid, info.Type, info.Label, info.Status, info.Parent))
		}
	}
	return left
}
