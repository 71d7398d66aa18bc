package supervisor

import "github.com/topos-go/topos/actor"

// family is the children of a supervisor in the order of their start, found by
// ID or by PID.
//
// Invariants:
//  1. A child is in the list exactly if it is in byID, except instances, which
//     have no IDs.
//  2. byPID holds for every child in the list with a non-zero pid that child.
type family struct {
	first, last *child
	count       int
	byID        map[string]*child
	byPID       map[actor.PID]*child
}

func (f *family) init() {
	f.byID = make(map[string]*child)
	f.byPID = make(map[actor.PID]*child)
}

// add puts c at the end. named says that it can be found by its ID.
func (f *family) add(c *child, named bool) {
	c.prev, c.next = f.last, nil
	if f.last == nil {
		f.first = c
	} else {
		f.last.next = c
	}
	f.last = c
	f.count++
	if named {
		f.byID[c.spec.ID] = c
	}
}

func (f *family) remove(c *child) {
	if f.byID[c.spec.ID] == c {
		delete(f.byID, c.spec.ID)
	}
	f.forget(c)
	f.unlink(c)
	f.count--
}

func (f *family) unlink(c *child) {
	if c.prev == nil {
		f.first = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		f.last = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}

// bind notes that pid is c's process now.
func (f *family) bind(c *child, pid actor.PID) {
	f.forget(c)
	c.pid = pid
	f.byPID[pid] = c
}

// forget takes c's last process from the record.
func (f *family) forget(c *child) {
	if f.byPID[c.pid] == c {
		delete(f.byPID, c.pid)
	}
	c.pid = actor.PID{}
}

// from returns the children from c on in the order of their start; all of
// them if c is nil.
func (f *family) from(c *child) []*child {
	if c == nil {
		c = f.first
	}
	var list []*child
	for ; c != nil; c = c.next {
		list = append(list, c)
	}
	return list
}

// reorder makes list, which holds all children and perhaps new ones, the order
// of start.
func (f *family) reorder(list []*child) {
	f.first, f.last, f.count = nil, nil, 0
	for _, c := range list {
		f.add(c, true)
	}
}
