package statem_test

import (
	"errors"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/statem"
	"github.com/topos-go/topos/clustertest"
)

// near is a machine whose messages travel: a lock with one key.
func near() actor.Actor {
	return statem.New[string](&script[string]{
		init: func(*statem.Turn[string]) (string, error) { return "open", nil },
		handle: func(t *statem.Turn[string], e statem.Event) error {
			switch {
			case e.Content == "state":
				return t.Reply(t.State())
			case e.Content == "wait" && t.State() == "open":
				t.Postpone()
			case e.Content == "wait":
				return t.Reply("locked at last")
			case e.Kind == statem.Cast:
				t.Next(e.Content.(string))
			}
			return nil
		},
	})
}

// stopsThere stops a machine on another node, and then the node.
func stopsThere(t *testing.T, address func(c *clustertest.Cluster, pid actor.PID) actor.Address, want error) {
	clustertest.Run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, err := c.Node(1).Spawn(t.Context(), near(), actor.Name("to_stop"), actor.ClusterName("to_stop"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Node(0).Await(t.Context(), "to_stop"); err != nil {
			t.Fatal(err)
		}
		to := address(c, pid)
		if got, err := actor.Call[string](t.Context(), c.Node(0), to, "state"); got != "open" || err != nil {
			t.Errorf("state: %q, %v", got, err)
		}
		if err := statem.Stop(t.Context(), c.Node(0), to, nil); err != nil || c.Node(1).Alive(pid) {
			t.Errorf("stop: %v; alive: %v", err, c.Node(1).Alive(pid))
		}
		c.Settle()
		if err := statem.Stop(t.Context(), c.Node(0), to, nil); !errors.Is(err, actor.ErrNoProc) {
			t.Errorf("another stop: %v", err)
		}
		c.Stop(1)
		if err := statem.Stop(t.Context(), c.Node(0), to, nil); !errors.Is(err, want) {
			t.Errorf("stop on a node that is gone: %v, want %v", err, want)
		}
	}, clustertest.Types(statem.Messages()...))
}

func TestStop8(t *testing.T) {
	stopsThere(t, func(_ *clustertest.Cluster, pid actor.PID) actor.Address { return pid }, actor.ErrNoConnection)
}

func TestStop9(t *testing.T) {
	stopsThere(t, func(c *clustertest.Cluster, _ actor.PID) actor.Address {
		return actor.NameAt{Name: "to_stop", Node: c.Node(1).Name()}
	}, actor.ErrNoConnection)
}

func TestStop10(t *testing.T) {
	stopsThere(t, func(*clustertest.Cluster, actor.PID) actor.Address { return actor.ClusterName("to_stop") }, actor.ErrNoProc)
}

func TestStop6(t *testing.T) { // a cluster name, on the own node
	clustertest.Run(t, 1, func(t *testing.T, c *clustertest.Cluster) {
		name := actor.ClusterName("to_stop")
		if _, err := c.Node(0).Spawn(t.Context(), near(), name); err != nil {
			t.Fatal(err)
		}
		if err := statem.Stop(t.Context(), c.Node(0), name, nil); err != nil {
			t.Error(err)
		}
		if err := statem.Stop(t.Context(), c.Node(0), name, nil); !errors.Is(err, actor.ErrNoProc) {
			t.Errorf("another stop: %v", err)
		}
	})
}

func TestStart7(t *testing.T) { // a name in the whole cluster, linked
	clustertest.Run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		if _, err := c.Node(1).Spawn(t.Context(), near(), actor.ClusterName("my_stm")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Node(0).Await(t.Context(), "my_stm"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Node(0).Spawn(t.Context(), near(), actor.ClusterName("my_stm")); !errors.Is(err, actor.ErrNameTaken) {
			t.Errorf("start under a name that is taken: %v", err)
		}
		if got, err := actor.Call[string](t.Context(), c.Node(0), actor.ClusterName("my_stm"), "state"); got != "open" || err != nil {
			t.Errorf("state: %q, %v", got, err)
		}
	})
}

// A caller on another node waits while its call is postponed.
func TestPostponedCallOfAnotherNodeIsAnswered(t *testing.T) {
	clustertest.Run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, err := c.Node(1).Spawn(t.Context(), near())
		if err != nil {
			t.Fatal(err)
		}
		answer := make(chan string)
		go func() {
			got, err := actor.Call[string](t.Context(), c.Node(0), pid, "wait")
			if err != nil {
				got = err.Error()
			}
			answer <- got
		}()
		c.Settle()
		_ = c.Node(0).Send(pid, "closed")
		if got := <-answer; got != "locked at last" {
			t.Errorf("answer %q", got)
		}
	})
}
