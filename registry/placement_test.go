package registry

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// census knows who runs where.
type census struct {
	mu      sync.Mutex
	running map[string]map[actor.NodeID]int
	started int
	most    map[string]int // the most instances of a child there ever were
	tenures []Tenure
}

func newCensus() *census {
	return &census{running: make(map[string]map[actor.NodeID]int), most: make(map[string]int)}
}

func (c *census) count(id string, node actor.NodeID, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[id] == nil {
		c.running[id] = make(map[actor.NodeID]int)
	}
	c.running[id][node] += n
	if n > 0 {
		c.started++
	}
	all := 0
	for _, k := range c.running[id] {
		all += k
	}
	c.most[id] = max(c.most[id], all)
}

// starts is how many children have been started.
func (c *census) starts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.started
}

// where lists the nodes that run id, once per instance.
func (c *census) where(id string) []actor.NodeID {
	c.mu.Lock()
	defer c.mu.Unlock()
	var nodes []actor.NodeID
	for node, n := range c.running[id] {
		for range n {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// citizen is a placed child that is counted.
type citizen struct {
	census *census
	id     string
}

type crash struct{}

func (c *citizen) Init(self *actor.Self) error {
	c.census.count(c.id, self.System().Node(), 1)
	return nil
}

func (c *citizen) Receive(_ *actor.Self, msg any) error {
	if _, ok := msg.(crash); ok {
		return errors.New("crashed")
	}
	return nil
}

func (c *citizen) Terminate(self *actor.Self, _ error) {
	c.census.count(c.id, self.System().Node(), -1)
}

const citizens = 12

func citizenID(i int) string { return fmt.Sprintf("citizen/%d", i) }

// govern starts the placement of a node with the citizens declared.
func (p *place) govern(t *testing.T, c *census, named bool) {
	t.Helper()
	if _, err := supervisor.Spawn(t.Context(), p.sys, supervisor.Spec{Children: []supervisor.ChildSpec{{
		ID: "placement", Type: supervisor.Supervisor, Shutdown: supervisor.Infinity,
		Start: StartPlacement(PlacementConfig{Cluster: p.end}),
	}}}); err != nil {
		t.Fatal(err)
	}
	var specs []supervisor.ChildSpec
	for i := range citizens {
		id := citizenID(i)
		var opts []actor.SpawnOption
		if named {
			opts = append(opts, actor.ClusterName(id))
		}
		specs = append(specs, supervisor.ChildSpec{ID: id, Start: actor.Start(func() actor.Actor { return &citizen{c, id} }, opts...)})
	}
	if err := Place(t.Context(), p.sys, specs...); err != nil {
		t.Fatal(err)
	}
}

// wantOne checks that every citizen runs exactly once, and where it should.
func (c *census) wantOne(t *testing.T, nodes ...*place) {
	t.Helper()
	var ids []actor.NodeID
	for _, n := range nodes {
		ids = append(ids, n.id)
	}
	for i := range citizens {
		id := citizenID(i)
		if where := c.where(id); len(where) != 1 || where[0] != Owner(id, ids) {
			t.Errorf("%s runs on %v, want one on %v", id, where, Owner(id, ids))
		}
	}
}

const settled = DefaultSettle + 500*time.Millisecond

func TestEveryChildRunsOnceAfterTheViewsHaveSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		a, b, d := join(t, h, 1), join(t, h, 2), join(t, h, 3)
		for _, p := range []*place{a, b, d} {
			p.govern(t, c, false)
		}
		time.Sleep(DefaultSettle / 2)
		if n := c.starts(); n != 0 {
			t.Errorf("%d children were started before the views settled", n)
		}
		time.Sleep(settled)
		c.wantOne(t, a, b, d)
		c.mu.Lock()
		defer c.mu.Unlock()
		for id, n := range c.most {
			if n > 1 {
				t.Errorf("%s ran %d times at once", id, n)
			}
		}
	})
}

func TestTheChildrenOfALostNodeAreStartedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		a, b, d := join(t, h, 1), join(t, h, 2), join(t, h, 3)
		for _, p := range []*place{a, b, d} {
			p.govern(t, c, true)
		}
		time.Sleep(settled)
		h.Kill(a.id)
		before := c.starts()
		time.Sleep(settled)
		c.mu.Lock()
		lost := 0
		for _, nodes := range c.running {
			lost += nodes[a.id]
			delete(nodes, a.id) // as good as dead
		}
		moved := c.started - before
		c.mu.Unlock()
		if lost == 0 || moved != lost {
			t.Errorf("%d children were lost and %d started", lost, moved)
		}
		c.wantOne(t, b, d)
	})
}

func TestAJoiningNodeGetsItsShareOneInstanceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		a, b := join(t, h, 1), join(t, h, 2)
		a.govern(t, c, true)
		b.govern(t, c, true)
		time.Sleep(settled)
		c.wantOne(t, a, b)
		d := join(t, h, 3)
		d.govern(t, c, true)
		time.Sleep(2 * settled)
		c.wantOne(t, a, b, d)
	})
}

func TestEachSideOfAPartitionRunsEveryChildAndOneStaysAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		a, b, d := join(t, h, 1), join(t, h, 2), join(t, h, 3)
		for _, p := range []*place{a, b, d} {
			p.govern(t, c, true)
		}
		time.Sleep(settled)
		isolate(h, a.id)
		time.Sleep(settled)
		for i := range citizens {
			if n := len(c.where(citizenID(i))); n != 2 {
				t.Errorf("%s runs %d times on two sides", citizenID(i), n)
			}
		}
		h.Split(nil)
		time.Sleep(3 * settled)
		c.wantOne(t, a, b, d)
	})
}

func TestAPlacedChildThatCrashesIsRestartedInItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		a := join(t, h, 1)
		a.govern(t, c, true)
		time.Sleep(settled)
		before := c.starts()
		if err := a.sys.Send(actor.ClusterName(citizenID(3)), crash{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(settled)
		if n := c.starts() - before; n != 1 {
			t.Errorf("%d children were started after one crash", n)
		}
		c.wantOne(t, a)
	})
}

func TestPlaceReportsMistakesInItsChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a := join(t, h, 1)
		a.govern(t, newCensus(), false)
		if err := Place(t.Context(), a.sys, supervisor.ChildSpec{}); !errors.Is(err, supervisor.ErrSpec) {
			t.Errorf("Place = %v, want ErrSpec", err)
		}
	})
}
