package replica

import (
	"slices"
	"strings"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// saving is what has changed and is not on disk yet. Changes gather in a batch
// while the one before is being written, so that a slow disk makes batches
// larger and not more.
type saving[S crdt.State[S]] struct {
	changes map[string]unsaved[S]
	taken   uint64 // batches
	saved   uint64
	held    []confirmation // in the order of their batches
	edits   uint64         // of the roster, when it was taken last
}

// confirmation is a message that must wait for a batch.
type confirmation struct {
	batch uint64
	to    string
	msg   any
}

// Batch is what is to be saved together, all of it or nothing.
type Batch struct {
	Number uint64
	Items  []Item   // deltas, sorted by key
	Roster []Member // nil if it has not changed since
}

// unsaved is a delta that is not on disk yet.
type unsaved[S any] struct {
	delta  S
	shared bool // it is not this replica's to change
}

func (s *saving[S]) add(key string, delta S) {
	if s.changes == nil {
		s.changes = make(map[string]unsaved[S])
	}
	u, ok := s.changes[key]
	if !ok {
		s.changes[key] = unsaved[S]{delta, true}
		return
	}
	if u.shared {
		u = unsaved[S]{delta: u.delta.Clone()}
		s.changes[key] = u
	}
	u.delta.Join(delta)
}

// needed returns the batch that has to be saved for all to be.
func (s *saving[S]) needed() uint64 {
	if len(s.changes) > 0 {
		return s.taken + 1
	}
	return s.taken
}

// Batch returns what is to be saved next, or false if that is nothing or the
// batch before is not saved.
func (c *Core[S]) Batch() (Batch, bool) {
	s := &c.saving
	if c.moves.busy() || s.taken != s.saved || len(s.changes) == 0 && s.edits == c.edits {
		return Batch{}, false
	}
	s.taken++
	b := Batch{Number: s.taken, Items: make([]Item, 0, len(s.changes))}
	for key, u := range s.changes {
		b.Items = append(b.Items, Item{Key: key, Data: encode(u.delta)})
	}
	slices.SortFunc(b.Items, func(x, y Item) int { return strings.Compare(x.Key, y.Key) })
	s.changes = nil
	if s.edits != c.edits {
		s.edits = c.edits
		b.Roster = c.Roster()
	}
	return b, true
}

// Saved notes that a batch is on disk: what it holds is confirmed to others.
func (c *Core[S]) Saved(number uint64) {
	s := &c.saving
	s.saved = max(s.saved, number)
	n := 0
	for n < len(s.held) && s.held[n].batch <= s.saved {
		c.send(s.held[n].to, s.held[n].msg)
		n++
	}
	s.held = slices.Delete(s.held, 0, n)
	c.finish()
}

// Snapshot returns the encoded state under key, for a disk on which its deltas
// have become many; false if there is none. It may hold more than was saved.
func (c *Core[S]) Snapshot(key string) ([]byte, bool) {
	if e := c.find(key); e != nil {
		return encode(e.state), true
	}
	return nil, false
}

// confirm sends a message once all that is known now is on disk.
func (c *Core[S]) confirm(to string, msg any) {
	if batch := c.saving.needed(); c.cfg.Durable && batch > c.saving.saved {
		c.saving.held = append(c.saving.held, confirmation{batch, to, msg})
		return
	}
	c.send(to, msg)
}

// acknowledge tells node, whose replica is id, how much of its log is held.
func (c *Core[S]) acknowledge(node, id string, upTo uint64) {
	c.confirm(node, Ack{Node: c.cfg.Node, ID: string(c.cfg.ID), Of: id, UpTo: upTo})
}
