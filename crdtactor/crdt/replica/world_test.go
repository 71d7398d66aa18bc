package replica_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

const sites = 7

// subject is a type under test. Elements are names that are each made once.
type subject[S crdt.State[S]] struct {
	fresh func() S
	make  func(s S, me crdt.ReplicaID, element string) S
	// lose removes something that was made, if the type can; it returns what.
	lose func(r *rand.Rand, s S, me crdt.ReplicaID) (delta S, element string)
	// has tells the elements that are there.
	has func(s S) []string
	// check is given a state and the elements that may or may not count.
	check func(s S, doubtful map[string]bool) error
}

// site is one node: a core while it is up, and a disk.
type site[S crdt.State[S]] struct {
	name    string
	core    *replica.Core[S] // nil while it is down
	starts  uint64
	disk    []replica.Item
	roster  []replica.Member
	durable bool
	group   int
	writing writing
	old     backup

	forgotten uint64 // the Version that came of the last time it was forgotten
	gone      bool   // it never comes back
}

// writing is what is on its way to a disk.
type writing struct {
	replica.Batch
	whole map[string]bool // keys whose Items are not deltas, but states
}

// backup is what a disk had some time ago.
type backup struct {
	disk   []replica.Item
	roster []replica.Member
}

// claim is an update that was acknowledged.
type claim struct {
	element string
	copies  int
	losses  int // replicas lost with all they had before it was made
}

// world is sites and a network that loses, doubles, delays and reorders.
type world[S crdt.State[S]] struct {
	subject[S]
	r        *rand.Rand
	sites    []*site[S]
	letters  []letter
	elements int
	tickets  map[uint64]string
	copies   map[uint64]int
	before   map[uint64]int // losses, by ticket
	claims   []claim
	gone     map[string]bool // elements that somebody removed
	doubtful map[string]bool // elements that at some time no site that is left had
	losses   int
	ring     bool
	few      int
	atOnce   int                                  // keys, of which there are three
	forgets  bool                                 // nodes are forgotten, some of which come back
	maker    map[string]*site[S]                  // of each element
	risky    map[string]bool                      // elements whose maker was forgotten afterwards
	rash     map[string]bool                      // elements whose maker was forgotten and did not know it
	deeds    struct{ forgets, ends, settled int } // ends: of replicas that found out
}

type letter struct {
	from, to string
	msg      any
}

func newWorld[S crdt.State[S]](sub subject[S], seed uint64) *world[S] {
	w := &world[S]{subject: sub, r: rand.New(rand.NewPCG(seed, 77)), tickets: map[uint64]string{}, copies: map[uint64]int{}, before: map[uint64]int{},
		gone: map[string]bool{}, doubtful: map[string]bool{}, maker: map[string]*site[S]{}, risky: map[string]bool{}, rash: map[string]bool{}}
	w.ring = w.r.IntN(3) == 0
	w.few = 1 + w.r.IntN(2)*10
	w.atOnce = rand.New(rand.NewPCG(seed, 78)).IntN(3)
	disks := w.r.IntN(3) // none, some, all
	for i := range sites {
		s := &site[S]{name: fmt.Sprintf("n%d", i), durable: disks == 2 || disks == 1 && w.r.IntN(2) == 0}
		w.sites = append(w.sites, s)
	}
	for _, s := range w.sites {
		w.start(s)
	}
	return w
}

// start starts a site with what its disk has.
func (w *world[S]) start(s *site[S]) {
	s.starts++
	s.core = replica.New(replica.Config[S]{Node: s.name, ID: crdt.Incarnation(s.name, s.starts), New: w.fresh,
		Backlog: 8, Part: 200, Few: w.few, AtOnce: w.atOnce, Forward: w.ring, Durable: s.durable})
	for _, item := range s.disk {
		if err := s.core.Restore(item.Key, item.Data); err != nil {
			panic(err)
		}
	}
	s.core.Enroll(s.roster)
	w.look(s)
	s.core.Greet()
	w.collect(s)
}

// look tells a site who is there: in a ring it has three neighbors.
func (w *world[S]) look(s *site[S]) {
	var members, neighbors []string
	at := slices.Index(w.sites, s)
	for i, other := range w.sites {
		if other == s || other.gone {
			continue
		}
		members = append(members, other.name)
		if d := (i - at + sites) % sites; !w.ring || d == 1 || d == sites-1 || d == 3 || d == sites-3 {
			neighbors = append(neighbors, other.name)
		}
	}
	s.core.See(members, neighbors)
}

// crash ends a site; what it had in memory is lost.
func (w *world[S]) crash(s *site[S]) {
	s.core, s.writing = nil, writing{}
	if !s.durable {
		w.losses++
	}
	w.doubt()
}

