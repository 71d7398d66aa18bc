package registry

import (
	"fmt"
	"maps"
	"slices"
	"unique"

	"github.com/topos-go/topos/actor"
)

// table is the pure core of [Names]: what one node knows of all names. It has
// no lock, clock or network.
//
// Invariants:
//  1. owned and seq change together: every change of an owned name is one step
//     of seq.
//  2. A shadow is the owner's table as it was at shadow.seq.
//  3. winners[name] is the best claim on name in owned and all shadows.
type table struct {
	self    actor.NodeHandle
	seq     uint64
	owned   map[string]claim
	shadows map[actor.NodeID]*shadow
	winners map[string]winner
}

// claim is a process's claim on a name: the older stamp wins.
type claim struct {
	ID    uint64 `cbor:"1,keyasint"` // of the process on the owner's node
	Stamp int64  `cbor:"2,keyasint"` // unix nanoseconds at the owner
}

// shadow is what is known of another node's table.
type shadow struct {
	node   actor.NodeHandle
	seq    uint64
	claims map[string]claim
}

type winner struct {
	pid   actor.PID
	claim claim
}

// change is one step of an owner's table.
type change struct {
	Name   string `cbor:"1,keyasint"`
	Claim  claim  `cbor:"2,keyasint"`
	Remove bool   `cbor:"3,keyasint,omitempty"`
}

// update carries an owner's changes After+1, After+2, …; or, if Full, all the
// names it owns at step After.
type update struct {
	After   uint64   `cbor:"1,keyasint"`
	Full    bool     `cbor:"2,keyasint,omitempty"`
	Changes []change `cbor:"3,keyasint,omitempty"`
}

// outcome is what follows from a step.
type outcome struct {
	changed []string    // names whose holder is another than before
	lost    []lostClaim // own processes that must give a name up
	stale   bool        // an update was missed: ask the owner for everything
	publish []change    // own changes to tell the others, in order
}

type lostClaim struct {
	pid    actor.PID
	name   string
	winner actor.PID
}

func newTable(self actor.NodeHandle) *table {
	return &table{
		self:    self,
		owned:   make(map[string]claim),
		shadows: make(map[actor.NodeID]*shadow),
		winners: make(map[string]winner),
	}
}

// register claims name for the local process pid at time stamp.
func (t *table) register(name string, pid actor.PID, stamp int64) (outcome, error) {
	if w, taken := t.winners[name]; taken {
		if w.pid == pid {
			return outcome{}, nil
		}
		return outcome{}, fmt.Errorf("%w by %v", actor.ErrNameTaken, w.pid)
	}
	c := claim{ID: pid.ID(), Stamp: stamp}
	t.seq++
	t.owned[name] = c
	var out outcome
	t.settle(name, &out)
	out.publish = append(out.publish, change{Name: name, Claim: c})
	return out, nil
}

// unregister takes name from the local process pid, if it holds it.
func (t *table) unregister(name string, pid actor.PID) outcome {
	var out outcome
	if c, ok := t.owned[name]; ok && c.ID == pid.ID() {
		t.disown(name, &out)
		t.settle(name, &out)
	}
	return out
}

// disown removes an owned name.
func (t *table) disown(name string, out *outcome) {
	c := t.owned[name]
	t.seq++
	delete(t.owned, name)
	out.publish = append(out.publish, change{Name: name, Claim: c, Remove: true})
}

// apply takes in an update from its owner.
func (t *table) apply(from actor.NodeID, u update) outcome {
	var out outcome
	s := t.shadows[from]
	if u.Full {
		touched := make(map[string]bool)
		if s != nil {
			if s.seq > u.After {
				return out // older than what is known
			}
			for name := range s.claims {
				touched[name] = true
			}
		}
		s = &shadow{node: unique.Make(from), seq: u.After, claims: make(map[string]claim, len(u.Changes))}
		t.shadows[from] = s
		for _, c := range u.Changes {
			s.claims[c.Name] = c.Claim
			touched[c.Name] = true
		}
		t.settleAll(touched, &out)
		return out
	}
	if s == nil || u.After > s.seq {
		out.stale = true
		return out
	}
	touched := make(map[string]bool)
	for i, c := range u.Changes {
		if seq := u.After + uint64(i) + 1; seq != s.seq+1 {
			continue // known already
		}
		s.seq++
		if c.Remove {
			delete(s.claims, c.Name)
		} else {
			s.claims[c.Name] = c.Claim
		}
		touched[c.Name] = true
	}
	t.settleAll(touched, &out)
	return out
}

// behind reports whether from has made changes up to seq that are not known.
func (t *table) behind(from actor.NodeID, seq uint64) bool {
	s := t.shadows[from]
	return s == nil || s.seq < seq
}

// full returns everything this node owns.
func (t *table) full() update {
	u := update{After: t.seq, Full: true}
	for _, name := range slices.Sorted(maps.Keys(t.owned)) {
		u.Changes = append(u.Changes, change{Name: name, Claim: t.owned[name]})
	}
	return u
}

// forget drops the names of a lost node.
func (t *table) forget(node actor.NodeID) outcome {
	var out outcome
	s := t.shadows[node]
	if s == nil {
		return out
	}
	delete(t.shadows, node)
	touched := make(map[string]bool)
	for name := range s.claims {
		touched[name] = true
	}
	t.settleAll(touched, &out)
	return out
}

func (t *table) settleAll(names map[string]bool, out *outcome) {
	for _, name := range slices.Sorted(maps.Keys(names)) {
		t.settle(name, out)
	}
}

// settle decides who holds name. A local process that loses it loses its claim
// too, so that the name does not come back to it by surprise.
func (t *table) settle(name string, out *outcome) {
	before, held := t.winners[name]
	best, found := t.best(name)
	if c, ok := t.owned[name]; ok && best.pid.NodeHandle() != t.self {
		t.disown(name, out)
		out.lost = append(out.lost, lostClaim{pid: actor.MakePID(t.self, c.ID), name: name, winner: best.pid})
	}
	switch {
	case !found:
		delete(t.winners, name)
	default:
		t.winners[name] = best
	}
	if held != found || before.pid != best.pid {
		out.changed = append(out.changed, name)
	}
}

// best compares the claims on name: the oldest stamp wins, then the lesser node.
func (t *table) best(name string) (winner, bool) {
	var best winner
	found := false
	consider := func(node actor.NodeHandle, c claim) {
		w := winner{pid: actor.MakePID(node, c.ID), claim: c}
		if !found || w.beats(best) {
			best, found = w, true
		}
	}
	if c, ok := t.owned[name]; ok {
		consider(t.self, c)
	}
	for _, s := range t.shadows {
		if c, ok := s.claims[name]; ok {
			consider(s.node, c)
		}
	}
	return best, found
}

func (w winner) beats(v winner) bool {
	if w.claim.Stamp != v.claim.Stamp {
		return w.claim.Stamp < v.claim.Stamp
	}
	if w.pid.NodeHandle() != v.pid.NodeHandle() {
		return w.pid.Node().Less(v.pid.Node())
	}
	return w.pid.ID() < v.pid.ID()
}
