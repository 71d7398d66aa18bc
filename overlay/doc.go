// Package overlay holds what the protocols have in common that decide who is
// in the cluster and who talks to whom.
//
// A protocol is a value without goroutine, lock, clock or socket. Whoever drives
// it tells it what happened and carries out what it wants:
//
//	          Event                        Effects
//	driver ----------> Step(now, event) ----------> driver
//	          clock    Tick(now)
//
//	c, err := fullmesh.New(fullmesh.Config{Self: self, Rand: rng})
//	for _, effect := range c.Step(now, overlay.LinkUp{Node: peer}) {
//		carryOut(effect)
//	}
//	wait(c.Deadline()) // then c.Tick(now)
//
// Events and effects are closed sums. Effects are in the order in which they
// must be carried out. The same events at the same times with the same seed
// give the same effects, whatever the order of a map.
//
// When the driver crashes, the protocol's state goes with it: nothing is kept
// on disk, and a node that starts again does so as a new incarnation.
package overlay