// wipe takes the disk of a site that is down.
func (w *world[S]) wipe(s *site[S]) {
	s.disk, s.roster = nil, nil
	w.losses++
	w.doubt()
}

// doubt notes the elements that nobody has who is left.
func (w *world[S]) doubt() {
	held := map[string]bool{}
	for _, s := range w.sites {
		for _, e := range w.holds(s) {
			held[e] = held[e] || s.forgotten == 0 || !w.risky[e]
		}
	}
	for i := range w.elements {
		if e := fmt.Sprint("e", i); !held[e] {
			w.doubtful[e] = true
		}
	}
}

// holds returns the elements that a site has, in memory or on disk.
func (w *world[S]) holds(s *site[S]) []string {
	var list []string
	if s.core != nil {
		for _, key := range s.core.Keys() {
			state, _ := s.core.State(key)
			list = append(list, w.has(state)...)
		}
	}
	for _, item := range s.disk {
		state := w.fresh()
		if err := state.UnmarshalBinary(item.Data); err != nil {
			panic(err)
		}
		list = append(list, w.has(state)...)
	}
	return list
}

// collect carries out what a core wants done.
func (w *world[S]) collect(s *site[S]) {
	out := s.core.Take()
	for _, e := range out.Out {
		w.letters = append(w.letters, letter{s.name, e.To, e.Msg})
	}
	for _, ticket := range out.Done {
		w.claims = append(w.claims, claim{w.tickets[ticket], w.copies[ticket], w.before[ticket]})
	}
	if out.Malformed > 0 {
		panic("malformed")
	}
	if out.Outdated != "" {
		w.deeds.ends++
		w.crash(s)
		w.start(s)
	}
}

// save takes a part of a batch, or writes the batch to disk once there are all:
// between any two steps the site can crash.
func (w *world[S]) save(s *site[S]) {
	if s.writing.Last {
		s.disk = slices.DeleteFunc(s.disk, func(item replica.Item) bool { return s.writing.whole[item.Key] })
		s.disk = append(s.disk, s.writing.Items...)
		if s.writing.Roster != nil {
			s.roster = s.writing.Roster
		}
		if w.r.IntN(20) == 0 {
			s.old = backup{slices.Clone(s.disk), s.roster}
		}
		n := s.writing.Number
		s.writing = writing{}
		s.core.Saved(n)
		w.collect(s)
		return
	}
	b, ok := s.core.Batch()
	if !ok {
		return
	}
	whole := s.writing.whole
	if whole == nil {
		whole = map[string]bool{}
	}
	for i, item := range b.Items {
		if data, ok := s.core.Snapshot(item.Key); ok && w.r.IntN(3) == 0 {
			b.Items[i].Data, whole[item.Key] = data, true
		}
	}
	b.Items = append(s.writing.Items, b.Items...)
	s.writing = writing{b, whole}
}

func (w *world[S]) site(name string) *site[S] {
	return w.sites[slices.IndexFunc(w.sites, func(s *site[S]) bool { return s.name == name })]
}

// update makes one element at a site, or removes one.
func (w *world[S]) update(s *site[S]) {
	key := fmt.Sprint("k", w.r.IntN(3))
	element := fmt.Sprint("e", w.elements)
	removing := w.lose != nil && w.r.IntN(5) == 0
	changed := s.core.Update(key, func(state S, me crdt.ReplicaID) S {
		if removing {
			delta, lost := w.lose(w.r, state, me)
			if lost != "" {
				w.gone[lost] = true
			}
			return delta
		}
		w.elements++
		w.made(s, element)
		return w.make(state, me, element)
	})
	if !removing {
		copies := 1 + w.r.IntN(4)
		ticket := uint64(len(w.tickets))
		w.tickets[ticket], w.copies[ticket], w.before[ticket] = element, copies, w.losses
		s.core.Hold(ticket, key, changed, copies)
	}
	if w.r.IntN(3) > 0 {
		s.core.Flush()
	}
	w.collect(s)
}

// deliver takes one letter to where it is for, if that can be reached.
func (w *world[S]) deliver(i int, loss, twice float64) {
	l := w.letters[i]
	if w.r.Float64() >= twice {
		w.letters[i] = w.letters[len(w.letters)-1]
		w.letters = w.letters[:len(w.letters)-1]
	}
	to := w.site(l.to)
	if to.core == nil || to.group != w.site(l.from).group || w.r.Float64() < loss {
		return
	}
	to.core.Step(l.msg)
	w.collect(to)
}

