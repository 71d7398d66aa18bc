package plumtree_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/plumtree"
)

// Three nodes in a triangle. The first message is flooded, and prunes the link
// that is not needed; the second takes one payload for each node.
func Example() {
	now := time.Unix(0, 0)
	cores := make(map[overlay.Node]*plumtree.Core)
	var nodes []overlay.Node
	for i, name := range []string{"a@host:1", "b@host:2", "c@host:3"} {
		node := overlay.Node{Name: name, Boot: 1}
		core, err := plumtree.New(plumtree.Config{Self: node, Rand: rand.New(rand.NewPCG(1, uint64(i)))})
		if err != nil {
			panic(err)
		}
		cores[node], nodes = core, append(nodes, node)
	}
	for _, node := range nodes {
		for _, peer := range nodes {
			up := overlay.NeighborUp{Node: peer} // as a topology says
			cores[node].Step(now, plumtree.NeighborUp(up))
		}
	}

	// The network: what is sent arrives at once.
	payloads := 0
	var carryOut func(at overlay.Node, effects plumtree.Effects)
	carryOut = func(at overlay.Node, effects plumtree.Effects) {
		for _, e := range effects {
			switch e := e.(type) {
			case plumtree.Deliver:
				fmt.Printf("%s has %q after %d hops\n", at.Name, e.Payload, e.Hops)
			case plumtree.Send:
				if _, ok := e.Message.(plumtree.Gossip); ok {
					payloads++
				}
				carryOut(e.To, cores[e.To].Step(now, plumtree.Received{From: at, Message: e.Message}))
			}
		}
	}
	for _, text := range []string{"one", "two"} {
		payloads = 0
		carryOut(nodes[0], cores[nodes[0]].Step(now, plumtree.Broadcast{Payload: []byte(text)}))
		fmt.Println(payloads, "payloads")
	}
	fmt.Println("eager:", cores[nodes[0]].Eager(), "lazy:", cores[nodes[0]].Lazy())
	// Output:
	// a@host:1 has "one" after 0 hops
	// b@host:2 has "one" after 1 hops
	// c@host:3 has "one" after 2 hops
	// 4 payloads
	// a@host:1 has "two" after 0 hops
	// b@host:2 has "two" after 1 hops
	// c@host:3 has "two" after 2 hops
	// 2 payloads
	// eager: [b@host:2/1-] lazy: [c@host:3/1-]
}
