package actor_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestDeadLettersAreReportedWithWhatIsKnown(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		events := actortest.Observe(t, sys)
		dead := spawn(t, sys, echo())
		_ = sys.Kill(dead)
		actortest.Expect[actor.ProcessExited](events, soon)
		for _, to := range []actor.Address{dead, actor.Name("nobody"), actor.ClusterName("nobody"), actor.PID{}} {
			if err := probe.Send(to, 1); err != actor.ErrNoProc {
				t.Errorf("Send: %v", err)
			}
			events.ExpectMessage(actor.DeadLetter{To: to, From: probe.PID(), Message: 1, Reason: actor.ErrNoProc}, soon)
		}
		if err := sys.Send(nil, 1); err != actor.ErrNoProc {
			t.Errorf("Send to no address: %v", err)
		}
		actortest.Expect[actor.DeadLetter](events, soon)
		if err := sys.Send(dead, nil); err != actor.ErrNilMessage {
			t.Errorf("Send nil: %v", err)
		}
		events.ExpectNothing(soon)
		if n := sys.Stats().DeadLetters; n != 5 {
			t.Errorf("%d dead letters", n)
		}
	})
}

func TestUnhandledMailBecomesDeadLettersExactlyOnce(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		events := actortest.Observe(t, sys)
		const n = 2000 // more than is taken at once
		gate := make(chan struct{})
		pid := spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error {
			if msg == 10 {
				return errBoom
			}
			return self.Stash(msg)
		}})
		tell(t, sys, pid, stuck(gate))
		for i := range n {
			tell(t, sys, pid, i)
		}
		close(gate)
		synctest.Wait()
		seen := make([]bool, n)
		for _, e := range events.Drain() {
			if letter, ok := e.(actor.DeadLetter); ok {
				if i := letter.Message.(int); seen[i] || letter.To != pid {
					t.Errorf("again: %+v", letter)
				} else {
					seen[i] = true
				}
			}
		}
		for i, ok := range seen {
			if ok == (i == 10) {
				t.Errorf("message %d: dead letter %v", i, ok)
			}
		}
	})
}

func TestProcessExitedComesAfterLinksAndMonitorsFired(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		var pid actor.PID
		var told atomic.Bool
		cancel := sys.Observe(func(e actor.Event) {
			if exited, ok := e.(actor.ProcessExited); ok {
				info, _ := sys.Info(probe.PID())
				told.Store(exited == actor.ProcessExited{PID: pid, Parent: probe.PID(), Reason: errBoom} && len(info.Links) == 0)
			}
		})
		pid = probe.SpawnLink(echo())
		tell(t, sys, pid, errBoom)
		probe.ExpectExit(pid, errBoom, soon)
		synctest.Wait()
		if !told.Load() {
			t.Error("no ProcessExited, or too early")
		}
		cancel()
		cancel()
		told.Store(false)
		tell(t, sys, spawn(t, sys, echo()), errBoom)
		synctest.Wait()
		if told.Load() {
			t.Error("observed after cancel")
		}
	})
}

func TestAbnormalExitsAreLoggedOthersAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer // written by one process at a time
		sys := actortest.NewSystemConfig(t, actor.Config{Logger: slog.New(slog.NewTextHandler(&text, nil))})
		for _, reason := range []error{actor.ErrNormal, actor.ErrShutdown, errBoom} {
			tell(t, sys, spawn(t, sys, echo(), actor.Label("culprit")), reason)
			synctest.Wait()
		}
		tell(t, sys, spawn(t, sys, echo()), do(func(*actor.Self) error { panic("oops") }))
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "reason=boom label=culprit") || !strings.Contains(lines[1], "event_test.go") {
			t.Errorf("log: %s", text.String())
		}
	})
}
