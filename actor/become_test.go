package actor_test

import (
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestBecomeChangesTheBehaviourFromTheNextMessageOn(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		say := func(word string, then func(self *actor.Self)) actor.Actor {
			return actor.Func(func(self *actor.Self, _ any) error {
				then(self)
				return self.Send(probe.PID(), word)
			})
		}
		unbecome := func(want bool) func(self *actor.Self) {
			return func(self *actor.Self) {
				if got := self.Unbecome(); got != want {
					t.Errorf("Unbecome = %v", got)
				}
			}
		}
		three := say("three", unbecome(true))
		two := say("two", func(self *actor.Self) { _ = self.Become(three) })
		terminated := false
		pid := spawn(t, sys, &scripted{
			receive: func(self *actor.Self, _ any) error {
				unbecome(false)(self)
				_ = self.Become(two)
				return self.Send(probe.PID(), "one")
			},
			terminate: func(*actor.Self, error) { terminated = true },
		})
		for _, want := range []string{"one", "two", "three", "two", "three", "two"} {
			tell(t, sys, pid, "next")
			probe.ExpectMessage(want, soon)
		}
		if info, _ := sys.Info(pid); info.Type != "actor.Func" {
			t.Errorf("Type = %s", info.Type)
		}
		_ = sys.Exit(pid, errBoom)
		probe.Monitor(pid)
		actortest.Expect[actor.Down](probe, soon)
		if !terminated {
			t.Error("the original's Terminate did not run")
		}
	})
}

func TestBecomeNilIsAnError(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, _ *actortest.Probe) {
		perform(t, sys, spawn(t, sys, echo()), func(self *actor.Self) {
			if self.Become(nil) == nil {
				t.Error("Become(nil) succeeded")
			}
		})
	})
}
