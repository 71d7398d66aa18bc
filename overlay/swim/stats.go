package swim

import (
	"slices"

	"github.com/topos-go/topos/overlay"
)

// Stats counts what a [Core] has done, and what it holds.
type Stats struct {
	// Sent messages had FactsSent facts in all.
	Sent, FactsSent uint64
	// Probes were begun in turn. Indirect counts the helpers that were asked.
	Probes, Indirect uint64
	// Refutations were made by this node, of what was said of it.
	Refutations uint64
	// Accusations are those that this node has told all, of members that it has had no
	// answer from. Withdrawn counts those that it has told nobody, as there was an answer
	// after all: see Config.Discreet.
	Accusations, Withdrawn uint64
	// Declined counts those that this node was asked to ask, and has not, as its machine
	// had too much to do.
	Declined uint64
	// Denied counts reset links to members that have answered after all.
	Denied uint64
	// Wakes counts how often this node has slept through its deadlines.
	Wakes uint64
	// Malformed messages and facts said nonsense. Strangers counts facts about
	// nodes that are not watched, and answers that nobody waits for.
	Malformed, Strangers uint64

	// Members are watched, of which Suspects have not answered and Dead have
	// failed. Rumors are facts that are being spread.
	Members, Suspects, Dead, Rumors int
}

// Stats returns the present counts.
func (c *Core) Stats() Stats {
	s := c.stats
	s.Members, s.Suspects, s.Dead = c.members.count(), len(c.suspicions), len(c.members.failed)
	s.Rumors = c.rumors.count
	return s
}

// Health returns the local health score, from 0, which is the best, to
// Config.MaxHealth.
func (c *Core) Health() int { return c.health }

// Incarnation returns how often this node has refuted what was said of it.
func (c *Core) Incarnation() uint64 { return c.incarnation }

// Suspects returns who is suspected, in order. The slice is the caller's.
func (c *Core) Suspects() []overlay.Node {
	var nodes []overlay.Node
	for _, s := range c.suspicions {
		nodes = append(nodes, c.members.node(s.member))
	}
	slices.SortFunc(nodes, overlay.Node.Compare)
	return nodes
}

// State returns what is thought of node, and false if it is not watched.
func (c *Core) State(node overlay.Node) (State, bool) {
	i := c.members.find(node)
	if i == nobody {
		return 0, false
	}
	return c.members.all[i].state, true
}
