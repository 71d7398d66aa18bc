package registry

import (
	"time"
)

// phase is what a node does about one child.
type phase uint8

const (
	absent   phase = iota
	starting       // its keeper works at it; nobody else may
	running
	stopping
	done // it has ended for good
)

// held reports whether others must wait.
func (p phase) held() bool { return p != absent }

// situation is all that decides what a node does next about one child, once its
// side has settled: a pure value.
type situation struct {
	phase phase
	// mine and theirs: this node, or another, is the one to run it. Neither, if
	// there is none.
	mine, theirs bool
	// elsewhere: another node holds it.
	elsewhere bool
	// coming: a state has been sent here that has not come yet.
	coming bool
	// mayMove: fewer than the bound are on the move from this node.
	mayMove bool
}

// action is what to do about a child.
type action uint8

const (
	leave  action = iota
	begin         // start it here
	await         // it is to run here when the other instance has ended
	giveUp        // stop it here, for another node to run it
)

// act decides. Of two instances that were started on two sides of a partition
// the one stays that is where the child belongs, or where it will be once the
// other has ended.
func (s situation) act() action {
	switch {
	case s.phase == absent && s.mine && s.elsewhere:
		return await
	case s.phase == absent && s.mine && !s.coming:
		return begin
	case (s.phase == running || s.phase == starting || s.phase == done) && s.theirs && (s.elsewhere || s.mayMove):
		return giveUp
	}
	return leave
}

// rest is how long a node leaves a child alone that has crashed crashes times,
// on all nodes together: each time twice as long.
func rest(first, longest time.Duration, crashes int) time.Duration {
	for range crashes - 1 {
		if first >= longest/2 {
			return longest
		}
		first *= 2
	}
	return min(first, longest)
}
