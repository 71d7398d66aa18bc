package strong

import (
	"slices"
	"time"
)

// quorum decides who is to have the data and a vote: a pure core. It is the
// leader's, and makes one change at a time.
type quorum struct {
	// voters and standbys are how many there are to be: standbys have the data
	// and no vote.
	voters, standbys int
	// replaceAfter is how long a voter may be away before another one takes
	// its place.
	replaceAfter time.Duration
	// maxLag is how many entries a standby may be behind to be given a vote.
	maxLag uint64
}

// server is a replica as it stands in raft's configuration.
type server struct {
	id    string
	voter bool
}

// peer is what the leader knows of a node that has the data or could have it.
type peer struct {
	up bool
	// since is when the leader saw it go down, or became the leader, whichever
	// was later.
	since time.Time
	// gone says that it will not come back: it had no folder and was started
	// anew.
	gone bool
	// applied is the entry up to which it has told to have carried them out;
	// reported, whether it has told.
	reported bool
	applied  uint64
}

// move is a change of raft's configuration.
type move struct {
	kind moveKind
	id   string
}

type moveKind uint8

const (
	moveNone    moveKind = iota
	moveAdd              // a standby
	movePromote          // a standby to a voter
	moveRemove           // a voter or standby
)

// next returns the next change, if one is called for. self is the leader and
// commit the last entry that is committed.
func (q quorum) next(now time.Time, self string, commit uint64, servers []server, peers map[string]peer) move {
	var voters, standbys, live, away int
	in := make(map[string]bool, len(servers))
	var lost, ready, waste []string
	for _, s := range servers {
		in[s.id] = true
		p := peers[s.id]
		alive := s.id == self || p.up
		replaceable := !alive && (p.gone || now.Sub(p.since) >= q.replaceAfter)
		switch {
		case s.voter:
			voters++
			if alive {
				live++
			} else if replaceable {
				lost = append(lost, s.id)
			}
		case alive:
			standbys++
			if p.reported && p.applied+q.maxLag >= commit {
				ready = append(ready, s.id)
			}
		default:
			away++
			if replaceable {
				waste = append(waste, s.id)
			}
		}
	}
	slices.Sort(lost)
	slices.Sort(ready)
	slices.Sort(waste)
	switch {
	case len(ready) > 0 && voters < q.voters:
		return move{movePromote, ready[0]}
	case len(ready) > 0 && len(lost) > 0 && live > (voters-1)/2:
		// The others are enough to commit it, and go on without.
		return move{moveRemove, lost[0]}
	case len(waste) > 0:
		return move{moveRemove, waste[0]}
	}
	needed := voters < q.voters || len(lost) > 0 // somebody who takes the place
	if standbys+away < q.standbys || needed && standbys == 0 {
		if id, ok := candidate(in, peers); ok {
			return move{moveAdd, id}
		}
	}
	return move{}
}

// candidate returns the first node that could become a standby.
func candidate(in map[string]bool, peers map[string]peer) (string, bool) {
	var ids []string
	for id, p := range peers {
		if p.up && p.reported && !in[id] {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return "", false
	}
	return slices.Min(ids), true
}
