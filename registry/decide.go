package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
)

// decide starts and gives up children so that this node runs its share.
func (p *placement) decide(self *actor.Self, now time.Time) error {
	members := p.views.members()
	owners := make(map[string]actor.NodeID, len(p.wards))
	for id, w := range p.wards {
		p.recover(self, now, w)
		candidates := p.chart.candidates(id, w.child.Requires, members)
		if home := hashOf(candidates); home != w.home {
			w.home, w.since = home, now
		}
		owners[id] = OwnerByWeight(id, candidates)
	}
	ok, due := p.agreed(now, members)
	if !ok {
		if !due.IsZero() {
			p.soon(self, now, due)
		}
		return nil
	}
	if view := p.views.view(); view != p.told {
		p.told = view
		p.observe(PlacementEvent{Kind: ViewSettled})
	}
	complete := true
	for _, id := range slices.Sorted(maps.Keys(p.wards)) {
		w := p.wards[id]
		if due := w.since.Add(p.cfg.Settle); now.Before(due) {
			p.soon(self, now, due)
			complete = false
			continue
		}
		if err := p.act(self, now, w, owners[id], members); err != nil {
			return err
		}
		complete = complete && p.left(w, owners[id])
	}
	if complete {
		p.drained()
	}
	return nil
}

// agreed reports whether the views have been the same for long enough, and all is known
// here that the members had done before they had them; if not, when to look again.
// A large part comes in pages, and its node's view may be in the first.
func (p *placement) agreed(now time.Time, members []actor.NodeID) (ok bool, again time.Time) {
	if ok, again = p.views.settled(now); !ok {
		return false, again
	}
	p.seats.Do(func(l *ledger.Ledger[seat]) {
		for _, node := range members {
			ok = ok && l.Whole(node)
		}
	})
	return ok, now.Add(retryInterval)
}

// drained answers whoever waits until this node has given everything away.
func (p *placement) drained() {
	for _, from := range p.drains {
		from.Reply(true)
	}
	p.drains = nil
}

// idle reports whether this node has nothing to give away and will not get
// anything: no child runs, starts, stops or moves here, no state waits, and all
// nodes have agreed for long enough that no child belongs here. Without that
// agreement another node may be about to hand a state to this one.
func (p *placement) idle(now time.Time) bool {
	if len(p.wards) == 0 {
		return true
	}
	members := p.views.members()
	if ok, _ := p.agreed(now, members); !ok {
		return false
	}
	for id, w := range p.wards {
		if _, coming := p.coming(now, w, members); coming {
			return false
		}
		candidates := p.chart.candidates(id, w.child.Requires, members)
		moves := hashOf(candidates) != w.home || now.Before(w.since.Add(p.cfg.Settle))
		if moves || !w.keeper.IsZero() || !w.left.IsZero() || len(w.states) > 0 || OwnerByWeight(id, candidates) == p.self {
			return false
		}
	}
	return true
}

// left reports whether a ward needs no more waiting for when this node drains:
// nobody is to have it, or another node runs it.
func (p *placement) left(w *ward, owner actor.NodeID) bool {
	return w.keeper.IsZero() && w.left.IsZero() || owner.IsZero() || owner == p.self
}

// act does what is to do about one child.
func (p *placement) act(self *actor.Self, now time.Time, w *ward, owner actor.NodeID, members []actor.NodeID) error {
	id := w.child.Spec.ID
	holder := p.chart.holder(id, members, p.self)
	if !w.left.IsZero() && (!holder.IsZero() && p.chart.children[id][holder].Phase != starting || now.Sub(w.left) >= transit) {
		w.left = time.Time{}
	}
	twice := w.seat.Phase == running && !holder.IsZero() && p.chart.children[id][holder].Phase == running
	if twice && !w.twice {
		p.observe(PlacementEvent{Kind: DuplicateFound, Child: id, Node: holder})
	}
	w.twice = twice
	until, coming := p.coming(now, w, members)
	if coming {
		p.soon(self, now, until)
	}
	s := situation{
		phase:     w.seat.Phase,
		mine:      owner == p.self,
		theirs:    !owner.IsZero() && owner != p.self,
		elsewhere: !holder.IsZero(),
		coming:    coming,
		mayMove:   p.moving() < p.cfg.Moves,
	}
	switch s.act() {
	case begin:
		return p.begin(self, w)
	case await:
		if !w.waits {
			w.waits = true
			p.observe(PlacementEvent{Kind: ChildWaits, Child: id, Node: holder})
		}
	case giveUp:
		if !s.elsewhere {
			w.left = now
		}
		w.seat.Phase = stopping
		p.publish(w)
		_ = self.Send(w.keeper, release{give: true}) // its end comes, or is here already
	case leave:
		p.forward(w, owner)
	}
	return nil
}

