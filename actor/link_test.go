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

func TestLinkCarriesTheExitReasonBothWays(t *testing.T) {
	for _, first := range []string{"the linker", "the linked"} {
		t.Run(first+" ends", func(t *testing.T) {
			bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
				a, b := spawn(t, sys, echo()), spawn(t, sys, echo())
				perform(t, sys, a, func(self *actor.Self) { _ = self.Link(b) })
				ends, follows := a, b
				if first == "the linked" {
					ends, follows = b, a
				}
				probe.Monitor(follows)
				tell(t, sys, ends, fmt.Errorf("wrapped: %w", errBoom))
				probe.ExpectDown(follows, errBoom, soon)
			})
		})
	}
}

func TestLinkToWhatIsNotThere(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		dead := spawn(t, sys, echo())
		_ = sys.Kill(dead)
		synctest.Wait()
		if err := probe.Link(dead); err != nil {
			t.Errorf("Link to the dead: %v", err)
		}
		probe.ExpectExit(dead, actor.ErrNoProc, soon)
		if err := probe.Link(actor.PID{}); err != actor.ErrNoProc {
			t.Errorf("Link to the zero PID: %v", err)
		}
		if err := probe.Link(probe.PID()); err != nil {
			t.Errorf("Link to itself: %v", err)
		}
		probe.Unlink(actor.PID{})
		probe.Unlink(dead)
		var alias actor.PID
		other := spawn(t, sys, echo())
		perform(t, sys, other, func(self *actor.Self) { alias, _ = self.Alias() })
		_ = probe.Link(alias)
		probe.ExpectExit(alias, actor.ErrNoProc, soon)
		if info, _ := sys.Info(probe.PID()); len(info.Links) != 0 {
			t.Errorf("links: %v", info.Links)
		}
		if info, _ := sys.Info(other); len(info.Links) != 0 {
			t.Errorf("links of the aliased: %v", info.Links)
		}
		victim := spawn(t, sys, echo()) // does not trap
		probe.Monitor(victim)
		tell(t, sys, victim, do(func(self *actor.Self) error { return self.Link(dead) }))
		probe.ExpectDown(victim, actor.ErrNoProc, soon)
	})
}

func TestLinkingTwiceIsLinkingOnce(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := spawn(t, sys, echo())
		_, _ = probe.Link(pid), probe.Link(pid)
		perform(t, sys, pid, func(self *actor.Self) { _ = self.Link(probe.PID()) })
		tell(t, sys, pid, errBoom)
		probe.ExpectExit(pid, errBoom, soon)
		probe.ExpectNothing(time.Minute)
	})
}

func TestUnlinkEndsTheLinkOfBoth(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid := probe.SpawnLink(echo())
		perform(t, sys, pid, func(self *actor.Self) { self.Unlink(probe.PID()) })
		other := probe.SpawnLink(echo())
		probe.Unlink(other)
		tell(t, sys, pid, errBoom)
		tell(t, sys, other, errBoom)
		probe.ExpectNothing(time.Minute)
	})
}

func TestNormalEndDoesNotDisturbALinkedProcessButEndsTheLink(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		a, b := spawn(t, sys, echo()), spawn(t, sys, echo())
		perform(t, sys, a, func(self *actor.Self) { _ = self.Link(b) })
		tell(t, sys, a, fmt.Errorf("done: %w", actor.ErrNormal))
		synctest.Wait()
		info, alive := sys.Info(b)
		if !alive || len(info.Links) != 0 {
			t.Errorf("alive %v, links %v", alive, info.Links)
		}
	})
}

// Links are broken and taken back at the same moment: the signal may come
// before, but never after Unlink has returned.
func TestNoSignalTakesEffectAfterUnlink(t *testing.T) {
	sys := actortest.NewSystem(t)
	for range 300 {
		b := spawn(t, sys, echo())
		unlinked := false
		a := &scripted{}
		a.terminate = func(_ *actor.Self, reason error) {
			if unlinked && errors.Is(reason, errBoom) {
				t.Error("the signal of a link took effect after Unlink")
			}
		}
		pid := spawn(t, sys, a)
		perform(t, sys, pid, func(self *actor.Self) { _ = self.Link(b) })
		tell(t, sys, b, errBoom)
		_ = sys.Send(pid, do(func(self *actor.Self) error {
			self.Unlink(b)
			// An exit signal that came before has been seen by the context.
			unlinked = self.Context().Err() == nil
			return nil
		}))
		_ = sys.Send(pid, actor.ErrNormal)
	}
}

// The first of many linked processes ends. Were the signal carried on by
// recursion, this would be a stack of that depth.
func TestLongChainOfLinkedProcessesDies(t *testing.T) {
	const n = 100_000
	sys := actortest.NewSystem(t)
	probe := actortest.NewProbe(t, sys)
	actortest.CheckLeaks(t, sys)
	var next actor.PID
	chain := &scripted{}
	link := func(self *actor.Self) error {
		if !next.IsZero() {
			return self.Link(next)
		}
		return nil
	}
	chain.init = link
	last := spawn(t, sys, chain)
	next = last
	for range n - 1 {
		next = spawn(t, sys, &scripted{init: link})
	}
	probe.Monitor(last)
	_ = sys.Exit(next, errBoom)
	probe.ExpectDown(last, errBoom, time.Minute)
}

func TestRingOfLinkedProcessesDiesOnce(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		events := actortest.Observe(t, sys)
		var ring []actor.PID
		for range 50 {
			ring = append(ring, spawn(t, sys, echo()))
		}
		for i, pid := range ring {
			perform(t, sys, pid, func(self *actor.Self) { _ = self.Link(ring[(i+1)%len(ring)]) })
		}
		tell(t, sys, ring[7], errBoom)
		synctest.Wait()
		if n := events.Len(); n != len(ring) {
			t.Errorf("%d exits of %d processes", n, len(ring))
		}
		for _, e := range events.Drain() {
			if e.(actor.ProcessExited).Reason != errBoom {
				t.Errorf("%+v", e)
			}
		}
	})
}

func TestManyLinksOfOneProcessAllFire(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		hub := spawn(t, sys, echo())
		for range 100 { // more than a small set holds
			pid := spawn(t, sys, echo())
			perform(t, sys, pid, func(self *actor.Self) { _ = self.Link(hub) })
		}
		kept := spawn(t, sys, echo())
		perform(t, sys, kept, func(self *actor.Self) { _ = self.Link(hub); self.Unlink(hub) })
		if info, _ := sys.Info(hub); len(info.Links) != 100 {
			t.Errorf("%d links", len(info.Links))
		}
		tell(t, sys, hub, errBoom)
		synctest.Wait()
		if n := sys.Stats().Processes; n != 2 || !sys.Alive(kept) {
			t.Errorf("%d processes left", n)
		}
	})
}
