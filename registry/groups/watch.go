package groups

import (
	"fmt"
	"slices"
	"sync"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
)

// watchers are those who want to know. Its lock may be taken within shared.Do.
type watchers struct {
	mu     sync.Mutex
	last   uint64
	groups map[string][]watcher // by group; "" is all groups
}

// watcher is told by tell, until it is cancelled. pid is not zero if it is a
// process.
type watcher struct {
	id   uint64
	pid  actor.PID
	tell func(Event)
}

func (w *watchers) init() { w.groups = make(map[string][]watcher) }

// add adds a watcher of group, or of all groups if that is empty.
func (w *watchers) add(group string, pid actor.PID, tell func(Event)) (id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	w.groups[group] = append(w.groups[group], watcher{w.last, pid, tell})
	return w.last
}

// remove removes those watchers of group that are gone.
func (w *watchers) remove(group string, gone func(watcher) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removeLocked(group, gone)
}

func (w *watchers) removeLocked(group string, gone func(watcher) bool) {
	left := slices.DeleteFunc(slices.Clone(w.groups[group]), gone)
	if len(left) == 0 {
		delete(w.groups, group)
		return
	}
	w.groups[group] = left
}

// drop removes the watches of a process that has ended.
func (w *watchers) drop(pid actor.PID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for group := range w.groups {
		w.removeLocked(group, func(o watcher) bool { return o.pid == pid })
	}
}

// processes are those that watch.
func (w *watchers) processes() []actor.PID {
	w.mu.Lock()
	defer w.mu.Unlock()
	var pids []actor.PID
	for _, list := range w.groups {
		for _, o := range list {
			if !o.pid.IsZero() {
				pids = append(pids, o.pid)
			}
		}
	}
	return pids
}

// of returns who watches group. The slices are not changed any more.
func (w *watchers) of(group string) (one, all []watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.groups[group], w.groups[""]
}

// there reports whether the watcher of group with that id is not cancelled.
func (w *watchers) there(group string, id uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.groups[group], func(o watcher) bool { return o.id == id })
}

// Watch calls f whenever somebody joins or leaves group, until cancel is
// called: first, if there are members, with those, and then with each change,
// none left out. All calls come from one goroutine, one after the other, in the
// order in which this node saw the changes; f should be quick and may call any
// method but Close. After cancel has returned, no further call begins.
func (g *Groups) Watch(group string, f func(Event)) (cancel func()) {
	if group == "" {
		return func() {} // there is no such group, and will never be
	}
	return g.begin(group, f)
}

// WatchAll is Watch for all groups, those to come included. It is
// pg:monitor_scope/0.
func (g *Groups) WatchAll(f func(Event)) (cancel func()) {
	return g.begin("", f)
}

// Monitor sends an [Event] to the local process pid whenever somebody joins or
// leaves group, until the process has ended or cancel is called. It returns the
// members at that moment; every later change is an Event. It fails with
// ErrInvalidGroup or ErrNotLocal. It is pg:monitor/1.
func (g *Groups) Monitor(group string, pid actor.PID) (members []Member, cancel func(), err error) {
	switch {
	case group == "" || len(group) > MaxName:
		return nil, nil, fmt.Errorf("%w: a name of %d bytes", ErrInvalidGroup, len(group))
	case pid.IsZero() || pid.NodeHandle() != g.sys.NodeHandle():
		return nil, nil, fmt.Errorf("%w: %v", ErrNotLocal, pid)
	}
	// It can only fail when the process has ended.
	tell := func(e Event) { _ = g.sys.Send(pid, e) }
	cancel = g.watch(group, pid, tell, func(_ uint64, _ string, all []Member) { members = all })
	g.mind(pid)
	return members, cancel, nil
}

// watch adds a watcher. present is called with each group that there is already.
func (g *Groups) watch(group string, pid actor.PID, f func(Event), present func(id uint64, name string, all []Member)) (cancel func()) {
	var id uint64
	// Within Do, so that no change comes between.
	g.shared.Do(func(*ledger.Ledger[record]) {
		id = g.watchers.add(group, pid, f)
		self := g.sys.NodeHandle()
		if group == "" {
			for name, entry := range g.groups.All() {
				present(id, name, (*entry).look(self).all)
			}
		} else if entry := g.groups.Get(group); entry != nil {
			present(id, group, (*entry).look(self).all)
		}
	})
	return func() { g.watchers.remove(group, func(o watcher) bool { return o.id == id }) }
}

// begin is a watch whose watcher is told first who is there.
func (g *Groups) begin(group string, f func(Event)) (cancel func()) {
	return g.watch(group, actor.PID{}, f, func(id uint64, name string, all []Member) {
		g.post(group, id, f, Event{Group: name, Joined: all})
	})
}

// tell lets the watchers of a group know. It belongs to shared.Do.
func (g *Groups) tell(e Event) {
	one, all := g.watchers.of(e.Group)
	for _, w := range one {
		g.post(e.Group, w.id, w.tell, e)
	}
	for _, w := range all {
		g.post("", w.id, w.tell, e)
	}
}

func (g *Groups) post(group string, id uint64, f func(Event), e Event) {
	g.board.Post(func() {
		if g.watchers.there(group, id) {
			f(e)
		}
	})
}
