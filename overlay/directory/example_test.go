package directory_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
)

// cluster carries out what its nodes say, at once and in order.
type cluster struct {
	now   time.Time
	nodes map[string]*directory.Core
	names []string
	queue []func()
}

func (c *cluster) start(name string, boot uint64) overlay.Node {
	node := overlay.Node{Name: name + "@host:1", Boot: boot}
	core, err := directory.New(directory.Config{Self: node, Rand: rand.New(rand.NewPCG(1, boot))})
	if err != nil {
		panic(err)
	}
	if c.nodes[node.Name] == nil {
		c.names = append(c.names, node.Name)
	}
	c.nodes[node.Name] = core
	return node
}

func (c *cluster) tell(node overlay.Node, ev directory.Event) {
	c.now = c.now.Add(time.Second)
	c.carryOut(node, c.nodes[node.Name].Step(c.now, ev))
	for len(c.queue) > 0 {
		next := c.queue[0]
		c.queue = c.queue[1:]
		next()
	}
}

func (c *cluster) carryOut(node overlay.Node, effects directory.Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case directory.Send:
			c.later(e.To.Name, directory.Received{From: node, Message: e.Message})
		case directory.Broadcast:
			for _, name := range c.names {
				if name != node.Name {
					c.later(name, directory.Heard{Broadcast: e})
				}
			}
		case directory.Up:
			fmt.Printf("%s: %v is up\n", node.Name[:1], e.Node)
		case directory.Down:
			fmt.Printf("%s: %v is down: %v\n", node.Name[:1], e.Node, e.Reason)
		case directory.Returned:
			fmt.Printf("%s: %v has returned\n", node.Name[:1], e.Node)
		case directory.Restarted:
			fmt.Printf("%s: %v has restarted as %v\n", node.Name[:1], e.Old, e.New)
		case directory.Changed:
			fmt.Printf("%s: %s is %s\n", node.Name[:1], e.Register.Name, e.Register.Value)
		}
	}
}

func (c *cluster) later(to string, ev directory.Event) {
	c.queue = append(c.queue, func() { c.carryOut(c.node(to), c.nodes[to].Step(c.now, ev)) })
}

// node is who runs under that name.
func (c *cluster) node(name string) overlay.Node {
	for _, n := range c.nodes[name].Members() {
		if n.Name == name {
			return n
		}
	}
	return overlay.Node{Name: name}
}

// B joins A. A's failure detector is wrong about B, which refutes. Then B
// restarts.
func Example() {
	c := &cluster{now: time.Unix(0, 0), nodes: make(map[string]*directory.Core)}
	A, B := c.start("A", 1), c.start("B", 1)
	c.tell(B, directory.Met{Node: A})
	c.tell(A, directory.Obituary{Node: B})
	B = c.start("B", 2)
	c.tell(B, directory.Met{Node: A})
	fmt.Println(c.nodes[A.Name].Members())
	// Output:
	// B: A@host:1/1- is up
	// A: B@host:1/1- is up
	// A: B@host:1/1- is down: overlay: node silent
	// A: B@host:1/1- has returned
	// B: A@host:1/1- is up
	// A: B@host:1/1- has restarted as B@host:1/2-
	// [A@host:1/1- B@host:1/2-]
}

// The lowest member says how the cluster is wired, and all agree.
func ExampleCore_Propose() {
	c := &cluster{now: time.Unix(0, 0), nodes: make(map[string]*directory.Core)}
	A, B := c.start("A", 1), c.start("B", 1)
	c.tell(B, directory.Met{Node: A})
	_, err := c.nodes[B.Name].Propose(c.now, directory.Topology, "hyparview")
	fmt.Println(err)
	effects, _ := c.nodes[A.Name].Propose(c.now, directory.Topology, "hyparview")
	c.carryOut(A, effects)
	c.tell(A, nil)
	r, _ := c.nodes[B.Name].Register(directory.Topology)
	fmt.Println(r.Epoch, r.Proposer)
	// Output:
	// B: A@host:1/1- is up
	// A: B@host:1/1- is up
	// directory: only the lowest member proposes
	// A: topology is hyparview
	// B: topology is hyparview
	// 1 A@host:1/1-
}

// Facts form a join-semilattice: it does not matter in which order they come.
func ExampleFact_Merge() {
	n := overlay.Node{Name: "n@host:1", Boot: 1}
	dead := directory.Fact{Node: n, Status: directory.Failed}
	refuted := directory.Fact{Node: n, Status: directory.Alive, Number: 1}
	fmt.Println(dead.Merge(refuted).Status, refuted.Merge(dead).Status)
	left := directory.Fact{Node: n, Status: directory.Left, Number: 1}
	fmt.Println(left.Merge(refuted).Status, directory.Status(directory.Left).Dead())
	// Output:
	// alive alive
	// left true
}

// Registers do as well: the higher epoch counts, of the same the lower proposer.
func ExampleRegister_Merge() {
	a, b := overlay.Node{Name: "a@host:1"}, overlay.Node{Name: "b@host:1"}
	mesh := directory.Register{Name: directory.Topology, Epoch: 2, Proposer: a, Value: "fullmesh"}
	view := directory.Register{Name: directory.Topology, Epoch: 2, Proposer: b, Value: "hyparview"}
	fmt.Println(view.Merge(mesh).Value)
	// Output:
	// fullmesh
}

// A member that goes down is tried again, in case it is behind a partition.
func ExampleTry() {
	A, B := overlay.Node{Name: "A@host:1"}, overlay.Node{Name: "B@host:1"}
	now := time.Unix(0, 0)
	core, err := directory.New(directory.Config{Self: A, Rand: rand.New(rand.NewPCG(1, 1))})
	if err != nil {
		panic(err)
	}
	core.Step(now, directory.Met{Node: B})
	core.Step(now, directory.Obituary{Node: B})
	for tries := 0; tries < 3; {
		for _, e := range core.Tick(core.Deadline()) {
			if e, ok := e.(directory.Try); ok {
				tries++
				fmt.Println("try", e.Node)
				core.Step(core.Deadline(), directory.TryFailed{Node: B})
			}
		}
	}
	// Output:
	// try B@host:1/0-
	// try B@host:1/0-
	// try B@host:1/0-
}
