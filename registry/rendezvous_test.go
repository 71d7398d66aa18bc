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

func TestWeightsShareKeysInProportionAndMoveFewOfThem(t *testing.T) {
	candidates := []Candidate{{testNode(1), 1}, {testNode(2), 2}, {testNode(3), 1}, {testNode(4), 0}}
	heavier := slices.Clone(candidates)
	heavier[2].Weight = 3
	count := make(map[actor.NodeID]int)
	for i := range 20000 {
		key := fmt.Sprint("cart/", i)
		before, after := OwnerByWeight(key, candidates), OwnerByWeight(key, heavier)
		count[before]++
		if before != after && after != testNode(3) {
			t.Fatalf("%s moved to %v, which did not grow", key, after)
		}
	}
	for node, want := range map[int]int{1: 5000, 2: 10000, 3: 5000, 4: 0} {
		if n := count[testNode(node)]; n < want*93/100 || n > want*107/100 {
			t.Errorf("node %d owns %d keys, want about %d", node, n, want)
		}
	}
}

func TestEqualWeightsAreAsNone(t *testing.T) {
	nodes := []actor.NodeID{testNode(1), testNode(2), testNode(3)}
	var candidates []Candidate
	for _, n := range nodes {
		candidates = append(candidates, Candidate{n, 2.5})
	}
	for i := range 1000 {
		key := fmt.Sprint("key", i)
		if a, b := Owner(key, nodes), OwnerByWeight(key, candidates); a != b {
			t.Fatalf("%s: %v without weights, %v with", key, a, b)
		}
	}
}
