// Package topos is a node: a system of supervised processes that has joined
// others in a cluster.
//
//	      node a                                node b
//	┌──────────────────┐                 ┌──────────────────┐
//	│ supervision tree │ calls, links,   │ supervision tree │
//	│ names, placement │ monitors, names │ names, placement │
//	│ replicas         │◀───────────────▶│ replicas         │
//	└──────────────────┘                 └──────────────────┘
//
// The smallest node, with one supervised process under a cluster-wide name:
//
//	node, err := topos.Start(ctx, topos.Config{Name: "a"})
//	node.Supervise(ctx, supervisor.Spec{Children: []supervisor.ChildSpec{
//		{ID: "counter", Start: actor.Start(newCounter, actor.ClusterName("counter"))},
//	}})
//	n, err := actor.Call[int](ctx, node, actor.ClusterName("counter"), Get{})
//
// A [Node] embeds its *actor.System, so whatever can be done with that can be
// done with a Node.
//
// # When it crashes
//
// A process that crashes is restarted by its supervisor; a supervisor that
// gives up, by the node's own. If that gives up too, the node leaves the
// cluster and closes: [Node.Done] tells, and the program should end for its
// own supervisor, the operating system's, to start it anew. When a whole node
// is lost, what was declared with [Node.Place] is started on another.
//
// # Options
//
// See [Config]. Only Name is needed for a node on its own; Secret and Join for
// one that joins others.
package topos
