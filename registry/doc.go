// Package registry makes processes findable and keeps services running across
// the cluster: names that every node knows, and children that are declared
// once for all nodes and started again elsewhere when their node is lost.
//
//	node a                        node b                        node c
//	Register("cart/1", pid)  ──▶  Whereis("cart/1") = pid  ◀──  Whereis("cart/1") = pid
//	   │ a owns its names: it numbers the changes and tells every member
//	   ╳ a is lost           ──▶  its names vanish; placement starts the child on b or c
//
// The smallest program, on each node:
//
//	names := registry.NewNames(registry.NamesConfig{Node: id})
//	sys, err := actor.NewSystem(actor.Config{Node: id, Router: remote, Names: names})
//	names.Start(cluster, sys.Exit)
//	pid, err := names.Await(ctx, "clerk")
//
// and, with registry.StartPlacement under a supervisor of sys,
//
//	err = registry.Place(ctx, sys, supervisor.ChildSpec{ID: "clerk",
//		Start: actor.Start(newClerk, actor.ClusterName("clerk"))})
//
// # Names
//
// [Names] implements actor.Names. Every node owns the names of its own processes
// and no others; it tells all members of each change, or broadcasts it where nodes
// are not all linked, and from time to time some of them what there is, so that
// who has missed something asks for what differs. So [Names.Whereis] is a local
// read without a lock. It is eventually consistent: for a moment, and for as long
// as a partition lasts, two nodes may see different holders. When two processes turn out to hold the same name, a
// [Rule] says which one keeps it: the one that was registered first, unless
// another rule is chosen. The other gets an exit signal with a
// [*ConflictError], and whoever has subscribed is told.
//
// # Placement
//
// [StartPlacement] starts a node's placement, [Declare] and [Place] say what is to run,
// [Locate] where it does. Nodes agree on who is there before they act; then
// each computes by itself, from the members, their weights and their labels,
// which children are its own ([OwnerByWeight]). An instance hands its state to
// the next one through a [Handoff], and knows from its [Tenure] under which view
// it was started. [Drain] empties a node that is about to leave. A Strong child
// needs a lease, of package strong.
//
// # What happens when a node crashes
//
// Its names vanish on every node as soon as that node sees the loss, and come
// back if it was only unreachable: then only what has changed meanwhile is sent.
// The placement of each remaining node waits until its side agrees, and starts
// its own share, each child under a supervisor of its own. A child that crashes
// too often is left alone by its node for a while and tried on the next; one
// that crashes everywhere is tried ever less often, up to once a minute a node.
//
// When a partition heals, duplicates of names are resolved by the rule and those
// of children by where they belong; the state of the one that goes is merged into
// the one that stays. Every step is an event.
//
// # Options
//
// [NamesConfig], [PlacementConfig] and [Child]. Packages groups and topics stand
// beside this one, on the same exchange between nodes.
package registry
