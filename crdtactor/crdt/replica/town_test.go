package replica_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

type counter = replica.Core[*crdt.PNCounter]

// town is a few nodes with counters, and what happens between them, step by
// step.
type town struct {
	t       *testing.T
	cores   map[string]*counter
	disks   map[string]*backup // of those that have one
	runs    map[string]uint64
	ended   []crdt.ReplicaID // that were outdated
	lost    func(from, to string, msg any) bool
	letters []letter // that came by, lost or not
}

func newTown(t *testing.T, names ...string) *town {
	w := &town{t: t, cores: map[string]*counter{}, disks: map[string]*backup{}, runs: map[string]uint64{}}
	for _, name := range names {
		w.start(name)
	}
	w.carry()
	return w
}

// start starts a node anew, with what its disk has.
func (w *town) start(name string) {
	w.runs[name]++
	core := replica.New(replica.Config[*crdt.PNCounter]{Node: name, ID: crdt.Incarnation(name, w.runs[name]), Durable: w.disks[name] != nil,
		New: func() *crdt.PNCounter { return new(crdt.PNCounter) }})
	if disk := w.disks[name]; disk != nil {
		for _, item := range disk.disk {
			if err := core.Restore(item.Key, item.Data); err != nil {
				w.t.Fatal(err)
			}
		}
		core.Enroll(disk.roster)
	}
	w.cores[name] = core
	w.see()
	core.Greet()
}

// stop ends a node.
func (w *town) stop(name string) {
	delete(w.cores, name)
	w.see()
}

func (w *town) names() []string {
	var names []string
	for name := range w.cores {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (w *town) see() {
	for _, name := range w.names() {
		others := slices.DeleteFunc(w.names(), func(other string) bool { return other == name })
		w.cores[name].See(others, slices.Clone(others))
	}
}

// add counts n at a node.
func (w *town) add(name string, n int64) {
	w.cores[name].Update("key", func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter { return c.Add(me, n) })
	w.cores[name].Flush()
}

// carry saves what is to be saved and delivers what is sent, until there is
// nothing.
func (w *town) carry() {
	rounds := 0
	for moved := true; moved; rounds++ {
		if moved = false; rounds > 10_000 {
			w.t.Fatalf("there is no end of letters, of which %d came by", len(w.letters))
		}
		for _, name := range w.names() {
			core := w.cores[name]
			if batch, ok := core.Batch(); ok && w.disks[name] != nil {
				w.disks[name].disk = append(w.disks[name].disk, batch.Items...)
				if batch.Roster != nil {
					w.disks[name].roster = batch.Roster
				}
				core.Saved(batch.Number)
			}
			out := core.Take()
			if out.Outdated != "" {
				w.ended = append(w.ended, core.ID())
				w.start(name)
			}
			for _, e := range out.Out {
				moved = true
				w.letters = append(w.letters, letter{name, e.To, e.Msg})
				if to := w.cores[e.To]; to != nil && (w.lost == nil || !w.lost(name, e.To, e.Msg)) {
					to.Step(e.Msg)
				}
			}
		}
	}
}

// periods lets time pass.
func (w *town) periods(n int) {
	for range n {
		for _, name := range w.names() {
			w.cores[name].Tick()
			w.carry()
		}
	}
}

// state returns what a node has.
func (w *town) state(name string) *crdt.PNCounter {
	if state, ok := w.cores[name].State("key"); ok {
		return state
	}
	return new(crdt.PNCounter)
}

// entries returns whose entries a node has of its own.
func (w *town) entries(name string) (list []string) {
	for lineage := range w.state(name).Lives() {
		list = append(list, lineage)
	}
	return list
}

// member returns what a node knows of another.
func (w *town) member(at, of string) replica.Member {
	for _, m := range w.cores[at].Roster() {
		if m.Node == of {
			return m
		}
	}
	return replica.Member{}
}

// requireAll fails unless every node shows the value and has these entries.
func (w *town) requireAll(value int64, entries ...string) {
	w.t.Helper()
	for _, name := range w.names() {
		if got := w.state(name).Value(); got != value || !slices.Equal(w.entries(name), entries) {
			w.t.Fatalf("%s shows %d and has entries of %v, not %d and %v", name, got, w.entries(name), value, entries)
		}
	}
}

// cut loses whatever goes between the named node and others.
func cut(name string) func(from, to string, _ any) bool {
	return func(from, to string, _ any) bool { return from == name || to == name }
}

// losing loses messages of some types.
func losing(kinds ...string) func(from, to string, msg any) bool {
	return func(_, _ string, msg any) bool {
		return slices.Contains(kinds, strings.TrimPrefix(fmt.Sprintf("%T", msg), "replica."))
	}
}

// send lets a letter arrive once more.
func (w *town) send(l letter) {
	w.cores[l.to].Step(l.msg)
	w.carry()
}
