package pool_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/pool"
	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/supervisor"
)

// foreman starts workers on his node when he is asked to.
func foreman(self *actor.Self, _ any) error {
	pid, err := self.Spawn(actor.Func(where))
	if err != nil {
		return self.ReplyError(err)
	}
	return self.Reply(pid)
}

// where is a worker that answers with its node, after the time that it is told.
func where(self *actor.Self, msg any) error {
	if d, ok := msg.(time.Duration); ok {
		self.SendAfter(d, self.From())
		return nil
	}
	if from, ok := msg.(actor.From); ok {
		from.Reply("late")
		return nil
	}
	return self.Reply(self.System().Node().Name)
}

// hireAt starts a worker through the foreman of a node.
func hireAt(node string) actor.StartFunc {
	return func(parent *actor.Self, _ ...any) (actor.PID, error) {
		pid, err := actor.Call[actor.PID](parent.Context(), parent, actor.NameAt{Name: "foreman", Node: node}, "hire")
		if err != nil {
			return actor.PID{}, err
		}
		return pid, parent.Link(pid)
	}
}

func TestPoolHasWorkersOnOtherNodesAndServesThem(t *testing.T) {
	clustertest.Run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		names := []string{c.Node(0).Name(), c.Node(1).Name()}
		for i := range names {
			if _, err := c.Node(i).Spawn(t.Context(), actor.Func(foreman), actor.Name("foreman")); err != nil {
				t.Fatal(err)
			}
		}
		p, err := pool.Spawn(t.Context(), c.Node(0).System, pool.Config{
			Worker: pool.Spread(hireAt(names[0]), hireAt(names[1])), Size: 4, Intensity: supervisor.AtMost(1000),
			Backoff: supervisor.Backoff{Initial: 100 * time.Millisecond, Max: time.Second},
		})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(msg any) (string, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			return actor.Call[string](ctx, c.Node(2), p, msg) // from a third node
		}
		done := make(map[string]int)
		for range 8 {
			node, err := ask("where?")
			if err != nil {
				t.Fatal(err)
			}
			done[node]++
		}
		if done[names[0]] != 4 || done[names[1]] != 4 {
			t.Errorf("jobs were done on %v", done)
		}

		// What the workers of a node have in hand fails when it is lost; the others
		// go on, and it has workers again when it is back.
		failed := make(chan error, 4)
		for range 4 {
			go func() {
				_, err := ask(30 * time.Second)
				failed <- err
			}()
		}
		c.Pass(time.Second)
		c.Kill(1)
		lost := 0
		for range 4 {
			if err := <-failed; errors.Is(err, actor.ErrNoConnection) {
				lost++
			} else if err != nil {
				t.Errorf("job: %v", err)
			}
		}
		if lost != 2 {
			t.Errorf("%d jobs were lost with the node, want 2", lost)
		}
		for range 8 {
			if node, err := ask("where?"); node != names[0] || err != nil {
				t.Errorf("done on %s, %v", node, err)
			}
		}
		c.Restart(1)
		if _, err := c.Node(1).Spawn(t.Context(), actor.Func(foreman), actor.Name("foreman")); err != nil {
			t.Fatal(err)
		}
		c.Eventually(time.Minute, func() bool {
			s, err := pool.StatsOf(t.Context(), c.Node(2), p)
			return err == nil && s.Workers == 4
		})
	}, clustertest.Types(pool.Messages()...))
}
