package swim_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/swim"
)

// network carries out what its nodes say, without delay.
type network struct {
	now   time.Time
	nodes []overlay.Node
	cores map[overlay.Node]*swim.Core
	down  map[overlay.Node]bool
}

func (n *network) start(name string) overlay.Node {
	node := overlay.Node{Name: name + "@host:1", Boot: 1}
	core, err := swim.New(swim.Config{Self: node, Rand: rand.New(rand.NewPCG(1, uint64(len(n.nodes))))})
	if err != nil {
		panic(err)
	}
	for _, other := range n.nodes {
		core.Step(n.now, swim.Watch{Node: other})
		n.cores[other].Step(n.now, swim.Watch{Node: node})
	}
	n.nodes, n.cores[node] = append(n.nodes, node), core
	return node
}

func (n *network) carryOut(at overlay.Node, effects swim.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case swim.Send:
			if !n.down[e.To] && !n.down[at] {
				n.carryOut(e.To, n.cores[e.To].Step(n.now, swim.Received{From: at, Message: e.Message}))
			}
		case swim.Failed:
			fmt.Printf("%.1f s: to %.1s, %.1s has failed: %v\n", n.now.Sub(time.Unix(0, 0)).Seconds(), at.Name, e.Node.Name, e.Reason)
		case swim.Returned:
			fmt.Printf("%.1f s: to %.1s, %.1s has returned\n", n.now.Sub(time.Unix(0, 0)).Seconds(), at.Name, e.Node.Name)
		}
	}
}

// run lets time pass in steps of ten milliseconds.
func (n *network) run(d time.Duration) {
	for end := n.now.Add(d); n.now.Before(end); n.now = n.now.Add(10 * time.Millisecond) {
		for _, node := range n.nodes {
			if core := n.cores[node]; !core.Deadline().After(n.now) {
				n.carryOut(node, core.Tick(n.now))
			}
		}
	}
}

// C is cut off, and fails. The cable is put back, and C is back: nobody but C itself
// can say that it lives.
func Example() {
	n := &network{now: time.Unix(0, 0), cores: make(map[overlay.Node]*swim.Core), down: make(map[overlay.Node]bool)}
	A := n.start("A")
	n.start("B")
	C := n.start("C")
	n.run(time.Second)

	n.down[C] = true
	n.run(2 * time.Second)
	fmt.Println("suspects of A:", len(n.cores[A].Suspects()))
	n.run(3 * time.Second)
	state, _ := n.cores[A].State(C)
	fmt.Println("to A, C is", state)

	n.down[C] = false
	n.run(6 * time.Second)
	fmt.Println("refutations by C:", n.cores[C].Incarnation())
	// Output:
	// suspects of A: 1
	// 4.0 s: to A, C has failed: swim: suspicion not refuted: overlay: node silent
	// 4.0 s: to B, C has failed: swim: suspicion not refuted: overlay: node silent
	// 4.8 s: to C, B has failed: swim: suspicion not refuted: overlay: node silent
	// to A, C is confirm
	// 6.3 s: to A, C has returned
	// 6.3 s: to B, C has returned
	// 6.6 s: to C, B has returned
	// refutations by C: 1
}
