package registry_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/registry"
	"github.com/topos-go/topos/supervisor"
)

// desk is a placed child that says where it is.
func desk() actor.Actor {
	return actor.Func(func(self *actor.Self, _ any) error { return self.Reply(self.System().Node().Name) })
}

func desks(n int) (children []supervisor.ChildSpec) {
	for i := range n {
		id := fmt.Sprint("desk/", i)
		children = append(children, supervisor.ChildSpec{ID: id, Start: actor.Start(desk, actor.ClusterName(id))})
	}
	return children
}

func TestChildrenOfAKilledNodeAnswerAgainWithinASecond(t *testing.T) {
	clustertest.Run(t, 5, func(t *testing.T, c *clustertest.Cluster) {
		const children = 20
		ctx := t.Context()
		for _, n := range c.Nodes() {
			if err := n.Place(ctx, desks(children)...); err != nil {
				t.Fatal(err)
			}
		}
		answers := func(i int) (string, error) {
			limited, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			return actor.Call[string](limited, c.Node(4), actor.ClusterName(fmt.Sprint("desk/", i)), "where?")
		}
		all := func() bool {
			for i := range children {
				if _, err := answers(i); err != nil {
					return false
				}
			}
			return true
		}
		c.Eventually(10*time.Second, all)
		var took []time.Duration
		for round := range 8 {
			victim := round % 4
			name := c.Node(victim).Name()
			lost := -1
			for i := range children {
				if at, err := answers(i); err == nil && at == name {
					lost = i
				}
			}
			if lost >= 0 {
				killed := time.Now()
				c.Kill(victim)
				c.Eventually(10*time.Second, func() bool {
					at, err := answers(lost)
					return err == nil && at != name
				})
				took = append(took, time.Since(killed))
				c.Restart(victim)
			} else {
				c.Restart(victim)
			}
			if err := c.Node(victim).Place(ctx, desks(children)...); err != nil {
				t.Fatal(err)
			}
			c.WaitMembers(5)
			c.Pass(5 * time.Second)
			c.Eventually(10*time.Second, all)
		}
		slices.Sort(took)
		p50, worst := took[len(took)/2], took[len(took)-1]
		t.Logf("%d fail-overs: p50 %v, at the worst %v", len(took), p50, worst)
		if len(took) < 5 || p50 > time.Second || worst > 3*time.Second {
			t.Errorf("%d fail-overs took %v", len(took), took)
		}
	})
}

func TestPlacedChildIsLocatedFromEveryNode(t *testing.T) {
	clustertest.Run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		for _, n := range c.Nodes() {
			if err := registry.Declare(t.Context(), n, registry.Child{Spec: supervisor.ChildSpec{ID: "desk", Start: actor.Start(desk)}}); err != nil {
				t.Fatal(err)
			}
		}
		c.Pass(2 * time.Second)
		seen := make(map[actor.PID]bool)
		for _, n := range c.Nodes() {
			pid, err := registry.Locate(t.Context(), n, "desk")
			if err != nil {
				t.Fatal(err)
			}
			at, err := actor.Call[string](t.Context(), n, pid, "where?")
			if err != nil || at != pid.Node().Name {
				t.Errorf("it answers %q, %v", at, err)
			}
			seen[pid] = true
		}
		if len(seen) != 1 {
			t.Errorf("nodes locate it at %v", seen)
		}
	})
}
