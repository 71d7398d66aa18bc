package clustertest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/supervisor"
)

// constructors let others spawn ears here.
func constructors(_ *clustertest.Cluster, _ int, cfg *topos.Config) {
	cfg.Constructors = map[string]actor.Constructor{
		"ear": func(args any) (actor.Actor, []actor.SpawnOption, error) {
			name, _ := args.(string)
			return new(ear), []actor.SpawnOption{actor.Name(name)}, nil
		},
	}
}

// A child on another node is a child like any other: it is restarted when it
// crashes, and when its node does and is back; and it ends with its supervisor.
func TestSupervisorKeepsAChildOnAnotherNode(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		there := actor.NodeID{Name: c.Node(1).Name()}
		sup, err := c.Node(0).Supervise(context.Background(), supervisor.Spec{
			Intensity: supervisor.AtMost(100),
			Period:    time.Minute,
			Children: []supervisor.ChildSpec{{
				ID:      "ear",
				Start:   actor.StartAt(there, "ear", "far"),
				Backoff: supervisor.Backoff{Initial: 100 * time.Millisecond, Max: 2 * time.Second},
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		far := actor.NameAt{Name: "far", Node: there.Name}
		there1, up := c.Node(1).Whereis("far")
		if info, _ := c.Node(1).Info(there1); !up || info.Parent != sup {
			t.Fatalf("%v is there: %v, of %v", there1, up, info.Parent)
		}
		again := func() bool {
			pid, up := c.Node(1).Whereis("far")
			return up && pid != there1 && echo(c.Node(0), far, time.Second) == nil
		}
		if err := c.Node(1).Exit(there1, errors.New("crashed")); err != nil {
			t.Fatal(err)
		}
		c.Eventually(10*time.Second, again)

		c.Kill(1)
		c.Never(5*time.Second, func() bool { return !c.Node(0).Alive(sup) })
		c.Restart(1)
		c.Eventually(20*time.Second, again)

		c.Stop(0)
		c.Eventually(10*time.Second, func() bool { _, up := c.Node(1).Whereis("far"); return !up })
	}, clustertest.WithConfig(constructors))
}

func TestNodeMonitorTellsOfEachEndOfANode(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		probe := actortest.NewProbe(t, c.Node(0).System)
		for i := range 3 {
			node := c.Node(1).Node()
			probe.Do(func(self *actor.Self) error { self.MonitorNode(node); return nil })
			c.Settle()
			if i%2 == 0 {
				c.Kill(1)
			} else {
				c.Stop(1)
			}
			if down := actortest.Expect[actor.NodeDown](probe, 10*time.Second); down.Node != node || !lost(down.Reason) {
				t.Errorf("got %+v", down)
			}
			c.Restart(1)
			c.Eventually(10*time.Second, func() bool { return len(c.Node(0).Members()) == 2 })
		}
	})
}

func TestRegisteredErrorsKeepTheirIdentityBetweenNodes(t *testing.T) {
	errKnown, errUnknown := errors.New("test: known"), errors.New("test: unknown")
	ask := func(ctx context.Context, c *clustertest.Cluster, why error) error {
		pid, err := c.Node(1).Spawn(ctx, actor.Func(func(*actor.Self, any) error { return fmt.Errorf("it broke: %w", why) }))
		if err != nil {
			return err
		}
		_, err = actor.Call[any](ctx, c.Node(0), pid, Say{})
		return err
	}
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		for range 2 { // and after a restart
			if err := ask(t.Context(), c, errKnown); !errors.Is(err, errKnown) {
				t.Errorf("a registered one: %v", err)
			}
			if err := ask(t.Context(), c, errUnknown); errors.Is(err, errUnknown) || !strings.Contains(err.Error(), "test: unknown") {
				t.Errorf("one that is not: %v", err)
			}
			c.Stop(1)
			c.Restart(1)
			c.WaitMembers(2)
		}
	}, clustertest.Errors(errKnown))
}
