package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/clustertest"
)

func Example() {
	if err := run(context.Background(), os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// 100 keys are on two nodes each
	// a node is lost: 100 keys are found
	// a node has joined and been given its share: 100 keys are found there
}

func onCluster(t *testing.T, n int, f func(t *testing.T, c *clustertest.Cluster)) {
	t.Helper()
	clustertest.Run(t, n, func(t *testing.T, c *clustertest.Cluster) {
		for i := range n {
			supervise(t, c, i)
		}
		c.Settle()
		f(t, c)
	}, clustertest.Types(append(wireTypes(), Resend{})...))
}

func supervise(t *testing.T, c *clustertest.Cluster, i int) {
	t.Helper()
	if _, err := c.Node(i).Supervise(t.Context(), spec(c.Node(i))); err != nil {
		t.Fatal(err)
	}
}

// fill puts all keys, from any node.
func fill(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	for i := range keys {
		err := client{c.Node(i % c.Size())}.put(t.Context(), fmt.Sprint("key ", i), fmt.Sprint("value ", i))
		if err != nil {
			t.Fatal(err)
		}
	}
}

// expect waits until the nodes hold two copies of each key and no more, and
// each finds them all.
func expect(t *testing.T, c *clustertest.Cluster, nodes ...int) {
	t.Helper()
	var them []*topos.Node
	for _, i := range nodes {
		them = append(them, c.Node(i))
	}
	c.Eventually(time.Minute, func() bool { return total(t.Context(), them) == min(copies, len(them))*keys })
	for _, node := range them {
		if n := found(t.Context(), node); n != keys {
			t.Errorf("%s finds %d keys of %d", node.Name(), n, keys)
		}
	}
}

func TestEveryKeyIsKeptTwiceAndFoundEverywhere(t *testing.T) {
	onCluster(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		fill(t, c)
		expect(t, c, 0, 1, 2)
		for i := range 3 {
			if n := held(t.Context(), c.Node(i)); n < keys/3 || n > keys {
				t.Errorf("node %d holds %d of %d entries", i, n, copies*keys)
			}
		}
	})
}

func TestLostNodeLosesNoAcknowledgedKey(t *testing.T) {
	onCluster(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		fill(t, c)
		c.Kill(1)
		c.WaitMembers(2, 0, 2)
		expect(t, c, 0, 2)
		c.Kill(2) // the others have made new copies meanwhile
		c.WaitMembers(1, 0)
		expect(t, c, 0)
	})
}

func TestNodeThatJoinsIsHandedItsShareAndReadersNoticeNothing(t *testing.T) {
	onCluster(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		c.Kill(2)
		c.WaitMembers(2, 0, 1)
		for i := range keys {
			if err := (client{c.Node(0)}).put(t.Context(), fmt.Sprint("key ", i), fmt.Sprint("value ", i)); err != nil {
				t.Fatal(err)
			}
		}
		c.Restart(2)
		c.WaitMembers(3)
		if n := found(t.Context(), c.Node(0)); n != keys { // before there is a store on it
			t.Errorf("%d keys are found while a node joins", n)
		}
		supervise(t, c, 2)
		expect(t, c, 0, 1, 2)
		if held(t.Context(), c.Node(2)) == 0 {
			t.Error("the node that has joined has nothing")
		}
	})
}

func TestStoreThatCrashesIsFilledAgain(t *testing.T) {
	onCluster(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		fill(t, c)
		pid, _ := c.Node(1).Whereis(storeName)
		if err := c.Node(1).Exit(pid, errors.New("planned")); err != nil {
			t.Fatal(err)
		}
		expect(t, c, 0, 1)
	})
}

func TestLaterPutWinsWhereverItIsMade(t *testing.T) {
	onCluster(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		for i := range 10 {
			if err := (client{c.Node(i % 2)}).put(t.Context(), "key", fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 2 {
			if got, found, err := (client{c.Node(i)}).get(t.Context(), "key"); got != "9" || !found || err != nil {
				t.Errorf("node %d has %q, %v, %v", i, got, found, err)
			}
		}
		if _, found, err := (client{c.Node(0)}).get(t.Context(), "nothing"); found || err != nil {
			t.Errorf("a key that was never put: %v, %v", found, err)
		}
	})
}

func TestSidesOfAPartitionAgreeWhenItHeals(t *testing.T) {
	onCluster(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		c.Partition([]int{0}, []int{1})
		c.WaitMembers(1, 0)
		c.WaitMembers(1, 1)
		for i := range 2 {
			if err := (client{c.Node(i)}).put(t.Context(), "key", fmt.Sprint("from ", i)); err != nil {
				t.Fatal(err)
			}
		}
		c.Heal()
		c.WaitMembers(2)
		c.Eventually(time.Minute, func() bool {
			a, errA := actor.Call[Entry](t.Context(), c.Node(0), storeName, Read{"key"})
			b, errB := actor.Call[Entry](t.Context(), c.Node(1), storeName, Read{"key"})
			return errA == nil && errB == nil && a == b && a.Value == "from 1"
		})
	})
}

func TestOnlyTheKeysOfANodeMoveWithIt(t *testing.T) {
	nodes := []actor.NodeID{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}}
	moved := 0
	for i := range 1000 {
		key := fmt.Sprint(i)
		before, after := owners(key, nodes), owners(key, nodes[:3])
		if before[0].Name != "d" && before[1].Name != "d" {
			if before[0] != after[0] || before[1] != after[1] {
				t.Fatalf("key %s has moved from %v to %v", key, before, after)
			}
			continue
		}
		moved++
	}
	if moved < 400 || moved > 600 {
		t.Errorf("%d keys of 1000 were on one node of four, want about 500", moved)
	}
}
