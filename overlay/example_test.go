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
	x, y := words.Keep("x", 1), words.Keep("x", 1)
	fmt.Println(*words.At(x), x == y)
	words.Drop(x)
	words.Drop(y)
	fmt.Println(words.Len())
	// Output:
	// x true
	// 0
}

func ExampleNodePool() {
	var nodes overlay.NodePool
	a, b := nodes.Keep(overlay.Node{Name: "a@1:1"}), nodes.Keep(overlay.Node{Name: "a@1:1"})
	fmt.Println(nodes.At(a), a == b)
	// Output: a@1:1/0- true
}
