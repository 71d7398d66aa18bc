package overlay_test

import (
	"fmt"

	"github.com/topos-go/topos/overlay"
)

// The same place started twice is two nodes, the later one newer.
func ExampleNode() {
	first := overlay.Node{Name: "shop@10.0.0.7:4000", Boot: 1}
	second := overlay.Node{Name: "shop@10.0.0.7:4000", Boot: 2}
	fmt.Println(second.Newer(first), first.Newer(second), second.Addr())
	// Output:
	// true false 10.0.0.7:4000
}

func ExamplePool() {
	var words overlay.Pool[string]
	x, y := words.Of("x", 1), words.Of("x", 1)
	fmt.Println(*x, x == y)
	// Output: x true
}

func ExampleNodePool() {
	var nodes overlay.NodePool
	a, b := nodes.Of(overlay.Node{Name: "a@1:1"}), nodes.Of(overlay.Node{Name: "a@1:1"})
	fmt.Println(*a, a == b)

	var none *overlay.NodePool
	fmt.Println(none.Of(*a) == none.Of(*a))
	// Output:
	// a@1:1/0- true
	// false
}
