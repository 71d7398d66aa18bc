package registry

import (
	"fmt"
	"slices"
	"testing"

	"github.com/topos-go/topos/actor"
)

func TestOwnerDoesNotDependOnTheOrderOfNodes(t *testing.T) {
	nodes := []actor.NodeID{testNode(1), testNode(2), testNode(3)}
	reversed := slices.Clone(nodes)
	slices.Reverse(reversed)
	for i := range 100 {
		key := fmt.Sprint("key", i)
		if a, b := Owner(key, nodes), Owner(key, reversed); a != b {
			t.Fatalf("%s: %v or %v", key, a, b)
		}
	}
}

func TestWhenANodeGoesOnlyItsKeysMove(t *testing.T) {
	nodes := []actor.NodeID{testNode(1), testNode(2), testNode(3), testNode(4)}
	for i := range 1000 {
		key := fmt.Sprint("key", i)
		before, after := Owner(key, nodes), Owner(key, nodes[1:])
		if before != nodes[0] && before != after {
			t.Fatalf("%s moved from %v to %v though its owner stayed", key, before, after)
		}
	}
}

func TestKeysAreSpreadEvenly(t *testing.T) {
	nodes := []actor.NodeID{testNode(1), testNode(2), testNode(3), testNode(4)}
	count := make(map[actor.NodeID]int)
	for i := range 10000 {
		count[Owner(fmt.Sprint("cart/", i), nodes)]++
	}
	for _, node := range nodes {
		if n := count[node]; n < 2300 || n > 2700 {
			t.Errorf("%s owns %d of 10,000 keys", node.Name, n)
		}
	}
}

func TestNobodyOwnsAKeyWithoutNodes(t *testing.T) {
	if got := Owner("x", nil); !got.IsZero() {
		t.Errorf("Owner = %v", got)
	}
}
