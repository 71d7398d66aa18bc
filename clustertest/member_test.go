package clustertest_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/clustertest"
)

// watch monitors a process from another node.
func watch(t *testing.T, from *topos.Node, of actor.PID) <-chan actor.Down {
	t.Helper()
	downs := make(chan actor.Down, 10)
	w := &watcher{of, downs}
	if _, err := from.Spawn(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	return downs
}

type watcher struct {
	of    actor.PID
	downs chan actor.Down
}

func (w *watcher) Init(self *actor.Self) error {
	self.Monitor(w.of)
	return nil
}

func (w *watcher) Receive(_ *actor.Self, msg any) error {
	if down, ok := msg.(actor.Down); ok {
		w.downs <- down
	}
	return nil
}

func TestKilledNodeIsDownAtOnceAndItsProcessesWithIt(t *testing.T) {
	run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		pid, _ := listen(t, c.Node(2))
		downs := watch(t, c.Node(0), pid)
		c.Settle()
		begun := time.Now()
		c.Kill(2)
		c.WaitMembers(2)
		if took := time.Since(begun); took > time.Second {
			t.Errorf("it took %v to notice", took)
		}
		if down := <-downs; !lost(down.Reason) {
			t.Errorf("the monitor got %v", down.Reason)
		}
		if err := c.Node(2).Send(pid, Say{"x"}); err == nil {
			t.Error("the killed node still works")
		}
		if n := len(c.Nodes()); n != 2 {
			t.Errorf("%d nodes run", n)
		}
	})
}

func TestRestartedNodeIsANewerIncarnation(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, _ := listen(t, c.Node(1))
		old := c.Node(1)
		c.Restart(1) // at once: nobody has noticed that it was gone
		c.WaitMembers(2)
		id := c.Node(1).Node()
		if id.Name != old.Node().Name || !id.Incarnation.Newer(old.Node().Incarnation) {
			t.Errorf("%v has come after %v", id, old.Node())
		}
		if !sees(c, 0, 1) {
			t.Error("n0 sees the one that was killed")
		}
		if err := echo(c.Node(0), pid, time.Second); !lost(err) {
			t.Errorf("a call to a process of the one that was killed: %v", err)
		}
		select {
		case <-old.Done():
		default:
			t.Error("the old one still runs")
		}
	})
}

func TestStoppedNodeStopsItsProcessesInOrderAndLeaves(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, _ := listen(t, c.Node(1))
		downs := watch(t, c.Node(0), pid)
		c.Settle()
		c.Stop(1)
		if down := <-downs; lost(down.Reason) {
			t.Errorf("the node was lost before its processes: %v", down.Reason)
		}
		c.WaitMembers(1)
		c.Restart(1)
		c.WaitMembers(2)
	})
}

func TestPausedNodeIsDownAndComesBackAsTheSame(t *testing.T) {
	run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		id := c.Node(2).Node()
		pid, ear := listen(t, c.Node(2))
		downs := watch(t, c.Node(0), pid)
		c.Settle()
		begun := time.Now()
		c.Pause(2)
		c.WaitMembers(2, 0, 1)
		if took := time.Since(begun); took < time.Second {
			t.Errorf("it was down after %v already", took)
		}
		if down := <-downs; !lost(down.Reason) {
			t.Errorf("the monitor got %v", down.Reason)
		}
		c.Never(10*time.Second, func() bool { return sees(c, 0, 2) })
		c.Resume(2)
		c.WaitMembers(3)
		if c.Node(2).Node() != id || !sees(c, 0, 2) {
			t.Error("another incarnation has come back")
		}
		c.Pass(time.Second) // both have heard that the other had given them up
		say(t, c.Node(0), pid, "welcome back")
		expect(t, c, ear, "welcome back")
	})
}

func TestShortPauseIsNotNoticed(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, ear := listen(t, c.Node(1))
		downs := watch(t, c.Node(0), pid)
		c.Settle()
		c.Pause(1)
		say(t, c.Node(0), pid, "late")
		c.Pass(time.Second)
		expect(t, c, ear, "")
		c.Resume(1)
		c.Never(10*time.Second, func() bool { return len(downs) > 0 })
		expect(t, c, ear, "late")
	})
}

func TestPausedNodeCanBeKilledAndRestarted(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		c.Pause(1)
		c.Pass(time.Second)
		c.Kill(1)
		c.WaitMembers(1)
		c.Restart(1)
		c.WaitMembers(2)
	})
}

func TestFolderSurvivesARestartUnlessItIsWiped(t *testing.T) {
	starts := 0
	run(t, 1, func(t *testing.T, c *clustertest.Cluster) {
		file := filepath.Join(c.Dir(0), "state")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		c.Restart(0)
		if !exists(file) {
			t.Error("the folder was wiped")
		}
		c.Kill(0)
		c.Wipe(0)
		if exists(file) || !exists(c.Dir(0)) {
			t.Error("the folder was not wiped, or is gone")
		}
		c.Restart(0)
		if starts != 3 {
			t.Errorf("WithConfig was called for %d starts", starts)
		}
	}, clustertest.WithConfig(func(c *clustertest.Cluster, i int, cfg *topos.Config) {
		starts++
		if !exists(c.Dir(i)) || cfg.Secret == "" {
			t.Errorf("start %d: no folder, or no secret", starts)
		}
	}))
}
