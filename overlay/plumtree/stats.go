package plumtree

// Stats counts what a [Core] has done, and what it holds. The redundancy of the
// paper, RMR, is m/(n-1)-1 for n nodes and m payloads received by all of them:
// the sum of Delivered and Duplicates, less Broadcast.
type Stats struct {
	// Broadcast messages are this node's own; Delivered ones include them.
	Broadcast, Delivered uint64
	// Repaired messages are those that an exchange has brought.
	Repaired uint64
	// Missed counts the messages reported as such.
	Missed uint64

	// GossipSent counts payloads, also in answer to grafts and digests.
	// Duplicates came and were known.
	GossipSent, Duplicates uint64
	// IHaveSent messages have Announced so many.
	IHaveSent, Announced            uint64
	GraftSent, PruneSent, Optimized uint64
	DigestSent                      uint64

	// Malformed messages broke a limit or said nonsense, Stale ones were older
	// than Config.Retain, Strangers were no neighbors: these are left alone,
	// except for payloads. Refused counts announcements that found no room and
	// digests that were not answered.
	Malformed, Stale, Strangers, Refused uint64

	// Origins are remembered, Retained messages have Bytes of payload, Missing
	// ones have a timer, Trees are owned by origins.
	Origins, Retained, Bytes, Missing, Trees int
}

// Stats returns the present counts.
func (c *Core) Stats() Stats {
	s := c.stats
	s.Origins, s.Retained, s.Bytes, s.Missing, s.Trees = len(c.origins), len(c.cache), c.bytes, len(c.timers), c.trees
	return s
}
