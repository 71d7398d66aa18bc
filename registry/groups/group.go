package groups

import (
	"encoding/binary"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
)

// record is what is known of one process in one group: the metadata of each of
// its memberships, in the order joined.
type record struct {
	_        struct{} `cbor:",toarray"`
	Metadata []map[string]string
}

// weight is about how many bytes a record has on the wire.
func (r record) weight() int {
	n := 4
	for _, m := range r.Metadata {
		n += 2
		for k, v := range m {
			n += len(k) + len(v) + 4
		}
	}
	return n
}

// keyOf is the ledger's key of a process's memberships in a group: the group and
// the process's number.
func keyOf(group string, pid actor.PID) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], pid.ID())
	return group + string(b[:])
}

// parseKey takes apart what keyOf made. It reports false for anything else.
func parseKey(key string) (group string, id uint64, ok bool) {
	n := len(key) - 8
	if n < 1 {
		return "", 0, false
	}
	id = binary.BigEndian.Uint64([]byte(key[n:]))
	return key[:n], id, id != 0
}

// group is who is in one group, on all nodes. It belongs to shared.Do, but for
// the view.
type group struct {
	name    string
	members map[actor.PID][]map[string]string
	// current is nil after a change until somebody looks: who joins a large
	// group need not make a list of it each time.
	current atomic.Pointer[view]
}

// view is a group at one moment.
type view struct{ all, local []Member }

// view returns the members of the group called name, nil if there is none.
func (g *Groups) view(name string) *view {
	entry := g.groups.Get(name)
	if entry == nil {
		return nil
	}
	if v := (*entry).current.Load(); v != nil {
		return v
	}
	return g.makeView(*entry)
}

func (g *Groups) makeView(gr *group) (v *view) {
	g.shared.Do(func(*ledger.Ledger[record]) { v = gr.look(g.sys.NodeHandle()) })
	return v
}

// look makes the view, if it is not there.
func (gr *group) look(self actor.NodeHandle) *view {
	if v := gr.current.Load(); v != nil {
		return v
	}
	v := new(view)
	for _, pid := range slices.SortedFunc(maps.Keys(gr.members), comparePIDs) {
		for _, metadata := range gr.members[pid] {
			m := Member{PID: pid, Metadata: metadata}
			v.all = append(v.all, m)
			if pid.NodeHandle() == self {
				v.local = append(v.local, m)
			}
		}
	}
	gr.current.Store(v)
	return v
}

func comparePIDs(a, b actor.PID) int {
	if a.NodeHandle() != b.NodeHandle() {
		if a.Node().Less(b.Node()) {
			return -1
		}
		return 1
	}
	switch {
	case a.ID() < b.ID():
		return -1
	case a.ID() > b.ID():
		return 1
	}
	return 0
}

// follow carries a change of the ledger into its group, and tells watchers. It
// belongs to shared.Do.
func (g *Groups) follow(c *ledger.Change[record]) {
	name, id, ok := parseKey(c.Key)
	if !ok {
		return // from a node that does not keep the rules
	}
	pid := actor.MakePID(c.Owner, id)
	joined, left := differ(pid, c.Old.Metadata, c.New.Metadata)
	var gr *group
	if entry := g.groups.Get(name); entry != nil {
		gr = *entry
	} else {
		gr = &group{name: name, members: make(map[actor.PID][]map[string]string)}
		g.groups.Set(name, gr, struct{}{})
	}
	if len(c.New.Metadata) > 0 {
		gr.members[pid] = c.New.Metadata
	} else {
		delete(gr.members, pid)
	}
	if c.Owner == g.sys.NodeHandle() {
		g.note(pid, name, len(c.New.Metadata) > 0)
	}
	gr.current.Store(nil)
	if len(gr.members) == 0 {
		g.groups.Delete(name)
	}
	if len(joined)+len(left) > 0 {
		g.tell(Event{Group: name, Joined: joined, Left: left})
	}
}

// note notes whether the local process pid is in a group.
func (g *Groups) note(pid actor.PID, name string, in bool) {
	switch {
	case !in:
		delete(g.mine[pid], name)
		if len(g.mine[pid]) == 0 {
			delete(g.mine, pid)
		}
	case g.mine[pid] == nil:
		g.mine[pid] = map[string]bool{name: true}
	default:
		g.mine[pid][name] = true
	}
}

// differ returns which memberships of pid are new and which are gone. Those
// that both lists begin with have stayed.
func differ(pid actor.PID, before, after []map[string]string) (joined, left []Member) {
	same := 0
	for same < len(before) && same < len(after) && maps.Equal(before[same], after[same]) {
		same++
	}
	return membersOf(pid, after[same:]), membersOf(pid, before[same:])
}

func membersOf(pid actor.PID, memberships []map[string]string) []Member {
	var members []Member
	for _, metadata := range memberships {
		members = append(members, Member{PID: pid, Metadata: metadata})
	}
	return members
}

// copied is a copy of metadata, nil if it is empty.
func copied(metadata map[string]string) map[string]string {
	if len(metadata) == 0 {
		return nil
	}
	return maps.Clone(metadata)
}
