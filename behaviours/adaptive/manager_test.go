package adaptive_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/adaptive"
	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const name = actor.Name("topology")

// fake is a cluster that is what the test says.
type fake struct {
	mu       sync.Mutex
	topology remote.Topology
	members  []actor.NodeID
	stats    remote.Stats
	err      error
	tried    []remote.Topology
	observer func(remote.Event)
}

func (f *fake) Topology() remote.Topology {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.topology
}

func (f *fake) SetTopology(_ context.Context, t remote.Topology) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tried = append(f.tried, t)
	if f.err == nil {
		f.topology = t
	}
	return f.err
}

func (f *fake) Members() []actor.NodeID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.members)
}

func (f *fake) RemoteStats() remote.Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stats
}

func (f *fake) ObserveRemote(observer func(remote.Event)) (cancel func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.observer = observer
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.observer = nil
	}
}

func (f *fake) report(v any) {
	f.mu.Lock()
	observer := f.observer
	f.mu.Unlock()
	if observer != nil {
		observer(remote.OverlayReport{Value: v})
	}
}

func (f *fake) do(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) attempts() []remote.Topology {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.tried)
}

func (f *fake) grow(self actor.NodeID, n int, prefix string) {
	f.do(func() {
		f.members = []actor.NodeID{self}
		for i := range n - 1 {
			f.members = append(f.members, actor.NodeID{Name: fmt.Sprintf("%s%03d@h:1", prefix, i)})
		}
	})
}

// events collects what a manager tells.
type events struct {
	mu  sync.Mutex
	all []adaptive.Event
}

func (e *events) add(ev adaptive.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
}

func ofType[E adaptive.Event](e *events) (found []E) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.all {
		if is, ok := ev.(E); ok {
			found = append(found, is)
		}
	}
	return found
}

