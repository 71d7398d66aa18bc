package pcbroadcast_test

import (
	"fmt"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/pcbroadcast"
)

// cluster carries out what its nodes say, at once and in order.
type cluster struct {
	now   time.Time
	nodes map[overlay.Node]*pcbroadcast.Core[string]
	queue []func()
}

func (c *cluster) start(name string) overlay.Node {
	node := overlay.Node{Name: name + "@host:1", Boot: 1}
	core, err := pcbroadcast.New[string](pcbroadcast.Config{Self: node})
	if err != nil {
		panic(err)
	}
	c.nodes[node] = core
	return node
}

func (c *cluster) tell(node overlay.Node, ev pcbroadcast.Event) {
	c.carryOut(node, c.nodes[node].Step(c.now, ev))
}

func (c *cluster) carryOut(node overlay.Node, effects pcbroadcast.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case pcbroadcast.Send:
			c.queue = append(c.queue, func() { c.tell(e.To, pcbroadcast.Received{From: node, Message: e.Message}) })
		case pcbroadcast.Deliver[string]:
			fmt.Printf("%s: %s\n", node.Name[:1], e.Payload)
		case pcbroadcast.Safe:
			fmt.Printf("%s sends to %s\n", node.Name[:1], e.Node.Name[:1])
		}
	}
}

// settle lets everything arrive, and then a second pass, and so on.
func (c *cluster) settle() {
	for range 5 {
		for len(c.queue) > 0 {
			next := c.queue[0]
			c.queue = c.queue[1:]
			next()
		}
		c.now = c.now.Add(time.Second)
		for node, core := range c.nodes {
			c.carryOut(node, core.Tick(c.now))
		}
	}
}

func (c *cluster) link(a, b overlay.Node) {
	c.tell(a, pcbroadcast.LinkUp{Node: b})
	c.tell(b, pcbroadcast.LinkUp{Node: a})
	c.settle()
}

// B joins A, and C joins B. What A broadcasts reaches C through B.
func Example() {
	c := &cluster{now: time.Unix(0, 0), nodes: make(map[overlay.Node]*pcbroadcast.Core[string])}
	A, B, C := c.start("A"), c.start("B"), c.start("C")
	c.tell(A, pcbroadcast.Broadcast[string]{Payload: "is anybody there?"})
	c.link(B, A)
	c.link(C, B)
	c.tell(A, pcbroadcast.Broadcast[string]{Payload: "hello"})
	c.settle()
	// Unordered output:
	// A: is anybody there?
	// A sends to B
	// B sends to A
	// B sends to C
	// C sends to B
	// A: hello
	// B: hello
	// C: hello
}
