package actortest_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestNewSystemClosesTheSystem(t *testing.T) {
	var sys *actor.System
	failures := run(func(t testing.TB) {
		sys = actortest.NewSystem(t)
		if _, err := sys.Spawn(context.Background(), actor.Func(echo)); err != nil {
			t.Errorf("Spawn: %v", err)
		}
	})
	if len(failures) > 0 {
		t.Error(failures)
	}
	if _, err := sys.Spawn(t.Context(), actor.Func(echo)); err != actor.ErrClosed {
		t.Errorf("Spawn afterwards: %v", err)
	}
}

func TestZombieFailsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		failures := run(func(tb testing.TB) {
			sys := actortest.NewSystem(tb)
			pid, _ := sys.Spawn(t.Context(), actor.Func(func(*actor.Self, any) error { <-release; return nil }))
			_ = sys.Send(pid, 1)
			synctest.Wait()
		})
		close(release)
		if text := strings.Join(failures, "\n"); !strings.Contains(text, "handlers that do not return: [<local/0-/0.1>]") {
			t.Errorf("failed with %q", text)
		}
	})
}

// stubborn takes its time to terminate, but listens to a kill.
type stubborn struct{}

func (stubborn) Receive(*actor.Self, any) error      { return nil }
func (stubborn) Terminate(self *actor.Self, _ error) { <-self.Context().Done() }

func TestProcessThatMustBeKilledFailsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := run(func(tb testing.TB) {
			_, _ = actortest.NewSystem(tb).Spawn(t.Context(), stubborn{})
		})
		if text := strings.Join(failures, "\n"); !strings.Contains(text, "<local/0-/0.1> did not end within 10s") {
			t.Errorf("failed with %q", text)
		}
	})
}

func TestInvalidConfigFailsTheTest(t *testing.T) {
	failures := run(func(tb testing.TB) { actortest.NewSystemConfig(tb, actor.Config{KillGrace: -1}) })
	if len(failures) != 1 || !strings.Contains(failures[0], "KillGrace") {
		t.Errorf("failed with %v", failures)
	}
}

func TestLeakedProcessFailsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystem(t)
		old, _ := sys.Spawn(t.Context(), actor.Func(echo), actor.Label("old"))
		failures := run(func(tb testing.TB) {
			actortest.CheckLeaks(tb, sys)
			_, _ = sys.Spawn(t.Context(), actor.Func(echo), actor.Label("new"))
		})
		if text := strings.Join(failures, "\n"); !strings.Contains(text, `"new"`) || strings.Contains(text, `"old"`) {
			t.Errorf("failed with %q; %v was there before", text, old)
		}
	})
}

func TestProcessThatIsAboutToEndIsNoLeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystem(t)
		if failures := run(func(tb testing.TB) {
			actortest.CheckLeaks(tb, sys)
			pid, _ := sys.Spawn(t.Context(), actor.Func(func(*actor.Self, any) error {
				time.Sleep(actortest.CloseTimeout / 2)
				return actor.ErrNormal
			}))
			_ = sys.Send(pid, 1)
			synctest.Wait()
		}); len(failures) > 0 {
			t.Error(failures)
		}
	})
}

func TestObserveRecordsEventsUntilTheTestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystem(t)
		var events *actortest.Recorder
		if failures := run(func(tb testing.TB) {
			events = actortest.Observe(tb, sys)
			_ = sys.Send(actor.Name("nobody"), 1)
			if letter := actortest.Expect[actor.DeadLetter](events, time.Minute); letter.Message != 1 {
				t.Errorf("letter = %+v", letter)
			}
		}); len(failures) > 0 {
			t.Error(failures)
		}
		_ = sys.Send(actor.Name("nobody"), 2)
		if events.Len() != 0 {
			t.Error("an event came after the end")
		}
	})
}
