// Package adaptive chooses the topology of a cluster while it runs, by rules
// about its size, its traffic, its latency and its partitions.
//
//	members, counts, round trips, partitions
//	      | every Interval
//	      v
//	  Metrics --[ Rules, in order: the first that holds ]--> Decision --lowest member--> SetTopology
//	              hysteresis, Hold, CoolDown
//
// The smallest program, on every node of the cluster:
//
//	cfg.Types = append(cfg.Types, topos.Types(adaptive.WireTypes()...)...)
//	node, err := topos.Start(ctx, cfg)
//	_, err = node.Supervise(ctx, supervisor.Spec{Children: []supervisor.ChildSpec{{
//		ID: "topology", Start: adaptive.Start(adaptive.Config{Name: "topology", Cluster: node}),
//	}}})
//
// # Rules
//
// Rules are data: [DefaultRules] says which are usual, and why. The first one
// that holds counts, so their order is part of them; a rule that can never count
// because of those before it is a mistake that New reports.
//
// # No flapping
//
// A threshold is a [Band]: a condition that has made a topology the right one
// holds until the metric has come back by the width of the band. On top of that
// the same rule must have counted for Config.Hold, and there is nothing new
// before Config.CoolDown after a change. An urgent rule does not wait for the
// latter. So metrics that waver around a threshold, by less than its band, change
// nothing, and the topology changes at most once in a CoolDown, and once more for
// something urgent.
//
// # What is measured
//
// Each manager asks Config.Sample other nodes, those that follow it in the order
// of their names, every Interval: that gives round trips, of which the newest
// 128 count, and their rates of signals, which are averaged with its own. The
// number of members and the partition are the overlay's.
//
// # What happens when a node crashes
//
// The manager of the lowest member that is left acts. It has been watching all
// the time, so it knows how long a rule has counted. A manager that crashes
// starts again without that knowledge, which only makes it wait. While the
// cluster is parted, the lowest member of each side acts; what remains of it
// when the sides meet is for the overlay to say.
//
// # Not promised
//
// That two nodes measure the same: the lowest one's measurements count. That the
// topology is the best one for the work at hand: that is what Config.Rules are
// for.
package adaptive
