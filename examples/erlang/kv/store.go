package main

import (
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
)

// storeName is the local name of each node's store.
const storeName = actor.Name("kv.store")

// Version orders the values of one key: the later wins, and of two that were
// written at the same time, that of the node with the higher name.
type Version struct {
	N    uint64
	Node string
}

func (v Version) newer(w Version) bool {
	return v.N > w.N || v.N == w.N && v.Node > w.Node
}

// Entry is a key with its newest value.
type Entry struct {
	Key, Value string
	Version    Version
}

// What stores are asked, by clients and by other nodes' movers.
type (
	// Read is answered with the Entry of the key, the zero one if there is none.
	Read struct{ Key string }
	// Write takes entries in, unless newer ones are there, and is answered with
	// how many were new.
	Write struct{ Entries []Entry }
	// Offer is answered with those of its keys that the store wants to be sent.
	Offer struct{ Versions map[string]Version }
)

// What a store is asked by the mover of its own node.
type (
	// list is answered with all entries.
	list struct{}
	// drop forgets those of the entries that have not changed since.
	drop struct{ entries []Entry }
)

// wireTypes are the types that travel between nodes.
func wireTypes() []any {
	return []any{Read{}, Write{}, Offer{}, Entry{}, Version{}}
}

// store keeps the entries of one node. It calls nobody, so nobody who calls it
// can wait for himself.
type store struct{ entries map[string]Entry }

func newStore() server.Server { return &store{entries: make(map[string]Entry)} }

func (s *store) HandleCall(self *actor.Self, req any) (server.Next, error) {
	switch m := req.(type) {
	case Read:
		return server.Next{}, self.Reply(s.entries[m.Key])
	case Write:
		return server.Next{}, self.Reply(s.write(m.Entries))
	case Offer:
		return server.Next{}, self.Reply(s.wanted(m.Versions))
	case list:
		all := make([]Entry, 0, len(s.entries))
		for _, e := range s.entries {
			all = append(all, e)
		}
		return server.Next{}, self.Reply(all)
	case drop:
		for _, e := range m.entries {
			if s.entries[e.Key].Version == e.Version {
				delete(s.entries, e.Key)
			}
		}
		return server.Next{}, self.Reply(len(s.entries))
	}
	return server.Next{}, self.ReplyError(fmt.Errorf("kv: no request %T", req))
}

func (s *store) write(entries []Entry) int {
	fresh := 0
	for _, e := range entries {
		if e.Version.newer(s.entries[e.Key].Version) {
			s.entries[e.Key] = e
			fresh++
		}
	}
	return fresh
}

func (s *store) wanted(versions map[string]Version) []string {
	keys := []string{}
	for key, v := range versions {
		if v.newer(s.entries[key].Version) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (s *store) HandleCast(*actor.Self, any) (server.Next, error) { return server.Next{}, nil }
