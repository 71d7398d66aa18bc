package actor_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

type failure struct{ code int }

func (f *failure) Error() string { return fmt.Sprint("failure ", f.code) }

func TestExitReasonIsTheErrorItself(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := probe.SpawnLink(echo())
		probe.Monitor(pid)
		tell(t, sys, pid, fmt.Errorf("context: %w", &failure{7}))
		// Links fire before monitors.
		var f *failure
		if exit := actortest.Expect[actor.Exit](probe, soon); !errors.As(exit.Reason, &f) || f.code != 7 {
			t.Errorf("Exit: %v", exit.Reason)
		}
		if down := actortest.Expect[actor.Down](probe, soon); !errors.As(down.Reason, &f) || f.code != 7 {
			t.Errorf("Down: %v", down.Reason)
		}
	})
}

func TestAbnormalIsNeitherNormalNorShutdown(t *testing.T) {
	for reason, want := range map[error]bool{
		actor.ErrNormal: false, actor.ErrShutdown: false, fmt.Errorf("x: %w", actor.ErrShutdown): false,
		actor.ErrKilled: true, actor.ErrNoProc: true, errBoom: true,
	} {
		if got := actor.Abnormal(reason); got != want {
			t.Errorf("Abnormal(%v) = %v", reason, got)
		}
	}
}

// TestExitSignalFollowsOTPsRules goes through OTP's table of who does what on a signal.
func TestExitSignalFollowsOTPsRules(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("wrapped: %w", err) }
	type outcome int
	const (
		lives outcome = iota
		dies
		message
	)
	for _, c := range []struct {
		reason     error
		trap, self bool
		parent     bool
		want       outcome
	}{
		{reason: errBoom, want: dies},
		{reason: actor.ErrShutdown, want: dies},
		{reason: actor.ErrNormal, want: lives},
		{reason: wrap(actor.ErrNormal), want: lives},
		{reason: nil, want: lives},
		{reason: actor.ErrKilled, want: dies},
		{reason: errBoom, trap: true, want: message},
		{reason: actor.ErrNormal, trap: true, want: message},
		{reason: actor.ErrKilled, trap: true, want: dies},
		{reason: wrap(actor.ErrKilled), trap: true, want: dies},
		{reason: errBoom, parent: true, want: dies},
		{reason: actor.ErrNormal, parent: true, want: lives},
		{reason: errBoom, parent: true, trap: true, want: dies},
		{reason: actor.ErrNormal, parent: true, trap: true, want: dies},
		{reason: actor.ErrNormal, self: true, want: dies},
		{reason: errBoom, self: true, trap: true, want: message},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
				receiver := &scripted{
					init:    func(self *actor.Self) error { self.TrapExit(c.trap); return nil },
					receive: func(self *actor.Self, msg any) error { return self.Send(probe.PID(), msg) },
				}
				var pid, sender actor.PID
				if c.parent {
					pid, sender = probe.Spawn(receiver), probe.PID()
				} else {
					pid, sender = spawn(t, sys, receiver), probe.PID()
				}
				probe.Monitor(pid)
				if c.self {
					sender = pid
					tell(t, sys, pid, do(func(self *actor.Self) error { return self.Exit(pid, c.reason) }))
				} else {
					_ = probe.Exit(pid, c.reason)
				}
				want := c.reason
				if want == nil {
					want = actor.ErrNormal
				}
				switch c.want {
				case lives:
					probe.ExpectNothing(time.Minute)
				case message:
					probe.ExpectMessage(actor.Exit{From: sender, Reason: want}, soon)
				case dies:
					if errors.Is(want, actor.ErrKilled) {
						want = actor.ErrKilled
					}
					probe.ExpectDown(pid, want, soon)
				}
			})
		})
	}
}

func TestKilledReasonOfALinkCanBeTrapped(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := probe.SpawnLink(echo())
		_ = sys.Kill(pid)
		probe.ExpectExit(pid, actor.ErrKilled, soon)
		pid = probe.SpawnLink(echo())
		tell(t, sys, pid, actor.ErrKilled) // as a reason of its own
		probe.ExpectExit(pid, actor.ErrKilled, soon)
	})
}

