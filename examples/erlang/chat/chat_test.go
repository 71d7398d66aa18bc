package main

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/clustertest"
)

func Example() {
	if err := run(context.Background(), os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// present at a: ann bob
	// ann hears bob say hello
	// b is lost; present at a: ann
}

// onCluster runs f with n nodes that have a lobby each.
func onCluster(t *testing.T, n int, f func(t *testing.T, c *clustertest.Cluster)) {
	t.Helper()
	clustertest.Run(t, n, func(t *testing.T, c *clustertest.Cluster) {
		for i := range n {
			if err := supervise(t.Context(), c.Node(i)); err != nil {
				t.Fatal(err)
			}
		}
		c.Settle()
		f(t, c)
	}, clustertest.Types(Present{}, Said{}))
}

func at(t *testing.T, c *clustertest.Cluster, i int, nick string, f func(Said)) actor.PID {
	t.Helper()
	pid, err := enter(t.Context(), c.Node(i), nick, f)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func silent(Said) {}

// expect waits until the lobbies of nodes know of exactly these.
func expect(t *testing.T, c *clustertest.Cluster, nodes []int, nicks ...string) {
	t.Helper()
	c.Eventually(time.Minute, func() bool {
		for _, i := range nodes {
			got, err := actor.Call[[]string](t.Context(), c.Node(i), lobbyName, who{})
			if err != nil || !slices.Equal(got, nicks) {
				return false
			}
		}
		return true
	})
}

func TestEveryNodeKnowsWhoIsPresent(t *testing.T) {
	onCluster(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		ann := at(t, c, 0, "ann", silent)
		at(t, c, 1, "bob", silent)
		at(t, c, 2, "cem", silent)
		expect(t, c, []int{0, 1, 2}, "ann", "bob", "cem")
		_ = c.Node(0).Exit(ann, actor.ErrShutdown)
		expect(t, c, []int{0, 1, 2}, "bob", "cem")
	})
}

func TestNickIsTakenOnEveryNode(t *testing.T) {
	onCluster(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		at(t, c, 0, "ann", silent)
		expect(t, c, []int{1}, "ann")
		if _, err := enter(t.Context(), c.Node(1), "ann", silent); err == nil {
			t.Error("there are two anns")
		}
	})
}

func TestLinesOfOneUserAreHeardInOrderOnEveryNode(t *testing.T) {
	onCluster(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		var mu sync.Mutex
		heard := make(map[string][]string)
		note := func(nick string) func(Said) {
			return func(m Said) {
				mu.Lock()
				defer mu.Unlock()
				heard[nick] = append(heard[nick], m.Text)
			}
		}
		at(t, c, 0, "ann", note("ann"))
		at(t, c, 1, "bob", note("bob"))
		expect(t, c, []int{0, 1}, "ann", "bob")
		for _, text := range []string{"one", "two", "three"} {
			_ = c.Node(0).Send(lobbyName, say{"ann", text})
		}
		c.Settle()
		mu.Lock()
		defer mu.Unlock()
		for _, nick := range []string{"ann", "bob"} {
			if got := heard[nick]; !slices.Equal(got, []string{"one", "two", "three"}) {
				t.Errorf("%s heard %q", nick, got)
			}
		}
	})
}

func TestUsersOfALostNodeAreGoneAndComeBackWithIt(t *testing.T) {
	onCluster(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		at(t, c, 0, "ann", silent)
		at(t, c, 1, "bob", silent)
		expect(t, c, []int{0, 1}, "ann", "bob")
		c.Kill(1)
		expect(t, c, []int{0}, "ann")
		c.Restart(1)
		c.WaitMembers(2)
		if err := supervise(t.Context(), c.Node(1)); err != nil {
			t.Fatal(err)
		}
		at(t, c, 1, "bea", silent)
		expect(t, c, []int{0, 1}, "ann", "bea")
	})
}

func TestSidesOfAPartitionKnowTheirOwnAndAllAgainWhenItHeals(t *testing.T) {
	onCluster(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		at(t, c, 0, "ann", silent)
		at(t, c, 1, "bob", silent)
		expect(t, c, []int{0, 1}, "ann", "bob")
		c.Partition([]int{0}, []int{1})
		expect(t, c, []int{0}, "ann")
		expect(t, c, []int{1}, "bob")
		at(t, c, 1, "cem", silent)
		c.Heal()
		c.WaitMembers(2)
		expect(t, c, []int{0, 1}, "ann", "bob", "cem")
	})
}

func TestLobbyThatCrashesKnowsTheOthersAgain(t *testing.T) {
	onCluster(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		at(t, c, 1, "bob", silent)
		expect(t, c, []int{0}, "bob")
		old, _ := c.Node(0).Whereis(lobbyName)
		_ = c.Node(0).System.Kill(old)
		c.Settle()
		if next, ok := c.Node(0).Whereis(lobbyName); !ok || next == old {
			t.Fatal("the lobby is not back")
		}
		at(t, c, 1, "cem", silent) // whoever changes tells
		expect(t, c, []int{0}, "bob", "cem")
	})
}