// alone runs f in a bubble with one manager on the node "m@h:1".
func alone(t *testing.T, f func(t *testing.T, c *fake, e *events, sys *actor.System, pid actor.PID)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sys, err := actor.NewSystem(actor.Config{Node: actor.NodeID{Name: "m@h:1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer sys.Close(t.Context())
		c, e := &fake{}, new(events)
		c.grow(sys.Node(), 1, "")
		pid, err := sys.Spawn(t.Context(), adaptive.New(adaptive.Config{Name: name, Cluster: c, Observe: e.add}), name)
		if err != nil {
			t.Fatal(err)
		}
		f(t, c, e, sys, pid)
	})
}

func TestLowestNodeChangesTheTopologyOfAClusterThatGrows(t *testing.T) {
	alone(t, func(t *testing.T, c *fake, e *events, sys *actor.System, _ actor.PID) {
		time.Sleep(10 * time.Minute)
		if got := c.attempts(); got != nil {
			t.Errorf("a small cluster was changed: %v", got)
		}
		c.grow(sys.Node(), 120, "z")
		time.Sleep(29 * time.Second)
		if got := c.attempts(); got != nil {
			t.Errorf("changed at once: %v", got)
		}
		time.Sleep(12 * time.Second)
		if got := c.attempts(); !slices.Equal(got, []remote.Topology{remote.HyParView}) {
			t.Errorf("%v", got)
		}
		want := adaptive.Switched{Rule: "large", From: remote.FullMesh, To: remote.HyParView}
		if got := ofType[adaptive.Switched](e); len(got) != 1 || got[0] != want {
			t.Errorf("%+v", got)
		}
		d := ofType[adaptive.Decided](e)
		if last := d[len(d)-1]; !last.Acting || last.Metrics.Nodes != 120 || d[1].Decision.Switch || d[1].Decision.Rule != "large" {
			t.Errorf("%+v", d)
		}
	})
}

func TestOtherNodesWatchUntilTheyAreTheLowest(t *testing.T) {
	alone(t, func(t *testing.T, c *fake, e *events, sys *actor.System, _ actor.PID) {
		c.grow(sys.Node(), 120, "a") // all of them come before m
		time.Sleep(10 * time.Minute)
		if got := c.attempts(); got != nil {
			t.Errorf("%v", got)
		}
		if d := ofType[adaptive.Decided](e); len(d) < 2 || d[len(d)-1].Acting || !d[len(d)-1].Decision.Switch {
			t.Errorf("%+v", d)
		}
		c.grow(sys.Node(), 120, "z")
		time.Sleep(adaptive.DefaultCoolDown + adaptive.DefaultInterval)
		if got := c.attempts(); !slices.Equal(got, []remote.Topology{remote.HyParView}) {
			t.Errorf("%v", got)
		}
	})
}

func TestPartitionMakesItGossipAtOnceAndHealingEndsThat(t *testing.T) {
	alone(t, func(t *testing.T, c *fake, _ *events, sys *actor.System, _ actor.PID) {
		time.Sleep(time.Minute + time.Millisecond) // between two looks
		c.report(directory.PartitionDetected{ID: 1})
		time.Sleep(2 * adaptive.DefaultInterval)
		if got := c.Topology(); got != remote.Gossip {
			t.Fatalf("%v", got)
		}
		c.report(directory.PartitionHealed{ID: 1, Missing: nil})
		time.Sleep(adaptive.DefaultCoolDown + adaptive.DefaultInterval)
		if got := c.attempts(); !slices.Equal(got, []remote.Topology{remote.Gossip, remote.FullMesh}) {
			t.Fatalf("%v", got)
		}
	})
}

func TestChangeThatFailsIsToldAndTriedAgain(t *testing.T) {
	alone(t, func(t *testing.T, c *fake, e *events, sys *actor.System, _ actor.PID) {
		broken := errors.New("broken")
		c.do(func() { c.err = broken })
		c.grow(sys.Node(), 120, "z")
		time.Sleep(41 * time.Second)
		if got := ofType[adaptive.Failed](e); len(got) != 1 || got[0].Err != broken || got[0].To != remote.HyParView {
			t.Errorf("%+v", got)
		}
		c.do(func() { c.err = nil })
		time.Sleep(adaptive.DefaultCoolDown + adaptive.DefaultInterval)
		if got := c.attempts(); len(got) != 2 || c.Topology() != remote.HyParView {
			t.Errorf("%v", got)
		}
	})
}

func TestManagerThatHasEndedHearsNothing(t *testing.T) {
	for _, reason := range []error{actor.ErrShutdown, actor.ErrKilled} {
		alone(t, func(t *testing.T, c *fake, _ *events, sys *actor.System, pid actor.PID) {
			if err := sys.Exit(pid, reason); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			c.report(directory.PartitionDetected{})
			c.do(func() {
				if c.observer != nil {
					t.Errorf("%v: it still listens", reason)
				}
			})
			if n := sys.Stats().DeadLetters; n != 0 {
				t.Errorf("%v: %d dead letters", reason, n)
			}
		})
	}
}

func TestRateIsMeasuredFromCounts(t *testing.T) {
	alone(t, func(t *testing.T, c *fake, e *events, sys *actor.System, _ actor.PID) {
		time.Sleep(time.Millisecond)
		c.do(func() { c.stats.Sent, c.stats.Received = 300, 200 })
		time.Sleep(adaptive.DefaultInterval)
		if d := ofType[adaptive.Decided](e); len(d) != 1 || d[0].Metrics.Rate != 100 {
			t.Errorf("%+v", d)
		}
	})
}

// TestRunningClusterIsChangedByWhoeverIsLowest does it with real nodes.
func TestRunningClusterIsChangedByWhoeverIsLowest(t *testing.T) {
	rules := []adaptive.Rule{
		{Name: "many", Topology: remote.HyParView, Nodes: adaptive.Range[int]{Above: adaptive.Band[int]{Enter: 4, Leave: 4}}},
		{Name: "few", Topology: remote.FullMesh},
	}
	clustertest.Run(t, 5, func(t *testing.T, c *clustertest.Cluster) {
		logs := make([]events, 5)
		for i := range 5 {
			cfg := adaptive.Config{Name: name, Cluster: c.Node(i), Rules: rules, Observe: logs[i].add}
			if _, err := c.Node(i).Spawn(t.Context(), adaptive.New(cfg), name); err != nil {
				t.Fatal(err)
			}
		}
		all := func(want remote.Topology) func() bool {
			return func() bool {
				for _, n := range c.Nodes() {
					if n.Topology() != want {
						return false
					}
				}
				return true
			}
		}
		for a := range 5 {
			for b := range a {
				c.Latency(a, b, 20*time.Millisecond, 0)
			}
		}
		c.Eventually(time.Minute, all(remote.HyParView))
		d := ofType[adaptive.Decided](&logs[0])
		if m := d[len(d)-1].Metrics; m.P50 < 40*time.Millisecond || m.P50 > 60*time.Millisecond || m.Nodes != 5 {
			t.Errorf("measured %+v", m)
		}
		c.Kill(0)
		c.Kill(4)
		c.WaitMembers(3)
		c.Eventually(5*time.Minute, all(remote.FullMesh))
		for i := range 5 {
			got := ofType[adaptive.Switched](&logs[i])
			want := map[int]int{0: 1, 1: 1}[i]
			if len(got) != want {
				t.Errorf("node %d has changed it %d times: %v", i, len(got), got)
			}
		}
	}, clustertest.Types(adaptive.WireTypes()...))
}
