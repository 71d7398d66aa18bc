package actor_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// gated is a process with a bounded mailbox that handles nothing until open is
// called; then it passes everything on to the probe.
func gated(t *testing.T, sys *actor.System, probe *actortest.Probe, mailbox actor.Mailbox) (pid actor.PID, open func()) {
	gate := make(chan struct{})
	pid = spawn(t, sys, &scripted{receive: func(self *actor.Self, msg any) error {
		if msg == "gate" {
			<-gate
			return nil
		}
		return self.Send(probe.PID(), msg)
	}}, mailbox)
	tell(t, sys, pid, "gate")
	synctest.Wait()
	return pid, func() { close(gate) }
}

func TestFullMailboxFollowsItsPolicy(t *testing.T) {
	for _, c := range []struct {
		overflow actor.Overflow
		errs     []error // of the messages 0 to 5 into a mailbox for 3
		got      []any
		dead     []any
		took     time.Duration
	}{
		{actor.OverflowFail, []error{nil, nil, nil, actor.ErrMailboxFull, actor.ErrMailboxFull, actor.ErrMailboxFull}, []any{0, 1, 2}, []any{3, 4, 5}, 0},
		{actor.OverflowDropNewest, make([]error, 6), []any{0, 1, 2}, []any{3, 4, 5}, 0},
		{actor.OverflowDropOldest, make([]error, 6), []any{3, 4, 5}, []any{0, 1, 2}, 0},
		{actor.OverflowBlock, []error{nil, nil, nil, actor.ErrMailboxFull, actor.ErrMailboxFull, actor.ErrMailboxFull}, []any{0, 1, 2}, []any{3, 4, 5}, 3 * actor.DefaultOverflowWait},
	} {
		t.Run(c.overflow.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
				events := actortest.Observe(t, sys)
				pid, open := gated(t, sys, probe, actor.Mailbox{Capacity: 3, Overflow: c.overflow})
				began := time.Now()
				for i, want := range c.errs {
					if err := sys.Send(pid, i); err != want {
						t.Errorf("Send %d: %v", i, err)
					}
				}
				if d := time.Since(began); d != c.took {
					t.Errorf("took %v", d)
				}
				if info, _ := sys.Info(pid); info.Queue != 3 {
					t.Errorf("queue is %d long", info.Queue)
				}
				open()
				for _, want := range c.got {
					probe.ExpectMessage(want, soon)
				}
				probe.ExpectNothing(time.Minute)
				for _, want := range c.dead {
					letter := actortest.Expect[actor.DeadLetter](events, soon)
					if letter.Message != want || letter.Reason != actor.ErrMailboxFull || letter.To != pid {
						t.Errorf("dead letter %+v, want %v", letter, want)
					}
				}
				if events.Len() != 0 {
					t.Errorf("more events: %v", events.Drain())
				}
			})
		})
	}
}

func TestDropOldestKeepsExactlyTheNewest(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		other := spawn(t, sys, echo())
		pid, open := gated(t, sys, probe, actor.Mailbox{Capacity: 5, Overflow: actor.OverflowDropOldest})
		// Signals wait between the messages and keep their places.
		_ = sys.Kill(other)
		synctest.Wait()
		for i := range 1000 {
			tell(t, sys, pid, i)
		}
		if info, _ := sys.Info(pid); info.Queue != 5 {
			t.Errorf("queue is %d long", info.Queue)
		}
		open()
		for i := 995; i < 1000; i++ {
			probe.ExpectMessage(i, soon)
		}
		probe.ExpectNothing(time.Minute)
	})
}

func TestSignalsAndTimersPassAFullMailbox(t *testing.T) {
	for _, overflow := range []actor.Overflow{actor.OverflowFail, actor.OverflowDropNewest, actor.OverflowDropOldest, actor.OverflowBlock} {
		t.Run(overflow.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
				watched, linked := spawn(t, sys, echo()), spawn(t, sys, echo())
				gate := make(chan struct{})
				pid := spawn(t, sys, &scripted{
					init: func(self *actor.Self) error {
						self.TrapExit(true)
						self.Monitor(watched)
						self.SendAfter(time.Second, "timer")
						return self.Link(linked)
					},
					receive: func(self *actor.Self, msg any) error {
						switch m := msg.(type) {
						case chan struct{}:
							<-m
							return nil
						case actor.Down:
							msg = m.Reason
						case actor.Exit:
							msg = fmt.Sprint("exit ", m.Reason)
						}
						return self.Send(probe.PID(), msg)
					},
				}, actor.Mailbox{Capacity: 1, Overflow: overflow})
				tell(t, sys, pid, gate)
				synctest.Wait()
				_ = sys.Kill(watched)
				synctest.Wait()
				tell(t, sys, pid, "the one message")
				tell(t, sys, linked, errBoom)
				time.Sleep(2 * time.Second)
				if overflow == actor.OverflowDropOldest {
					tell(t, sys, pid, "newer message")
				}
				close(gate)
				want := []any{actor.ErrKilled, "the one message", "exit boom", "timer"}
				if overflow == actor.OverflowDropOldest {
					want = []any{actor.ErrKilled, "exit boom", "timer", "newer message"}
				}
				for _, w := range want {
					probe.ExpectMessage(w, soon)
				}
			})
		})
	}
}

func TestSenderToItselfNeverBlocks(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		pid := spawn(t, sys, echo(), actor.Mailbox{Capacity: 1, Overflow: actor.OverflowBlock, Wait: time.Hour})
		perform(t, sys, pid, func(self *actor.Self) {
			if err := self.Send(self.PID(), 1); err != nil {
				t.Errorf("first: %v", err)
			}
			if err := self.Send(self.PID(), 2); err != actor.ErrMailboxFull {
				t.Errorf("second: %v", err)
			}
		})
	})
}

func TestUnboundedMailboxTakesEverything(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid, open := gated(t, sys, probe, actor.Mailbox{Overflow: actor.OverflowFail})
		const n = 10_000
		for i := range n {
			tell(t, sys, pid, i)
		}
		if info, _ := sys.Info(pid); info.Queue != n {
			t.Errorf("queue is %d long", info.Queue)
		}
		open()
		for i := range n {
			probe.ExpectMessage(i, soon)
		}
	})
}
