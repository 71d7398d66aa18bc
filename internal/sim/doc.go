// Package sim runs the protocol cores of many nodes in one simulated world:
// deterministic, seeded, with a hundred thousand nodes if need be.
//
//	seed --> world: nodes, links, a clock, faults     --> transcript
//	           |      every node: topology -> plumtree --> Report
//	           |      or all of package cluster
//	           v
//	         checkers: what must always hold, and what must hold after healing
//
//	report, err := sim.Run(ctx, sim.Config{Nodes: 10_000, Kill: 0.8, Seed: 1})
//	fmt.Println(report.Killed.Reliability, report.Violations)
//
// The cores are those that a real node runs, unchanged. The world does what a
// driver and TCP do: it dials, accepts, settles dials that cross, keeps the
// order in each direction of a link, and lets both ends know of its end, sooner
// or later, after what was sent. One seed gives one transcript, byte for byte, on however
// many processors: see ahead.go.
//
// # A run
//
// [Run] plays the evaluation in section 5 of the paper on HyParView (Leitão,
// Pereira and Rodrigues, DSN 2007), and adds faults. Nodes join one after the
// other; the views settle for some cycles, which are shuffle intervals;
// broadcasts are measured, over the trees of plumtree and flooded over all
// links. Then a part of the nodes crashes at once, and broadcasts are measured
// at once, within one interval. Faults follow, if there are any, and at last the
// world is healed: there is nothing wrong with it from then on, and it has a
// while to become sound again, which is the liveness phase. What must always
// hold is checked in all phases.
//
// [Fuzz] makes a Config with random faults from a seed.
//
// # With a directory
//
// With Config.Directory each node is a whole one, as package cluster puts it together:
// it knows all members, and asks them in turn whether they live. Then it is checked
// that all know the same, that is who lives, and that nobody is taken for dead while
// nothing is wrong. Its cost grows with the square of the nodes; a hundred thousand
// are for nodes without.
//
// # What happens when a node crashes
//
// Its links are reset, or, as in the paper, only found broken when something is
// sent; or its machine is gone and nobody answers, so that a sender gives up
// after some seconds: see [Config]. A crashed node may start again as a newer
// incarnation. Its deliveries are forgotten then, and it is promised nothing that
// was broadcast before.
//
// # Adding a protocol
//
// A node is what node.go has: parts that the world holds together, or the composite
// of composite.go, which does so itself. A part of that needs nothing here but its
// checker, one a file: check_*.go. Each checker has a test with a sabotaged world that
// it must catch.
//
// # What is not simulated
//
// Bandwidth, and the time that a node takes to think. Messages of a link are
// lost and come twice if Faults say so, which TCP would not do: the cores must
// stand it. Clocks are not skewed. What a whole node sends to one that is no neighbor
// goes over connections that are counted as made, and broadcasts in causal order are
// not sent: their links are there with Config.Causal only.
package sim
