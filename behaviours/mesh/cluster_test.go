package mesh_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/mesh"
	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/registry/groups"
)

// join gives node i of a cluster its mesh.
func join(t *testing.T, c *clustertest.Cluster, i int, cfg mesh.Config) *world {
	t.Helper()
	node := c.Node(i)
	w := &world{t: t, sys: node.System, groups: node.Groups()}
	cfg.System, cfg.Groups, cfg.Seed, cfg.Observe = w.sys, w.groups, 1, w.observe
	var err error
	if w.Mesh, err = mesh.Start(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close(context.Background()) }) // its node may have been killed
	return w
}

// nodes runs f on a cluster whose nodes have a mesh.
func nodes(t *testing.T, n int, f func(t *testing.T, c *clustertest.Cluster, w []*world)) {
	t.Helper()
	clustertest.Run(t, n, func(t *testing.T, c *clustertest.Cluster) {
		list := make([]*world, n)
		for i := range list {
			list[i] = join(t, c, i, mesh.Config{})
		}
		f(t, c, list)
	}, clustertest.Errors(errBroken))
}

// await returns when s knows n instances, h of them well.
func await(c *clustertest.Cluster, s *mesh.Service, n, h int) {
	c.Eventually(time.Minute, func() bool {
		healthy := 0
		for _, in := range s.Status().Instances {
			if in.Healthy {
				healthy++
			}
		}
		return len(s.Status().Instances) == n && healthy == h
	})
}

func TestKilledNodeCostsNoIdempotentCall(t *testing.T) {
	nodes(t, 3, func(t *testing.T, c *clustertest.Cluster, w []*world) {
		lost, kept := w[1].add(orders()), w[2].add(orders())
		s := w[0].service("^1", mesh.Idempotent())
		await(c, s, 2, 2)
		for i := range 400 {
			if i == 100 {
				c.Kill(1)
			}
			if err := w[0].call(s); err != nil {
				t.Errorf("call %d: %v", i, err)
			}
			c.Pass(10 * time.Millisecond)
		}
		if lost.count() < 40 || kept.count() < 340 {
			t.Errorf("%d calls went to the one and %d to the other", lost.count(), kept.count())
		}
		await(c, s, 1, 1)
	})
}

func TestSicknessIsKnownOnOtherNodes(t *testing.T) {
	nodes(t, 2, func(t *testing.T, c *clustertest.Cluster, w []*world) {
		var health switched
		w[1].add(checkedEvery(mesh.FuncCheck(health.check)))
		s := w[0].service("")
		await(c, s, 1, 1)
		health.broken.Store(true)
		await(c, s, 1, 0)
		if err := w[0].call(s); !errors.Is(err, mesh.ErrNoHealthyInstances) {
			t.Error(err)
		}
		health.broken.Store(false)
		await(c, s, 1, 1)
		if err := w[0].call(s); err != nil {
			t.Error(err)
		}
	})
}

func TestInstancesAreBackWhenAPartitionHeals(t *testing.T) {
	nodes(t, 2, func(t *testing.T, c *clustertest.Cluster, w []*world) {
		w[1].add(orders())
		s := w[0].service("", mesh.Idempotent())
		await(c, s, 1, 1)
		c.Partition([]int{0}, []int{1})
		c.Eventually(time.Minute, func() bool {
			err := w[0].call(s)
			return errors.Is(err, mesh.ErrServiceNotFound) || errors.Is(err, mesh.ErrNoHealthyInstances)
		})
		c.Heal()
		c.WaitMembers(2)
		await(c, s, 1, 1)
		if err := w[0].call(s); err != nil {
			t.Error(err)
		}
	})
}

func TestErrorsOfTheMeshKeepTheirIdentityBetweenNodes(t *testing.T) {
	nodes(t, 2, func(t *testing.T, c *clustertest.Cluster, w []*world) {
		missing, err := w[1].Service("stock", "")
		if err != nil {
			t.Fatal(err)
		}
		pid, err := w[1].sys.Spawn(t.Context(), actor.Func(func(self *actor.Self, msg any) error {
			_, err := mesh.Call[int](self.Context(), missing, self, msg)
			return self.ReplyError(err)
		}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w[1].Register(t.Context(), orders(), pid); err != nil {
			t.Fatal(err)
		}
		s := w[0].service("")
		await(c, s, 1, 1)
		if err := w[0].call(s); !errors.Is(err, mesh.ErrServiceNotFound) {
			t.Error(err)
		}
	})
}

func TestTraceTravelsToAnotherNode(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	nodes(t, 2, func(t *testing.T, c *clustertest.Cluster, w []*world) {
		pid, err := w[1].sys.Spawn(t.Context(), actor.Func(func(self *actor.Self, _ any) error {
			ctx, span := w[1].Serve(self.Context(), "handle")
			span.End()
			return self.Reply(string(actor.TraceFrom(mesh.Inject(ctx))))
		}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w[1].Register(t.Context(), orders(), pid); err != nil {
			t.Fatal(err)
		}
		s := w[0].service("")
		await(c, s, 1, 1)
		ctx := mesh.Extract(actor.ContextWithTrace(t.Context(), []byte(parent)))
		if got, err := mesh.Call[string](ctx, s, w[0].sys, 7); got != parent || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestInstanceThatCannotBeReachedIsLeftOutUntilItCan(t *testing.T) {
	nodes(t, 2, func(t *testing.T, c *clustertest.Cluster, w []*world) {
		w[1].add(orders())
		await(c, w[0].service(""), 1, 1)
		m, err := mesh.Start(t.Context(), mesh.Config{
			System: w[0].sys, Groups: &stale{w[0].groups, make(map[string][]groups.Member)}, Observe: w[0].observe,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close(context.Background())
		s, err := m.Service("orders", "")
		if err != nil {
			t.Fatal(err)
		}
		await(c, s, 1, 1)
		c.Partition([]int{0}, []int{1})
		await(c, s, 1, 0)
		c.Never(10*time.Second, func() bool { return s.Status().Instances[0].Healthy })
		if err := w[0].call(s); !errors.Is(err, mesh.ErrNoHealthyInstances) {
			t.Error(err)
		}
		c.Heal()
		c.WaitMembers(2)
		await(c, s, 1, 1)
		if err := w[0].call(s); err != nil {
			t.Error(err)
		}
		if w[0].saw(mesh.Unreachable) == 0 || w[0].saw(mesh.Reachable) != 1 {
			t.Errorf("unreachable %d times, reachable %d times", w[0].saw(mesh.Unreachable), w[0].saw(mesh.Reachable))
		}
	})
}
