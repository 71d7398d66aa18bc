package strong

import (
	"crypto/rand"
	"strings"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/topos-go/topos/actor"
)

// A ServerID says who a replica is. In memory it is the node's incarnation; with
// a folder, a text that is kept in it with the node's name.

// folderMark is what the ID of a replica with a folder begins with.
const folderMark = "#"

func memoryID(node actor.NodeID) raft.ServerID { return raft.ServerID(node.String()) }

func newFolderID(node actor.NodeID) raft.ServerID {
	return raft.ServerID(folderMark + rand.Text() + folderMark + node.Name)
}

// folderName returns the node's name in an ID of a replica with a folder.
func folderName(id raft.ServerID) (name string, ok bool) {
	rest, ok := strings.CutPrefix(string(id), folderMark)
	if !ok {
		return "", false
	}
	_, name, ok = strings.Cut(rest, folderMark)
	return name, ok
}

// roster knows which nodes are up. It is safe for concurrent use.
type roster struct {
	self actor.NodeID

	mu     sync.RWMutex
	byName map[string]actor.NodeID
}

func newRoster(self actor.NodeID) *roster {
	return &roster{self: self, byName: map[string]actor.NodeID{self.Name: self}}
}

// saw notes that a node came up or went down.
func (r *roster) saw(node actor.NodeID, up bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case up:
		r.byName[node.Name] = node
	case r.byName[node.Name] == node && node != r.self:
		delete(r.byName, node.Name)
	}
}

// named returns the node with a name, if it is up.
func (r *roster) named(name string) (actor.NodeID, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	node, ok := r.byName[name]
	return node, ok
}

// locate returns the node of a replica, if it is up.
func (r *roster) locate(id raft.ServerID) (actor.NodeID, bool) {
	if name, ok := folderName(id); ok {
		return r.named(name)
	}
	node, err := actor.ParseNodeID(string(id))
	if err != nil {
		return actor.NodeID{}, false
	}
	now, ok := r.named(node.Name)
	return now, ok && now == node
}

// gone reports whether a replica will not come back: it was in memory, and its
// node has been started anew.
func (r *roster) gone(id raft.ServerID) bool {
	if _, ok := folderName(id); ok {
		return false
	}
	node, err := actor.ParseNodeID(string(id))
	if err != nil {
		return false
	}
	now, ok := r.named(node.Name)
	return ok && now.Incarnation.Newer(node.Incarnation)
}

// others are the nodes that are up, but for this one.
func (r *roster) others() []actor.NodeID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	nodes := make([]actor.NodeID, 0, len(r.byName))
	for _, node := range r.byName {
		if node != r.self {
			nodes = append(nodes, node)
		}
	}
	return nodes
}