// step does one random thing.
func (w *world[S]) step() {
	s := w.sites[w.r.IntN(sites)]
	deed := w.r.IntN(100)
	switch {
	case w.forgets && w.r.IntN(60) == 0:
		w.forget(s)
	case w.forgets && w.r.IntN(60) == 0:
		w.calm()
	case deed < 50 && len(w.letters) > 0:
		w.deliver(w.r.IntN(len(w.letters)), 0.1, 0.1)
	case deed < 51:
		groups := 1 + w.r.IntN(3)
		for _, s := range w.sites {
			s.group = w.r.IntN(groups)
		}
	case s.core == nil:
		if deed < 60 && !s.gone {
			if s.durable && deed < 53 {
				w.wipe(s)
			} else if s.durable && deed < 54 {
				w.turnBack(s)
			}
			w.start(s)
		}
	case deed < 53:
		w.crash(s)
	case deed < 75:
		w.update(s)
	case deed < 85:
		s.core.Tick()
		w.collect(s)
	case s.durable:
		w.save(s)
	}
}

// heal ends all faults and lets time pass until all are equal.
func (w *world[S]) heal() error {
	for _, s := range w.sites {
		s.group = 0
		if s.core == nil && !s.gone {
			w.start(s)
		}
	}
	for round := range 60 {
		if round%20 == 0 { // who was told before may have been restarted
			w.forgetGone()
		}
		for _, s := range w.there() {
			s.core.Tick()
			w.collect(s)
		}
		for n := 0; len(w.letters) > 0; n++ {
			if n > 100_000 {
				return fmt.Errorf("letters without end, such as %+v", w.letters[0])
			}
			w.deliver(w.r.IntN(len(w.letters)), 0, 0)
			if s := w.sites[w.r.IntN(sites)]; n%5 == 0 && !s.gone {
				w.save(s)
			}
		}
		for _, s := range w.there() {
			for range 4 { // as many parts as there are keys
				w.save(s)
			}
		}
		if w.equal() == nil && w.folded() == nil && len(w.letters) == 0 {
			return nil
		}
	}
	return fmt.Errorf("not equal in the end: %w, %w", w.equal(), w.folded())
}

// equal returns an error if two sites differ.
func (w *world[S]) equal() error {
	sites := w.there()
	first := sites[0].core
	for _, s := range sites[1:] {
		if !slices.Equal(s.core.Keys(), first.Keys()) {
			return fmt.Errorf("%s has %v, %s has %v", s.name, s.core.Keys(), sites[0].name, first.Keys())
		}
		for _, key := range first.Keys() {
			a, _ := first.State(key)
			b, _ := s.core.State(key)
			if !a.Equal(b) {
				return fmt.Errorf("%s and %s differ in %s", s.name, sites[0].name, key)
			}
		}
	}
	return nil
}

// folded returns an error if an earlier replica has left anything.
func (w *world[S]) folded() error {
	for _, s := range w.there() {
		for _, key := range s.core.Keys() {
			state, _ := s.core.State(key)
			if err := w.tidy(state); err != nil {
				return fmt.Errorf("%s in %s: %w", s.name, key, err)
			}
			if f, ok := any(state).(crdt.Folder[S]); ok && f.Foldable(s.core.ID()) {
				return fmt.Errorf("%s has not folded %s", s.name, key)
			}
		}
	}
	return nil
}

// verdict checks what is there in the end.
func (w *world[S]) verdict() error {
	has := map[string]bool{}
	last := w.there()[0]
	for _, e := range w.holds(last) {
		has[e] = true
	}
	doubtful := maps.Clone(w.doubtful)
	for _, c := range w.claims {
		if w.rash[c.element] || w.losses-c.losses >= c.copies {
			continue
		}
		delete(doubtful, c.element)
		if !has[c.element] && !w.gone[c.element] {
			return fmt.Errorf("%s was acknowledged with %d copies and is lost after %d losses", c.element, c.copies, w.losses-c.losses)
		}
	}
	for _, key := range last.core.Keys() {
		state, _ := last.core.State(key)
		if err := w.check(state, doubtful); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// runSchedule runs one schedule and returns what it did.
func runSchedule[S crdt.State[S]](sub subject[S], seed uint64, forgets bool) (*world[S], error) {
	w := newWorld(sub, seed)
	w.forgets = forgets
	for range 150 + w.r.IntN(250) {
		w.step()
	}
	w.count()
	if err := w.heal(); err != nil {
		return w, err
	}
	return w, w.verdict()
}

func mustRun[S crdt.State[S]](t *testing.T, sub subject[S], seed uint64, forgets bool) *world[S] {
	t.Helper()
	w, err := runSchedule(sub, seed, forgets)
	if err != nil {
		t.Fatalf("schedule %d: %v", seed, err)
	}
	return w
}
