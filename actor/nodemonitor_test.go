package actor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// monitorNode monitors node in the probe.
func monitorNode(probe *actortest.Probe, node actor.NodeID) (ref actor.MonitorRef) {
	probe.Do(func(self *actor.Self) error { ref = self.MonitorNode(node); return nil })
	return ref
}

func TestNodeMonitorFiresOnceWithReasonAndIncarnation(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		crashed := fmt.Errorf("%w: reset by peer", actor.ErrNoConnection)
		byID := monitorNode(a.probe, b.Node())
		byName := monitorNode(a.probe, actor.NodeID{Name: "b"})
		again := monitorNode(a.probe, b.Node())
		synctest.Wait()
		a.probe.ExpectNothing(time.Minute)
		net.cut("a", "b", crashed)
		got := make(map[actor.MonitorRef]bool)
		for range 3 {
			down := actortest.Expect[actor.NodeDown](a.probe, soon)
			if down.Node != b.Node() || !errors.Is(down.Reason, crashed) {
				t.Errorf("got %v", down)
			}
			got[down.Ref] = true
		}
		if !got[byID] || !got[byName] || !got[again] {
			t.Errorf("got the NodeDowns of %v", got)
		}
		net.connect("a", "b")
		net.connect("b", "a")
		net.cut("a", "b", crashed)
		a.probe.ExpectNothing(time.Minute)
	})
}

func TestNodeDownComesAfterWhatTheNodeSent(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		monitorNode(a.probe, b.Node())
		for i := range 100 {
			_ = b.probe.Send(a.probe.PID(), i)
		}
		synctest.Wait()
		net.cut("a", "b", nil)
		for i := range 100 {
			a.probe.ExpectMessage(i, soon)
		}
		actortest.Expect[actor.NodeDown](a.probe, soon)
	})
}

func TestNodeMonitorThatIsTakenBackIsSilent(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		early, late := monitorNode(a.probe, b.Node()), monitorNode(a.probe, actor.NodeID{Name: "b"})
		a.probe.Do(func(self *actor.Self) error {
			if !self.Demonitor(early) {
				t.Error("Demonitor: no such monitor")
			}
			net.cut("a", "b", nil)
			if self.DemonitorFlush(late) {
				t.Error("DemonitorFlush: the NodeDown is not in the mailbox")
			}
			return nil
		})
		a.probe.ExpectNothing(time.Minute)
	})
}

func TestNodeThatIsNotThereIsDownAtOnce(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, _ *place) {
		earlier := a.Node()
		earlier.Incarnation.Boot--
		for _, node := range []actor.NodeID{elsewhere().Value(), {Name: "nowhere"}, earlier} {
			ref := monitorNode(a.probe, node)
			down := actortest.Expect[actor.NodeDown](a.probe, soon)
			if down.Ref != ref || down.Node != node || !errors.Is(down.Reason, actor.ErrNoConnection) {
				t.Errorf("%v: got %v", node, down)
			}
		}
	})
}

func TestOwnNodeIsNeverDown(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, _ *place) {
		refs := []actor.MonitorRef{monitorNode(a.probe, a.Node()), monitorNode(a.probe, actor.NodeID{Name: "a"})}
		net.cut("a", "b", nil)
		a.probe.ExpectNothing(time.Minute)
		a.probe.Do(func(self *actor.Self) error {
			for _, ref := range refs {
				if !self.Demonitor(ref) {
					t.Errorf("%v is no monitor", ref)
				}
			}
			return nil
		})
	})
}

func TestAwaitDownWaitsForANode(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		pid := spawn(t, a.System, echo())
		go func() {
			time.Sleep(time.Second)
			net.cut("a", "b", nil)
		}()
		perform(t, a.System, pid, func(self *actor.Self) {
			ref := self.MonitorNode(b.Node())
			down, err := self.AwaitDown(context.Background(), ref)
			if down.Ref != ref || down.Of != nil || !errors.Is(down.Reason, actor.ErrNoConnection) || err != nil {
				t.Errorf("got %v, %v", down, err)
			}
		})
	})
}
