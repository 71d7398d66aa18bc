package registry

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/index"
	"github.com/topos-go/topos/registry/internal/ledger"
)

// claim is a [Claim] as its node writes it into the ledger.
type claim struct {
	_     struct{} `cbor:",toarray"`
	ID    uint64   // of the process on the owner's node
	Stamp int64    // unix nanoseconds at the owner
	// Metadata is never changed, only replaced.
	Metadata map[string]string
}

// weight is about how many bytes a claim has on the wire.
func (c claim) weight() int {
	n := 20
	for k, v := range c.Metadata {
		n += len(k) + len(v) + 4
	}
	return n
}

// table is the pure core of [Names]: who holds which name, of those who claim
// it in the ledger. It has no lock, clock or network; only holders may be read
// by others meanwhile.
//
// Invariants:
//  1. holders[name] has every claim on name that the ledger shows, and the one
//     that beats all others first.
//  2. No local process claims a name that it does not hold: it loses its claim
//     with the name, so that it does not come back to it by surprise.
type table struct {
	self    actor.NodeHandle
	rule    Rule
	holders *index.Map[actor.PID, holding]
}

// holding is what is known of a name besides who holds it. It never changes.
type holding struct {
	claim  claim       // the holder's
	rivals *[]claimant // nil for none: there are some only while a conflict is being resolved
}

type claimant struct {
	pid   actor.PID
	claim claim
}

// holder returns who holds name and, if anybody does, who else claims it.
func (t *table) holder(name string) (holder *claimant, rivals []claimant) {
	pid, h := t.holders.Whole(name)
	if pid == nil {
		return nil, nil
	}
	if h.rivals != nil {
		rivals = *h.rivals
	}
	return &claimant{*pid, h.claim}, rivals
}

// outcome is what follows from a step.
type outcome struct {
	events []NameEvent
	lost   []NameEvent // of events, those of local processes that must end
}

func newTable(self actor.NodeHandle, rule Rule) *table {
	if rule == nil {
		rule = Oldest
	}
	return &table{self: self, rule: rule, holders: index.New[actor.PID, holding]()}
}

// register claims name for the local process pid at time stamp.
func (t *table) register(l *ledger.Ledger[claim], name string, pid actor.PID, stamp int64) (outcome, error) {
	if holder := t.holders.Get(name); holder != nil {
		if *holder == pid {
			return outcome{}, nil
		}
		return outcome{}, fmt.Errorf("%w by %v", actor.ErrNameTaken, *holder)
	}
	var out outcome
	t.follow(l, l.Put(name, claim{ID: pid.ID(), Stamp: stamp}), &out)
	return out, nil
}

// describe gives the claim of the local process pid on name other metadata. It
// reports false if pid does not hold it.
func (t *table) describe(l *ledger.Ledger[claim], name string, pid actor.PID, metadata map[string]string) (outcome, bool) {
	var out outcome
	c, ok := l.Get(name)
	if !ok || c.ID != pid.ID() || pid.NodeHandle() != t.self {
		return out, false
	}
	c.Metadata = metadata
	t.follow(l, l.Put(name, c), &out)
	return out, true
}

// unregister takes name from the local process pid, if it holds it.
func (t *table) unregister(l *ledger.Ledger[claim], name string, pid actor.PID) outcome {
	var out outcome
	if c, ok := l.Get(name); ok && c.ID == pid.ID() && pid.NodeHandle() == t.self {
		change, _ := l.Delete(name)
		t.follow(l, change, &out)
	}
	return out
}

// follow takes in a change of the ledger, and decides anew who holds its name.
func (t *table) follow(l *ledger.Ledger[claim], c ledger.Change[claim], out *outcome) {
	if c.Has && c.New.ID == 0 {
		return // from a node that does not keep the rules
	}
	name := c.Key
	before, others := t.holder(name)
	claimants := t.claimants(before, others, c)
	winner := t.best(name, claimants)
	if own, claims := l.Get(name); claims && winner.pid.NodeHandle() != t.self {
		l.Delete(name)
		loser := actor.MakePID(t.self, own.ID)
		claimants = slices.DeleteFunc(claimants, func(o claimant) bool { return o.pid == loser })
		e := NameEvent{Kind: NameConflict, Name: name, PID: loser, Metadata: own.Metadata, Winner: winner.pid}
		out.lost = append(out.lost, e)
		out.events = append(out.events, e)
	}
	if winner == nil {
		t.holders.Delete(name)
	} else {
		h := holding{claim: winner.claim}
		if len(claimants) > 1 {
			rivals := slices.DeleteFunc(claimants, func(o claimant) bool { return o.pid == winner.pid })
			h.rivals = &rivals
		}
		t.holders.Set(name, winner.pid, h)
	}
	t.tell(name, before, winner, out)
}

// tell adds the events of a name that was held as before says and is by winner.
func (t *table) tell(name string, before, winner *claimant, out *outcome) {
	event := func(kind NameEventKind, c claimant) {
		out.events = append(out.events, NameEvent{Kind: kind, Name: name, PID: c.pid, Metadata: c.claim.Metadata})
	}
	switch {
	case before != nil && winner != nil && before.pid == winner.pid:
		if !maps.Equal(before.claim.Metadata, winner.claim.Metadata) {
			event(NameDescribed, *winner)
		}
		return
	case before != nil:
		event(NameUnregistered, *before)
	}
	if winner != nil {
		event(NameRegistered, *winner)
	}
}

// claimants are the holder, if there is one, and its rivals, with a change of one of them.
func (t *table) claimants(holder *claimant, rivals []claimant, c ledger.Change[claim]) []claimant {
	var claimants []claimant
	add := func(o claimant) {
		if o.pid.NodeHandle() != c.Owner {
			claimants = append(claimants, o)
		}
	}
	if holder != nil {
		add(*holder)
	}
	for _, o := range rivals {
		add(o)
	}
	if c.Has {
		claimants = append(claimants, claimant{pid: actor.MakePID(c.Owner, c.New.ID), claim: c.New})
	}
	return claimants
}

// best is the claim that beats the others, compared in the order of their nodes.
func (t *table) best(name string, claimants []claimant) *claimant {
	switch len(claimants) {
	case 0:
		return nil
	case 1:
		only := claimants[0]
		return &only
	}
	slices.SortFunc(claimants, func(a, b claimant) int { return comparePIDs(a.pid, b.pid) })
	best := claimants[0]
	for _, c := range claimants[1:] {
		if t.rule.beats(c.shown(name), best.shown(name)) {
			best = c
		}
	}
	return &best
}

// shown is the claim as users see it.
func (c claimant) shown(name string) Claim {
	return Claim{Name: name, PID: c.pid, Registered: time.Unix(0, c.claim.Stamp), Metadata: c.claim.Metadata}
}