func TestExitToNobodyIsAnError(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, echo())
		_ = sys.Kill(pid)
		synctest.Wait()
		for _, to := range []actor.PID{{}, pid} {
			if err := sys.Exit(to, errBoom); err != actor.ErrNoProc {
				t.Errorf("Exit %v: %v", to, err)
			}
			if err := sys.Kill(to); err != actor.ErrNoProc {
				t.Errorf("Kill %v: %v", to, err)
			}
		}
		foreign := actor.MakePID(elsewhere(), 1<<28)
		if err := probe.Exit(foreign, errBoom); err != actor.ErrNoCluster {
			t.Errorf("Exit to another node: %v", err)
		}
	})
}

func TestUntrappedExitDoesNotWaitBehindQueuedMail(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		handled := 0
		pid := spawn(t, sys, &scripted{receive: func(*actor.Self, any) error { handled++; return nil }})
		probe.Monitor(pid)
		release := make(chan struct{})
		tell(t, sys, pid, stuck(release))
		for i := range 1000 {
			tell(t, sys, pid, i)
		}
		synctest.Wait()
		_ = sys.Exit(pid, errBoom)
		close(release)
		probe.ExpectDown(pid, errBoom, soon)
		if handled != 0 {
			t.Errorf("handled %d messages first", handled)
		}
		if n := sys.Stats().DeadLetters; n != 1000 {
			t.Errorf("%d dead letters", n)
		}
	})
}

func TestTrappingProcessEndsInItsTurnWhenTheParentSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		var handled []any
		var reason error
		pid := probe.SpawnLink(&scripted{
			init:      func(self *actor.Self) error { self.TrapExit(true); return nil },
			receive:   func(_ *actor.Self, msg any) error { handled = append(handled, msg); return nil },
			terminate: func(_ *actor.Self, r error) { reason = r },
		})
		release := make(chan struct{})
		tell(t, sys, pid, stuck(release))
		synctest.Wait()
		_ = probe.Send(pid, "before")
		_ = probe.Exit(pid, actor.ErrShutdown)
		_ = probe.Send(pid, "after")
		close(release)
		probe.ExpectExit(pid, actor.ErrShutdown, soon)
		if len(handled) != 1 || handled[0] != "before" || reason != actor.ErrShutdown {
			t.Errorf("handled %v, Terminate(%v)", handled, reason)
		}
	})
}

func TestParentsEndIsNotAnExitMessage(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		parent := actortest.NewProbe(t, sys)
		pid := parent.SpawnLink(&scripted{
			init:    func(self *actor.Self) error { self.TrapExit(true); return nil },
			receive: func(_ *actor.Self, msg any) error { t.Errorf("received %v", msg); return nil },
		})
		probe.Monitor(pid)
		parent.End(errBoom)
		probe.ExpectDown(pid, errBoom, soon)
	})
}

func TestExitSignalEndsTheContextAndABlockedCallWithItsReason(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		for range 200 {
			pid := spawn(t, sys, echo())
			probe.Monitor(pid)
			tell(t, sys, pid, do(func(self *actor.Self) error {
				ctx := self.Context()
				_, err := actor.Call[any](ctx, self, probe.PID(), "never answered")
				var call *actor.CallError
				if !errors.As(err, &call) || call.Err != errBoom {
					t.Errorf("Call: %v", err)
				}
				return nil
			}))
			actortest.Expect[actortest.Request](probe, soon)
			synctest.Wait()
			_ = sys.Exit(pid, errBoom)
			probe.ExpectDown(pid, errBoom, soon)
		}
	})
}

func TestSecondExitSignalDoesNotChangeTheReason(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, echo())
		probe.Monitor(pid)
		release := make(chan struct{})
		tell(t, sys, pid, stuck(release))
		synctest.Wait()
		_ = sys.Exit(pid, errBoom)
		_ = sys.Exit(pid, errOther)
		close(release)
		probe.ExpectDown(pid, errBoom, soon)
	})
}

func TestTerminateCanStillSendCallAndMonitor(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		server := spawn(t, sys, echo())
		pid := spawn(t, sys, &scripted{terminate: func(self *actor.Self, _ error) {
			n, err := actor.Call[int](self.Context(), self, server, 42)
			_ = self.Send(probe.PID(), fmt.Sprint(n, err))
		}})
		probe.Monitor(pid)
		_ = sys.Exit(pid, errBoom)
		probe.ExpectMessage("42 <nil>", soon)
		probe.ExpectDown(pid, errBoom, soon)
	})
}