// coming reports until when a state of w that is on its way here is waited for, and
// whether there is one.
func (p *placement) coming(now time.Time, w *ward, members []actor.NodeID) (until time.Time, yes bool) {
	id := w.child.Spec.ID
	if n := p.chart.given(id, members, p.self, p.handed[id]); n != w.coming {
		w.coming, w.comingSince = n, now
	}
	until = w.comingSince.Add(stateGrace)
	return until, w.coming > 0 && now.Before(until)
}

// moving is how many children have left this node and run nowhere yet.
func (p *placement) moving() (n int) {
	for _, w := range p.wards {
		if !w.left.IsZero() {
			n++
		}
	}
	return n
}

// begin starts a child's keeper. The others are told before.
func (p *placement) begin(self *actor.Self, w *ward) error {
	w.waits = false
	w.seat.Phase, w.seat.PID, w.seat.View = starting, 0, p.views.view()
	p.publish(w)
	return p.keep(self, w)
}

// keep spawns a child's keeper. It has a name, so that a placement that was
// started anew does not start a child beside the one that its predecessor's
// keeper is still stopping.
func (p *placement) keep(self *actor.Self, w *ward) error {
	id := w.child.Spec.ID
	k := &keeper{
		cfg:       &p.cfg,
		placement: self.PID(),
		child:     w.child,
		tenure:    Tenure{Child: id, View: w.seat.View},
	}
	if len(w.states) > 0 {
		k.tenure.State, k.states = w.states[0].State, w.states[1:]
	}
	keeper, err := self.SpawnLink(k, actor.Name("topos.keeper/"+id), actor.Label("keeper of "+id))
	switch {
	case errors.Is(err, actor.ErrNameTaken):
		w.seat.Phase = absent
		p.publish(w)
		now := time.Now()
		p.soon(self, now, now.Add(retryInterval))
		return nil
	case err != nil:
		return fmt.Errorf("registry: keeper: %w", err) // the system is closing
	}
	if len(w.states) > 0 {
		p.observe(PlacementEvent{Kind: StateTaken, Child: id, Node: w.states[0].From})
		w.states = nil
	}
	w.keeper = keeper
	p.byPID[keeper] = w
	return nil
}

// recover ends the rest of a child that has rested, and forgets its crashes
// when it has been well for long.
func (p *placement) recover(self *actor.Self, now time.Time, w *ward) {
	before := w.seat
	if w.seat.Rests && !now.Before(w.rests) {
		w.seat.Rests = false
	}
	if w.seat.Crashes > 0 && !w.seat.Rests && now.Sub(w.crashed) >= 2*p.cfg.LongestRest {
		w.seat.Crashes = 0
	}
	if w.seat.Rests != before.Rests || w.seat.Crashes != before.Crashes {
		p.publish(w)
	}
	if w.seat.Rests {
		p.soon(self, now, w.rests)
	}
}

// follow takes in what keepers and other nodes say.
func (p *placement) follow(self *actor.Self, now time.Time, msg any) error {
	switch m := msg.(type) {
	case kept:
		if w := p.byPID[m.keeper]; w != nil {
			p.kept(now, w, m)
		}
	case handed:
		p.take(self, m)
	case actor.Exit:
		// A keeper that ends without a word has crashed.
		if w := p.byPID[m.From]; w != nil {
			p.kept(now, w, kept{id: w.child.Spec.ID, keeper: m.From, kind: ChildFailed, err: m.Reason})
		}
	}
	return nil
}

