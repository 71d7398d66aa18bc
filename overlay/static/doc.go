// Package static links a node to the peers that its configuration names, and to
// nobody else.
//
//	Peers --probe--> found --dial--> linked --Ask, Agree--> neighbor
//	  ^                 |                                      |
//	  +--growing waits--+-------------------- link down -------+
//
// The smallest use is that of [overlay]:
//
//	c, err := static.New(static.Config{Self: self, Peers: []string{"b@host:2", "host:3"}, Rand: rng})
//	for _, effect := range c.Tick(now) {
//		carryOut(effect)
//	}
//	wait(c.Deadline()) // then c.Tick(now)
//
// A peer is given as a name, "b@host:2", or as an address, "host:3", where
// whoever answers is taken. Each attempt begins with a probe, so that a restarted
// peer is dialled as who it is now. All nodes may have the same list: a node does
// not link to itself.
//
// [overlay.NeighborUp] says that two nodes have agreed: both have asked, or one
// has and the other accepts it. A node that is linked without that is none.
//
// # Who dials
//
// The lesser of two names dials at once. The greater one, which cannot know
// whether the lesser has it for a peer, waits for [Config].Yield first. Should both
// dial, the driver keeps one link and tells so by [overlay.DialFailed].Alive.
//
// # Who is accepted
//
// With [Configured], the default, a link from a node that is not among the peers
// is refused and closed. With [Anyone], a node that asks is a neighbor too, a guest:
// it has this node for a peer, or it would not ask. Guests are not dialled.
//
// # What happens when a node crashes
//
// Its links break, and its neighbors probe it at once, then with growing waits of
// up to RedialMax, half of which are chance, for as long as they run: it is
// configured, so whoever wants it forgotten has to configure it away. Only
// what has answered a probe is dialled, so a dead node costs a probe in a wait and
// no dials. When it starts again it is a newer incarnation, which takes the place of
// the older one, whichever side dials.
//
// A neighbor that hangs while its link does not break is for the driver to find:
// [overlay.Lost] ends the relation and begins it anew.
//
// # Leaving
//
// A node that leaves tells its neighbors and closes its links. They drop it at once
// and do not dial that incarnation again; they still probe for a newer one.
//
// # Events
//
// Peers take the place of seeds. [overlay.Join] adds some while the node runs, in
// either form. [overlay.Met] makes
// no peer of anybody, but brings the next attempt forward if it tells of a newer
// incarnation of one.
//
// # What is not guaranteed
//
// That the graph is connected: it is what the configurations say. A peer that lists a
// node that does not accept it is refused for ever, once in RedialMax.
package static
