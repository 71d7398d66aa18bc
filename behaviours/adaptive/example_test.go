package adaptive_test

import (
	"context"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/adaptive"
	"github.com/topos-go/topos/remote"
)

func ExampleCore() {
	core, err := adaptive.NewCore(adaptive.Config{Hold: 30 * time.Second})
	if err != nil {
		panic(err)
	}
	now := time.Unix(0, 0)
	m := adaptive.Metrics{Topology: remote.FullMesh, Nodes: 150, P50: 2 * time.Millisecond}
	for range 3 {
		d := core.Step(now, m)
		fmt.Println(d.Rule, d.From, "to", d.To, d.Switch)
		if d.Switch {
			m.Topology = d.To // remote.Node.SetTopology
		}
		now = now.Add(30 * time.Second)
	}
	// Output:
	// large fullmesh to hyparview false
	// large fullmesh to hyparview true
	// large hyparview to hyparview false
}

// still is a cluster of one node, to which nothing happens.
type still struct{ topology remote.Topology }

func (s *still) Topology() remote.Topology { return s.topology }

func (s *still) SetTopology(_ context.Context, t remote.Topology) error {
	s.topology = t
	fmt.Println("it is", t, "now")
	return nil
}

func (s *still) Members() []actor.NodeID { return []actor.NodeID{{Name: "a@h:1"}} }

func (s *still) RemoteStats() remote.Stats { return remote.Stats{} }

func (s *still) ObserveRemote(func(remote.Event)) (cancel func()) { return func() {} }

func ExampleManager() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{Node: actor.NodeID{Name: "a@h:1"}})
	if err != nil {
		panic(err)
	}
	done := make(chan adaptive.Switched)
	var cluster adaptive.Cluster = &still{remote.Gossip} // a *topos.Node
	var switcher adaptive.Switcher = cluster
	manager := adaptive.New(adaptive.Config{
		Name: "topology", Cluster: cluster, Interval: time.Millisecond, Hold: time.Millisecond,
		Rules: []adaptive.Rule{
			{Name: "many", Topology: remote.HyParView, Nodes: adaptive.Range[int]{Above: adaptive.Band[int]{Enter: 10, Leave: 8}}},
			{Name: "few", Topology: remote.FullMesh},
		},
		Observe: func(ev adaptive.Event) {
			if s, ok := ev.(adaptive.Switched); ok {
				done <- s
			}
		},
	})
	if _, err := sys.Spawn(ctx, manager, actor.Name("topology")); err != nil {
		panic(err)
	}
	fmt.Println((<-done).Rule)
	_ = sys.Close(ctx)
	fmt.Println(switcher.Topology())
	// Output:
	// it is fullmesh now
	// few
	// fullmesh
}