// kept takes in what a keeper says of its child.
func (p *placement) kept(now time.Time, w *ward, m kept) {
	p.observe(PlacementEvent{Kind: m.kind, Child: m.id, Instance: m.instance, Node: m.node, Err: m.err})
	switch m.kind {
	case ChildStarted:
		w.seat.PID = m.instance.ID()
		if w.seat.Phase != stopping {
			w.seat.Phase = running
		}
	case ChildDone:
		w.seat.Phase, w.seat.PID = done, 0
	case ChildStopped, ChildFailed, LeaseLost:
		delete(p.byPID, w.keeper)
		w.keeper = actor.PID{}
		w.seat.Phase, w.seat.PID = absent, 0
		if m.kind == ChildFailed {
			w.left = time.Time{}
			w.seat.Crashes++
			w.crashed = now
			w.seat.Rests = true
			w.rests = now.Add(rest(p.cfg.FirstRest, p.cfg.LongestRest, p.chart.crashes(m.id)+1))
		}
		for _, state := range m.states {
			w.states = append(w.states, handed{ID: m.id, State: state, From: p.self})
		}
		// Before the others see that it has ended: they may start it then.
		p.forward(w, p.owner(w))
	default:
		return
	}
	p.publish(w)
	// Only with that it may belong elsewhere, where it is not started yet.
	p.forward(w, p.owner(w))
}

// owner is where a child belongs.
func (p *placement) owner(w *ward) actor.NodeID {
	id := w.child.Spec.ID
	return OwnerByWeight(id, p.chart.candidates(id, w.child.Requires, p.views.members()))
}

// forward sends the states that wait here to where the child belongs.
func (p *placement) forward(w *ward, owner actor.NodeID) {
	if owner.IsZero() || owner == p.self || len(w.states) == 0 || !w.keeper.IsZero() {
		return
	}
	var kept []handed
	sent := uint64(0)
	for _, s := range w.states {
		e := PlacementEvent{Kind: StateGiven, Child: s.ID, Node: owner}
		s.Hops++
		payload, err := cbor.Marshal(s)
		if err == nil {
			err = p.cfg.Cluster.SendControl(owner, handoffTopic, payload)
		}
		switch {
		case errors.Is(err, actor.ErrNoConnection):
			s.Hops--
			kept = append(kept, s) // it is about to be down: there will be another
			continue
		case err != nil:
			e.Kind, e.Err = StateLost, err
		default:
			sent++
		}
		p.observe(e)
	}
	w.states = kept
	if sent > 0 {
		w.seat.Given += sent
		w.seat.GivenTo = hashOfNode(owner)
		p.publish(w)
	}
}

// take takes in the state of an instance on another node.
func (p *placement) take(self *actor.Self, m handed) {
	w := p.wards[m.ID]
	if w != nil {
		if p.handed[m.ID] == nil {
			p.handed[m.ID] = make(map[actor.NodeID]uint64)
		}
		p.handed[m.ID][m.From]++
	}
	var why error
	switch {
	case w == nil || w.child.Handoff == nil:
		why = fmt.Errorf("registry: child %q takes no state on this node", m.ID)
	case len(m.State) > p.cfg.MaxState:
		why = fmt.Errorf("registry: state of %d bytes, at most %d", len(m.State), p.cfg.MaxState)
	case m.Hops > maxHops || len(w.states) >= maxStates:
		why = fmt.Errorf("registry: state of %q went astray", m.ID)
	case !w.keeper.IsZero() && w.seat.Phase != stopping:
		why = self.Send(w.keeper, m)
	default:
		w.states = append(w.states, m)
	}
	if why != nil {
		p.observe(PlacementEvent{Kind: StateLost, Child: m.ID, Node: m.From, Err: why})
	}
}

// afterDone calls f when the process has ended, however.
func afterDone(self *actor.Self, f func()) { context.AfterFunc(self.Context(), f) }

// endless is a context that does not end by itself.
func endless() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) }
