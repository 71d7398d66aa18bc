package registry_test

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry"
)

func ExampleOwner() {
	nodes := []actor.NodeID{{Name: "a@host:1"}, {Name: "b@host:2"}, {Name: "c@host:3"}}
	before := registry.Owner("cart/1", nodes)
	moved := 0
	for i := range 1000 {
		key := fmt.Sprint("cart/", i)
		if was := registry.Owner(key, nodes); was != before && registry.Owner(key, without(nodes, before)) != was {
			moved++
		}
	}
	fmt.Println("carts that moved though their node stayed:", moved)
	// Output: carts that moved though their node stayed: 0
}

func without(nodes []actor.NodeID, gone actor.NodeID) []actor.NodeID {
	var rest []actor.NodeID
	for _, n := range nodes {
		if n != gone {
			rest = append(rest, n)
		}
	}
	return rest
}

func ExampleOwnerByWeight() {
	small, large := actor.NodeID{Name: "small@host:1"}, actor.NodeID{Name: "large@host:2"}
	count := make(map[actor.NodeID]int)
	for i := range 1000 {
		key := fmt.Sprint("cart/", i)
		count[registry.OwnerByWeight(key, []registry.Candidate{{Node: small, Weight: 1}, {Node: large, Weight: 9}})]++
	}
	fmt.Println("the large node has at least 850 of 1,000 carts:", count[large] >= 850)
	// Output: the large node has at least 850 of 1,000 carts: true
}

func ExampleRule() {
	// The process that has the longer name for its zone keeps the name.
	longest := registry.Rule(func(a, b registry.Claim) bool {
		return len(a.Metadata["zone"]) > len(b.Metadata["zone"])
	})
	_ = registry.NamesConfig{Rule: longest} // the same on all nodes
	eu := registry.Claim{Metadata: map[string]string{"zone": "eu-west"}}
	us := registry.Claim{Metadata: map[string]string{"zone": "us"}}
	fmt.Println(longest(eu, us), longest(us, eu))
	// Output: true false
}

func ExampleNames_Subscribe() {
	ctx := context.Background()
	me := actor.NodeID{Name: "a@host:1"}
	names := registry.NewNames(registry.NamesConfig{Node: me})
	sys, err := actor.NewSystem(actor.Config{Node: me, Names: names})
	if err != nil {
		panic(err)
	}
	names.Start(alone{me}, sys.Exit)
	defer names.Close()
	defer sys.Close(ctx)

	told := make(chan string)
	cancel := names.Subscribe(func(e registry.NameEvent) { told <- fmt.Sprint(e.Name, " ", e.Kind, " ", e.Metadata) })
	defer cancel()
	pid, err := sys.Spawn(ctx, actor.Func(func(*actor.Self, any) error { return nil }), actor.ClusterName("clerk"))
	if err != nil {
		panic(err)
	}
	fmt.Println(<-told)
	if err := names.Describe("clerk", pid, map[string]string{"zone": "eu"}); err != nil {
		panic(err)
	}
	fmt.Println(<-told)
	cancel()
	// Output:
	// clerk registered map[]
	// clerk described map[zone:eu]
}
