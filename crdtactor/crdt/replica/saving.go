package replica

import (
	"slices"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// saving is what has changed and is not on disk yet. Changes gather in a batch
// while the one before is being written, so that a slow disk makes batches
// larger and not more.
type saving[S crdt.State[S]] struct {
	gathered[S]
	parts gathered[S] // of the batch that is being taken, and what comes is not in
	next  int         // of its keys
	open  bool        // a batch is being taken
	taken uint64      // batches, or begun
	saved uint64
	held  []confirmation // in the order of their batches
	edits uint64         // of the roster, when it was taken last
}

// gathered is deltas by key.
type gathered[S crdt.State[S]] struct {
	changes map[string]unsaved[S]
	keys    []string // in the order in which they came
}

// confirmation is a message that must wait for a batch.
type confirmation struct {
	batch uint64
	to    string
	msg   any
}

// Batch is what is to be saved, or a part of it: what has one Number is to be on
// disk together, all of it or nothing.
type Batch struct {
	Number uint64
	Items  []Item   // deltas, one a key
	Roster []Member // nil if it has not changed since
	Last   bool     // there are no more parts
}

// unsaved is a delta that is not on disk yet.
type unsaved[S any] struct {
	delta  S
	shared bool // it is not this replica's to change
}

func (s *gathered[S]) add(key string, delta S) {
	if s.changes == nil {
		s.changes = make(map[string]unsaved[S])
	}
	u, ok := s.changes[key]
	if !ok {
		s.changes[key] = unsaved[S]{delta, true}
		s.keys = append(s.keys, key)
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
// batch before is not saved. Many keys come in several parts, since all at once
// take longer than anybody should wait: while [Core.Busy], the next call returns
// the next part, and other calls may come between. What changes meanwhile is for
// the next batch; nothing is settled, so that a [Core.Snapshot] in the place of a
// delta says the same of that as the roster, which comes with the last part.
func (c *Core[S]) Batch() (Batch, bool) {
	s := &c.saving
	if !s.open {
		if c.moves.busy() || s.taken != s.saved || len(s.changes) == 0 && s.edits == c.edits {
			return Batch{}, false
		}
		s.taken++
		s.open, s.parts, s.next = true, s.gathered, 0
		s.gathered = gathered[S]{}
	}
	keys := s.parts.keys[s.next:]
	keys = keys[:min(c.cfg.AtOnce, len(keys))]
	b := Batch{Number: s.taken, Items: make([]Item, len(keys))}
	for i, key := range keys {
		b.Items[i] = Item{Key: key, Data: encode(s.parts.changes[key].delta)}
	}
	s.next += len(keys)
	if s.next < len(s.parts.keys) {
		return b, true
	}
	b.Last, s.open, s.parts = true, false, gathered[S]{}
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
