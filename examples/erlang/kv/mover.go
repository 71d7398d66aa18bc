package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

const (
	moverName = actor.Name("kv.mover")
	// every is how often a mover looks whether everything is where it belongs,
	// besides whenever a node comes or goes.
	every = 5 * time.Second
	// batch bounds one message of a hand-off, in entries.
	batch = 200
)

// cluster is what a mover needs of its node.
type cluster interface {
	Members() []actor.NodeID
	Watch(f func(node actor.NodeID, up bool)) (cancel func())
}

// spec is the tree of a node: a store that crashes has lost what it had, and the
// mover after it must begin anew.
func spec(c cluster) supervisor.Spec {
	return supervisor.Spec{
		Strategy: supervisor.RestForOne,
		Children: []supervisor.ChildSpec{
			{ID: "store", Start: startStore},
			{ID: "mover", Start: actor.Start(func() actor.Actor { return &mover{cluster: c} }, moverName)},
		},
	}
}

// mover brings what its node's store has to the nodes that own it: to the second
// owner of a key, to a node that has joined, and away from a node that owns a
// key no longer.
type mover struct {
	cluster cluster
	cancel  func()
}

// Messages to a mover: look now, and, from another node, send me what is mine.
type (
	look struct{}
	// Resend is sent by the mover of a store that has nothing.
	Resend struct{}
)

func (m *mover) Init(self *actor.Self) error {
	sys, pid := self.System(), self.PID()
	m.cancel = m.cluster.Watch(func(actor.NodeID, bool) { _ = sys.Send(pid, look{}) })
	self.Every(every, look{})
	for _, node := range m.others(self) {
		_ = self.Send(actor.NameAt{Node: node.Name, Name: moverName}, Resend{}) // who is not there looks when it is
	}
	return nil
}

func (m *mover) Terminate(*actor.Self, error) { m.cancel() }

func (m *mover) Receive(self *actor.Self, msg any) error {
	switch msg.(type) {
	case look, Resend:
		return m.pass(self)
	}
	return nil
}

func (m *mover) others(self *actor.Self) []actor.NodeID {
	return slices.DeleteFunc(m.cluster.Members(), func(n actor.NodeID) bool { return n == self.PID().Node() })
}

// pass looks at every entry once. What cannot be brought now is left for the
// next pass: the only error is that this node's own store does not answer.
func (m *mover) pass(self *actor.Self) error {
	entries, err := actor.Call[[]Entry](self.Context(), self, storeName, list{})
	if err != nil {
		return err
	}
	members := m.cluster.Members()
	due := make(map[actor.NodeID][]Entry)
	for _, e := range entries {
		for _, owner := range owners(e.Key, members) {
			due[owner] = append(due[owner], e)
		}
	}
	delete(due, self.PID().Node())
	failed := make(map[actor.NodeID]bool)
	for _, node := range members {
		if err := bring(self, node, due[node]); err != nil {
			failed[node] = true
			self.Logger().Info("hand-off is put off", "node", node, "reason", err)
		}
	}
	return m.forget(self, entries, members, failed)
}

// forget drops the entries that this node does not own, if all their owners have
// them.
func (m *mover) forget(self *actor.Self, entries []Entry, members []actor.NodeID, failed map[actor.NodeID]bool) error {
	var gone []Entry
	for _, e := range entries {
		who := owners(e.Key, members)
		if !slices.ContainsFunc(who, func(n actor.NodeID) bool { return failed[n] || n == self.PID().Node() }) {
			gone = append(gone, e)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	_, err := actor.Call[int](self.Context(), self, storeName, drop{gone})
	return err
}

// bring sends node those of the entries that it lacks, a batch at a time.
func bring(self *actor.Self, node actor.NodeID, entries []Entry) error {
	for part := range slices.Chunk(entries, batch) {
		if err := bringPart(self, node, part); err != nil {
			return err
		}
	}
	return nil
}

func bringPart(self *actor.Self, node actor.NodeID, entries []Entry) error {
	ctx, cancel := context.WithTimeout(self.Context(), every)
	defer cancel()
	offer := Offer{Versions: make(map[string]Version, len(entries))}
	for _, e := range entries {
		offer.Versions[e.Key] = e.Version
	}
	wanted, err := actor.Call[[]string](ctx, self, at(node), offer)
	if err != nil || len(wanted) == 0 {
		return err
	}
	slices.Sort(wanted)
	var missing []Entry
	for _, e := range entries {
		if _, ok := slices.BinarySearchFunc(wanted, e.Key, cmp.Compare[string]); ok {
			missing = append(missing, e)
		}
	}
	_, err = actor.Call[int](ctx, self, at(node), Write{missing})
	return err
}
