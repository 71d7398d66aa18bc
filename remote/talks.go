package remote

import (
	"fmt"
	"sync"
	"time"

	"github.com/topos-go/topos/actor"
)

const (
	// maxTalks bounds how many labels of causal delivery a node takes part in:
	// a label is kept as long as the node lives.
	maxTalks = 1024
	// maxLabel bounds a label's length in bytes.
	maxLabel = 255
	// maxDead bounds how many of the dead are remembered, of whom others may
	// still tell.
	maxDead = 1024
)

// talks are the labels of causal delivery, and who is dead to them.
//
// A node that is lost is not dead yet: acknowledged messages outlive that. It is
// when it has left, or a later incarnation of it has come, or it has been away
// for so long that all messages to and from it have been given up.
type talks struct {
	mu      sync.Mutex
	byLabel map[string]*talk
	dead    map[actor.NodeID]struct{} // for good
	order   []actor.NodeID            // of dead, the longest first
	away    []absence                 // in the order in which they are due
	timer   *time.Timer               // for the first of away
	closed  bool
}

// absence is a node that is down and may come back.
type absence struct {
	id  actor.NodeID
	due time.Time // when it is dead
}

// talk returns the label's, making it if need be.
func (n *Node) talk(label string) (*talk, error) {
	ts := &n.talks
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.byLabel[label]; t != nil {
		return t, nil
	}
	switch {
	case ts.closed:
		return nil, ErrClosed
	case len(label) > maxLabel:
		return nil, fmt.Errorf("%w: one of %d bytes", ErrLabel, len(label))
	case len(ts.byLabel) >= maxTalks:
		return nil, fmt.Errorf("%w: there are %d", ErrLabel, maxTalks)
	}
	if ts.byLabel == nil {
		ts.byLabel = make(map[string]*talk)
	}
	t := newTalk(n, label)
	ts.byLabel[label] = t
	return t, nil
}

// all returns the talks there are.
func (ts *talks) all() []*talk {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	list := make([]*talk, 0, len(ts.byLabel))
	for _, t := range ts.byLabel {
		list = append(list, t)
	}
	return list
}

// isDead reports whether id is known not to come back.
func (ts *talks) isDead(id actor.NodeID) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	_, dead := ts.dead[id]
	return dead
}

// bury says that id does not come back.
func (ts *talks) bury(id actor.NodeID) {
	ts.mu.Lock()
	ts.returnedLocked(id)
	if ts.dead == nil {
		ts.dead = make(map[actor.NodeID]struct{})
	}
	if _, known := ts.dead[id]; !known {
		ts.dead[id] = struct{}{}
		ts.order = append(ts.order, id)
	}
	if len(ts.order) > maxDead {
		delete(ts.dead, ts.order[0])
		ts.order = ts.order[1:]
	}
	ts.mu.Unlock()
	for _, t := range ts.all() {
		t.obituary(id, true)
	}
}

// miss says that id is down and may come back until after.
func (ts *talks) miss(id actor.NodeID, after time.Duration) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.closed {
		return
	}
	ts.returnedLocked(id)
	ts.away = append(ts.away, absence{id, time.Now().Add(after)})
	if ts.timer == nil {
		ts.timer = time.AfterFunc(after, ts.overdue)
	} else if len(ts.away) == 1 {
		ts.timer.Reset(after)
	}
}

// overdue gives those up who have been away for too long.
func (ts *talks) overdue() {
	now := time.Now()
	var due []actor.NodeID
	ts.mu.Lock()
	for len(ts.away) > 0 && !ts.away[0].due.After(now) && !ts.closed {
		due = append(due, ts.away[0].id)
		ts.away = ts.away[1:]
	}
	if len(ts.away) > 0 && !ts.closed {
		ts.timer.Reset(max(ts.away[0].due.Sub(now), soon))
	}
	ts.mu.Unlock()
	for _, t := range ts.all() {
		for _, id := range due {
			t.obituary(id, false)
		}
	}
}

// returned says that id is not down, and returns its earlier incarnations that
// were: they are dead.
func (ts *talks) returned(id actor.NodeID) (dead []actor.NodeID) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.returnedLocked(id)
	for _, a := range ts.away {
		if a.id.Name == id.Name && id.Incarnation.Newer(a.id.Incarnation) {
			dead = append(dead, a.id)
		}
	}
	return dead
}

func (ts *talks) returnedLocked(id actor.NodeID) {
	for i, a := range ts.away {
		if a.id == id {
			ts.away = append(ts.away[:i:i], ts.away[i+1:]...)
			return
		}
	}
}

// close ends all talks.
func (ts *talks) close() {
	ts.mu.Lock()
	ts.closed = true
	if ts.timer != nil {
		ts.timer.Stop()
	}
	ts.mu.Unlock()
	for _, t := range ts.all() {
		t.close()
	}
}

// held returns how many labels there are, and how many messages wait in them.
func (ts *talks) held() (labels, waiting int) {
	for _, t := range ts.all() {
		labels++
		waiting += t.held()
	}
	return labels, waiting
}
