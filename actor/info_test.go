package actor_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func contains(err error, text string) bool { return strings.Contains(err.Error(), text) }

func TestInfoTellsWhatAProcessIs(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		gate := make(chan struct{})
		var pid actor.PID
		began := time.Now()
		pid = probe.Spawn(&scripted{init: func(self *actor.Self) error {
			if info, ok := sys.Info(self.PID()); !ok || info.Status != "starting" {
				t.Errorf("in Init: %+v, %v", info, ok)
			}
			self.TrapExit(true)
			self.Monitor(probe.PID())
			self.SetLabel("new label")
			return self.Link(probe.PID())
		}, terminate: func(self *actor.Self, _ error) {
			if info, ok := sys.Info(self.PID()); !ok || info.Status != "exiting" {
				t.Errorf("in Terminate: %+v, %v", info, ok)
			}
		}}, actor.Name("n"), actor.Label("label"))
		probe.Monitor(pid)
		if info, _ := sys.Info(pid); info.Status != "idle" {
			t.Errorf("at rest: %s", info.Status)
		}
		tell(t, sys, pid, stuck(gate))
		synctest.Wait()
		tell(t, sys, pid, 1)
		go func() { _, _ = actor.Call[any](t.Context(), sys, pid, 2) }()
		synctest.Wait()
		info, ok := sys.Info(pid)
		got := []any{info.PID, info.Parent, info.Label, info.Type, info.Status, info.Queue, info.Monitors, info.Watchers, info.Calls, info.TrapExit, info.Started.Equal(began)}
		want := []any{pid, probe.PID(), "new label", "*actor_test.scripted", "running", 2, 1, 1, 1, true, true}
		if !ok || !slices.Equal(got, want) || !slices.Equal(info.Names, []actor.Name{"n"}) || !slices.Equal(info.Links, []actor.PID{probe.PID()}) {
			t.Errorf("%+v", info)
		}
		close(gate)
		tell(t, sys, pid, actor.ErrNormal)
		synctest.Wait()
		for _, gone := range []actor.PID{pid, {}} {
			if _, ok := sys.Info(gone); ok {
				t.Errorf("Info of %v", gone)
			}
		}
	})
}

func TestTreesAreByParenthood(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		var root, child, grandchild actor.PID
		root = spawn(t, sys, echo(), actor.Label("root"))
		perform(t, sys, root, func(self *actor.Self) { child, _ = self.Spawn(echo(), actor.Label("child")) })
		perform(t, sys, child, func(self *actor.Self) { grandchild, _ = self.Spawn(echo(), actor.Label("grandchild")) })
		text := func() string {
			var b strings.Builder
			var walk func(trees []actor.Tree)
			walk = func(trees []actor.Tree) {
				b.WriteByte('(')
				for _, tree := range trees {
					b.WriteString(tree.Label)
					walk(tree.Children)
				}
				b.WriteByte(')')
			}
			walk(sys.Trees())
			return b.String()
		}
		if got := text(); got != "(()root(child(grandchild())))" {
			t.Errorf("trees: %s", got)
		}
		_ = sys.Kill(child)
		synctest.Wait()
		if got := text(); got != "(()root()grandchild())" {
			t.Errorf("after the child's end: %s", got)
		}
		// A successor in the child's slot is not taken for the parent.
		other := spawn(t, sys, echo(), actor.Label("other"))
		if other.ID()&(1<<28-1) != child.ID()&(1<<28-1) {
			t.Fatal("not the same slot")
		}
		if got := text(); got != "(()root()other()grandchild())" {
			t.Errorf("after the slot was reused: %s; %v", got, grandchild)
		}
	})
}

func TestSelfKnowsWhereItIs(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		perform(t, sys, spawn(t, sys, echo()), func(self *actor.Self) {
			if self.System() != sys || !self.Parent().IsZero() || self.Logger() == nil {
				t.Errorf("%v, %v", self.System(), self.Parent())
			}
		})
		pid := probe.Spawn(echo())
		perform(t, sys, pid, func(self *actor.Self) {
			if self.Parent() != probe.PID() || self.PID() != pid {
				t.Errorf("%v, %v", self.Parent(), self.PID())
			}
		})
	})
}
