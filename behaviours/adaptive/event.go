package adaptive

import "github.com/topos-go/topos/remote"

// Event is something that a manager tells: [Decided], [Switched] or [Failed].
// The set is closed.
type Event interface{ event() }

// Decided: another rule counts than before, or a change is due. Acting says
// whether this node is the one to make it, the lowest member.
type Decided struct {
	Decision Decision
	Metrics  Metrics
	Acting   bool
}

// Switched: this node has changed the topology.
type Switched struct {
	Rule     string
	From, To remote.Topology
}

// Failed: this node could not change the topology. It tries again after
// Config.CoolDown if the rule still counts.
type Failed struct {
	Rule string
	To   remote.Topology
	Err  error
}

func (Decided) event()  {}
func (Switched) event() {}
func (Failed) event()   {}
