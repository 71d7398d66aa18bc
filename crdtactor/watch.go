package crdtactor

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

// ErrNotLocal is returned by Notify for a process on another node, or for none.
var ErrNotLocal = errors.New("crdtactor: the process is on another node")

// Changed is what a process receives that [Notify] has told of a replica. The
// next one comes only after [Changed.Seen], and then has all that changed
// meanwhile: so a slow process is told less often, and not late.
type Changed struct {
	// Name is the replica's.
	Name actor.Name
	// Keys are the keys whose states have changed, sorted; of a Replica, which
	// has one state, the empty key.
	Keys []string

	to  actor.PID // the replica
	who *watcher  // that was told; the replica's
}

// Seen lets the next Changed come. It is for the process that has received c,
// best before it looks at the states.
func (c Changed) Seen(self actor.Sender) { _ = self.Send(c.to, seen{c.who}) }

// Watch lets f be called with a copy of the state whenever it has changed,
// first with what it is now, until stop is called or the replica ends. Changes that come while f
// runs are told together afterwards. f runs in a process of its own, never
// twice at a time; it may wait, and holds up nobody. If it panics it is not
// called any more. The replica must be on this node.
func Watch[S crdt.State[S]](ctx context.Context, from actor.Caller, to actor.Address, f func(state S)) (stop func(), err error) {
	return observe(ctx, from, to, watch[S]{keys: []string{""}, f: func(_ string, state S) { f(state) }})
}

// Notify lets the process pid, on this node, receive a [Changed] whenever the
// state has changed, until it ends or stop is called.
func Notify(ctx context.Context, from actor.Caller, to actor.Address, pid actor.PID) (stop func(), err error) {
	w, err := actor.Call[watching](ctx, from, to, notify{pid: pid, keys: []string{""}})
	return w.stop, err
}

func observe[S crdt.State[S]](ctx context.Context, from actor.Caller, to actor.Address, w watch[S]) (func(), error) {
	answer, err := actor.Call[watching](ctx, from, to, w)
	return answer.stop, err
}

// Requests about watching, which never leave the node.
type (
	watch[S any] struct {
		keys []string
		f    func(key string, state S)
	}
	notify struct {
		pid  actor.PID
		keys []string
	}
	watching struct{ stop func() }
	unwatch  struct{ who *watcher }
	seen     struct{ who *watcher }
)

// watcher is one process that is told of changes under some keys. Only the
// replica looks into it.
type watcher struct {
	pid   actor.PID
	keys  []string
	told  bool // of something that it has not seen
	dirty map[string]bool
	child bool // of the replica
}

// watches are the watchers of one replica. The zero watches are none.
type watches struct {
	byPID map[actor.PID][]*watcher
	byKey map[string][]*watcher
}

func (w *watches) any() bool { return len(w.byPID) > 0 }

// add lets pid be told of changes under keys.
func (w *watches) add(self *actor.Self, pid actor.PID, keys []string, child bool) *watcher {
	if w.byPID == nil {
		w.byPID, w.byKey = make(map[actor.PID][]*watcher), make(map[string][]*watcher)
	}
	added := &watcher{pid: pid, keys: keys, dirty: make(map[string]bool), child: child}
	if len(w.byPID[pid]) == 0 {
		self.Monitor(pid)
	}
	w.byPID[pid] = append(w.byPID[pid], added)
	for _, key := range keys {
		w.byKey[key] = append(w.byKey[key], added)
	}
	return added
}

// changed notes that the states under keys have changed, and tells.
func (w *watches) changed(self *actor.Self, name actor.Name, keys []string) {
	for _, key := range keys {
		for _, one := range w.byKey[key] {
			one.dirty[key] = true
			one.tell(self, name)
		}
	}
}

// tell sends what is dirty, unless the watcher has not seen the last of it.
func (w *watcher) tell(self *actor.Self, name actor.Name) {
	if w.told || len(w.dirty) == 0 {
		return
	}
	w.told = true
	c := Changed{Name: name, Keys: slices.Sorted(maps.Keys(w.dirty)), to: self.PID(), who: w}
	clear(w.dirty)
	_ = self.Send(w.pid, c) // if it has ended, its Down is on the way
}

func (w *watches) receive(self *actor.Self, name actor.Name, msg any) {
	switch m := msg.(type) {
	case seen:
		if slices.Contains(w.byPID[m.who.pid], m.who) {
			m.who.told = false
			m.who.tell(self, name)
		}
	case unwatch:
		w.remove(self, m.who)
	case actor.Down:
		if pid, ok := m.Of.(actor.PID); ok {
			for _, one := range slices.Clone(w.byPID[pid]) {
				w.remove(self, one)
			}
		}
	}
}

func (w *watches) remove(self *actor.Self, gone *watcher) {
	without := func(list []*watcher) []*watcher {
		return slices.DeleteFunc(list, func(one *watcher) bool { return one == gone })
	}
	if !slices.Contains(w.byPID[gone.pid], gone) {
		return
	}
	if w.byPID[gone.pid] = without(w.byPID[gone.pid]); len(w.byPID[gone.pid]) == 0 {
		delete(w.byPID, gone.pid)
	}
	for _, key := range gone.keys {
		if w.byKey[key] = without(w.byKey[key]); len(w.byKey[key]) == 0 {
			delete(w.byKey, key)
		}
	}
	if gone.child {
		_ = self.Exit(gone.pid, actor.ErrShutdown)
	}
}

// watch starts a process that calls m.f.
func (r *Replica[S]) watch(self *actor.Self, m watch[S]) error {
	pid, err := self.Spawn(&reporter[S]{f: m.f}, actor.Label("watcher of "+string(r.cfg.Name)))
	if err != nil {
		return self.ReplyError(err)
	}
	w := r.watches.add(self, pid, m.keys, true)
	r.core.Watch(true)
	for _, key := range m.keys {
		w.dirty[key] = true
	}
	w.tell(self, r.cfg.Name)
	return self.Reply(r.watching(self, w))
}

// notify lets a process be told.
func (r *Replica[S]) notify(self *actor.Self, m notify) error {
	if m.pid.IsZero() || m.pid.NodeHandle() != self.PID().NodeHandle() {
		return self.ReplyError(ErrNotLocal)
	}
	w := r.watches.add(self, m.pid, m.keys, false)
	r.core.Watch(true)
	return self.Reply(r.watching(self, w))
}

func (r *Replica[S]) watching(self *actor.Self, who *watcher) watching {
	system, to := self.System(), self.PID()
	return watching{stop: func() { _ = system.Send(to, unwatch{who}) }}
}

// reporter is the process that calls the function of one Watch.
type reporter[S crdt.State[S]] struct {
	f      func(key string, state S)
	parent actor.PID
}

// Init implements actor.Initializer: the reporter ends with its replica.
func (p *reporter[S]) Init(self *actor.Self) error {
	p.parent = self.Parent()
	self.Monitor(p.parent)
	return nil
}

// Receive implements actor.Actor.
func (p *reporter[S]) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case actor.Down:
		return actor.ErrNormal
	case Changed:
		m.Seen(self)
		for _, key := range m.Keys {
			state, err := actor.Call[S](self.Context(), self, p.parent, snapshot{key})
			if err != nil {
				return nil // the Down says why, or there will be another Changed
			}
			p.f(key, state)
		}
	}
	return nil
}

// snapshot asks for a copy of a state, as it is on this node.
type snapshot struct{ key string }
