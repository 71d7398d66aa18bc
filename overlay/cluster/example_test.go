package cluster_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/cluster"
	"github.com/topos-go/topos/overlay/hyparview"
)

// A node meets another one, which is a member from then on.
func ExampleCore() {
	self := overlay.Node{Name: "a@10.0.0.7:4000", Boot: 1}
	peer := overlay.Node{Name: "b@10.0.0.8:4000", Boot: 1}
	var top cluster.Topology
	top, err := hyparview.New(hyparview.Config{Self: self, Seeds: []string{peer.Addr()}, Rand: rand.New(rand.NewPCG(1, 1))})
	if err != nil {
		panic(err)
	}
	c, err := cluster.New(cluster.Config{
		Self: self, Topology: top, Rand: rand.New(rand.NewPCG(1, 2)),
		Encode: json.Marshal, // what is decoded has a type of its own: see package dialect
		Decode: func([]byte) (any, error) { return nil, errors.New("not in this example") },
	})
	if err != nil {
		panic(err)
	}
	now := time.Unix(0, 0)
	show := func(effects overlay.Effects) {
		for _, e := range effects {
			switch e := e.(type) {
			case overlay.Probe:
				fmt.Println("probe", e.Addr)
			case overlay.Dial:
				fmt.Println("dial", e.Node.Name)
			case overlay.Up:
				fmt.Println("up", e.Node.Name)
			}
		}
	}
	show(c.Tick(now))
	show(c.Step(now, overlay.Found{Addr: peer.Addr(), Node: peer}))
	show(c.Step(now, overlay.LinkUp{Node: peer}))
	fmt.Println(len(c.Members()), "members")
	// Output:
	// probe 10.0.0.8:4000
	// dial b@10.0.0.8:4000
	// up b@10.0.0.8:4000
	// 2 members
}
