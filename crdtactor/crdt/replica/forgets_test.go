package replica_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// mostGone is how many sites may go for ever.
const mostGone = 3

// there returns the sites that are not gone.
func (w *world[S]) there() []*site[S] {
	return slices.DeleteFunc(slices.Clone(w.sites), func(s *site[S]) bool { return s.gone })
}

// made notes that s makes an element.
func (w *world[S]) made(s *site[S], element string) {
	w.maker[element] = s
	if version(s, s.name) < s.forgotten {
		w.risky[element], w.rash[element], w.doubtful[element] = true, true, true
	}
}

// version is how often a site is known to have been forgotten and to have come
// back, by what at knows.
func version[S crdt.State[S]](at *site[S], name string) uint64 {
	for _, m := range at.core.Roster() {
		if m.Node == name {
			return m.Version
		}
	}
	return 0
}

// forget lets some site forget s, which may be down, or only out of its reach,
// or by mistake. It may then be gone for ever.
func (w *world[S]) forget(s *site[S]) {
	at := w.sites[w.r.IntN(sites)]
	if at == s || at.core == nil || s.core != nil && s.group == at.group && w.r.IntN(4) > 0 {
		return
	}
	if s.core == nil && w.r.IntN(3) > 0 && len(w.sites)-len(w.there()) < mostGone {
		s.gone, s.disk, s.roster = true, nil, nil
	}
	w.forgetAt(at, s)
}

// forgetAt lets at forget s.
func (w *world[S]) forgetAt(at, s *site[S]) {
	at.core.See(nil, nil)
	if at.core.Forget(s.name) {
		w.deeds.forgets++
		s.forgotten = max(s.forgotten, version(at, s.name))
		w.losses++
		for element, maker := range w.maker {
			w.risky[element] = w.risky[element] || maker == s
		}
		w.doubt()
	}
	w.look(at)
}

// calm lets a few periods pass without a fault, but for sites that stay down.
func (w *world[S]) calm() {
	all := w.r.IntN(3) > 0
	for _, s := range w.sites {
		if s.group = 0; s.core == nil && !s.gone && (all || w.r.IntN(2) == 0) {
			w.start(s)
		}
	}
	for range 1 + w.r.IntN(10) {
		for _, s := range w.sites {
			if s.core != nil {
				s.core.Tick()
				w.collect(s)
			}
		}
		for n := w.r.IntN(1000); n > 0 && len(w.letters) > 0; n-- {
			w.deliver(w.r.IntN(len(w.letters)), 0, 0.05)
			if s := w.sites[w.r.IntN(sites)]; s.core != nil {
				w.save(s)
			}
		}
	}
}

// count notes how many nodes' shares have been settled before the faults end.
func (w *world[S]) count() {
	settled := map[string]bool{}
	for _, s := range w.there() {
		if s.core != nil {
			for _, m := range s.core.Roster() {
				settled[m.Node] = settled[m.Node] || m.Settled > 0
			}
		}
	}
	for _, ok := range settled {
		if ok {
			w.deeds.settled++
		}
	}
}

// turnBack gives a site that is down a disk of some time ago.
func (w *world[S]) turnBack(s *site[S]) {
	s.disk, s.roster = slices.Clone(s.old.disk), s.old.roster
	w.losses++
	w.doubt()
}

// forgetGone lets somebody forget those that are gone, at last.
func (w *world[S]) forgetGone() {
	for _, s := range w.there() {
		w.look(s)
	}
	for _, s := range w.sites {
		if s.gone {
			w.forgetAt(w.there()[w.r.IntN(len(w.there()))], s)
		}
	}
}

// tidy returns an error if a counter has an entry of a replica that is no more.
func (w *world[S]) tidy(state S) error {
	if sweeper, ok := any(state.Clone()).(crdt.Sweeper[S]); ok {
		delta := sweeper.Sweep(func(lineage string, _ uint64) bool { return w.site(lineage).gone })
		if data, _ := delta.MarshalBinary(); !delta.Equal(w.fresh()) {
			return fmt.Errorf("%q is kept on behalf of those that are gone", data)
		}
	}
	settler, ok := any(state).(crdt.Settler[S])
	if !ok {
		return nil
	}
	for lineage, start := range settler.Lives() {
		if s := w.site(lineage); s.gone || crdt.Incarnation(lineage, start) != s.core.ID() {
			return fmt.Errorf("there still is an entry of %s, start %d", lineage, start)
		}
	}
	return nil
}

// TestForgottenNodesLeaveNothingAndCountOnceOnAnySchedule is as
// TestReplicasConvergeAndLoseNothingOnAnySchedule, with nodes that are forgotten
// besides: some are gone, some are only out of reach, some forget one another,
// and disks come back that are old. In the end the counters must have counted
// everything once, and have an entry for each node that is there and one for all
// others.
func TestForgottenNodesLeaveNothingAndCountOnceOnAnySchedule(t *testing.T) {
	forgets, ends, gone, settled := 0, 0, 0, 0
	for seed := range uint64(*schedules) {
		w := mustRun(t, ledgers(), seed, true)
		forgets, ends, gone = forgets+w.deeds.forgets, ends+w.deeds.ends, gone+sites-len(w.there())
		settled += w.deeds.settled
	}
	if forgets == 0 || ends == 0 || gone == 0 || settled == 0 {
		t.Errorf("%d forgotten, %d replicas that ended for that, %d nodes gone, %d settled meanwhile prove nothing", forgets, ends, gone, settled)
	}
	t.Logf("%d schedules: %d times forgotten, %d replicas ended, %d nodes gone, %d settled before the faults end", *schedules, forgets, ends, gone, settled)
}

// TestForgottenNodesLeaveNoMarksInCartsOnAnySchedule is the same with carts: what
// was removed of those that are gone must leave nothing but their ids.
func TestForgottenNodesLeaveNoMarksInCartsOnAnySchedule(t *testing.T) {
	gone, removed, claims := 0, 0, 0
	for seed := range uint64(*schedules) {
		w := mustRun(t, carts(), seed, true)
		gone, removed, claims = gone+sites-len(w.there()), removed+len(w.gone), claims+len(w.claims)
	}
	if gone == 0 || removed == 0 || claims == 0 {
		t.Errorf("%d nodes gone, %d items removed, %d acknowledged writes prove nothing", gone, removed, claims)
	}
}
