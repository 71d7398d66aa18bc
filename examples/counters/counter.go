package main

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

// Messages to the guarded counter of a node.
type (
	// Increment asks it to count one. The reply is true.
	Increment struct{}
	// read asks for a reading. IDs are the replicas of all nodes, by node.
	read struct{ IDs map[string]crdt.ReplicaID }
)

// reading is what one node knows of the count.
type reading struct {
	ID    crdt.ReplicaID   // of this node's replica, once it has counted
	Value int64            // the count
	Parts map[string]int64 // what each node has contributed to it
}

// classify says to a guard that increments are what is to be refused.
func classify(msg any) partition.Class {
	if _, ok := msg.(Increment); ok {
		return partition.Write
	}
	return partition.Read
}

const (
	counterName actor.Name = "counter"
	replicaName actor.Name = "replica of counter"
)

// replicated counts in a replica: its state joins by itself.
type replicated struct{ id crdt.ReplicaID }

func (r *replicated) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case Increment:
		var id crdt.ReplicaID
		err := crdtactor.Update(self.Context(), self, replicaName, func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter {
			id = me
			return c.Add(me, 1)
		})
		if err != nil {
			return self.ReplyError(err)
		}
		r.id = id
		return self.Reply(true)
	case read:
		now := reading{ID: r.id, Parts: make(map[string]int64)}
		err := crdtactor.View(self.Context(), self, replicaName, func(c *crdt.PNCounter) {
			now.Value = c.Value()
			for node, id := range m.IDs {
				now.Parts[node] = c.Share(id).Value()
			}
		})
		if err != nil {
			return self.ReplyError(err)
		}
		return self.Reply(now)
	}
	return nil
}

// tally counts by itself: guards bring the increments of other nodes.
type tally struct{ parts map[string]int64 }

func (t *tally) Receive(self *actor.Self, msg any) error {
	if _, ok := msg.(read); !ok {
		return nil
	}
	now := reading{Parts: maps.Clone(t.parts)}
	for _, n := range t.parts {
		now.Value += n
	}
	return self.Reply(now)
}

func (t *tally) Apply(_ *actor.Self, op partition.Operation) (reply any, err error) {
	t.parts[short(op.Origin.Node)]++
	return true, nil
}

func (t *tally) Snapshot() ([]byte, error) { return json.Marshal(t.parts) }

func (t *tally) Restore(data []byte) error {
	t.parts = make(map[string]int64)
	return json.Unmarshal(data, &t.parts)
}

// short is what people call a node.
func short(node string) string {
	name, _, _ := strings.Cut(node, "@")
	return name
}
