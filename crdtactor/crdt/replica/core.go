package replica

import (
	"slices"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// Config says what a [Core] is.
type Config[S crdt.State[S]] struct {
	// Node is the name of this node, the same after a restart.
	Node string
	// ID is the replica's own, never used before. If it is made by
	// crdt.Incarnation with Node as the lineage, what earlier ones of the node
	// left is folded into it.
	ID crdt.ReplicaID
	// New returns an empty state.
	New func() S
	// Backlog is how many changes are kept for neighbors that have not
	// acknowledged them. One further behind pulls. Zero means DefaultBacklog.
	Backlog int
	// Part is how many bytes of states one message may carry, roughly: a
	// larger state travels alone. Zero means DefaultPart.
	Part int
	// Few is up to how many keys are all named when states are compared: fewer
	// bytes than the hash tree takes. Zero means DefaultFew.
	Few int
	// Forward says that not every member is a neighbor of every other, so that
	// what is heard from one neighbor must be passed on to the rest.
	Forward bool
	// AtOnce is how many keys are gone through in one step where all must be.
	// Zero means DefaultAtOnce.
	AtOnce int
	// Durable says that a change counts as held only once [Core.Saved] says so.
	Durable bool
}

// MaxKey is the length of the longest key, in bytes: less than what a disk's
// pages take. Whoever updates sees to it.
const MaxKey = 4096

// Defaults of Config.
const (
	// DefaultBacklog is a second of a busy replica's changes.
	DefaultBacklog = 1024
	// DefaultAtOnce counters are settled in two or three milliseconds.
	DefaultAtOnce = 512
	// DefaultFew keys and digests are about as long as the sums of a branch.
	DefaultFew = 64
	// DefaultPart is well below what a node takes as one message, and small
	// enough not to hold up others for long.
	DefaultPart = 128 << 10
)

// Core is the copy of a keyed replicated state that one node holds, and all
// that it knows of the other nodes' copies. It belongs to one goroutine at a
// time. A Core is made with [New].
type Core[S crdt.State[S]] struct {
	cfg       Config[S]
	entries   map[string]*entry[S]
	last      *entry[S] // the one used last
	dirty     []*entry[S]
	tree      tree[S]
	log       log[S]
	peers     map[string]*peer
	neighbors []string // sorted
	members   []string // sorted
	holds     map[string]*holding
	writes    []*write[S]
	saving    saving[S]
	roster    map[string]Member
	rosterSum uint64 // equal on nodes with equal rosters
	edits     uint64 // of the roster
	losses    uint64 // how often a Member's Lost has grown, and 1
	unsettled int    // Members that have lost more than is settled
	settled   uint64 // equal on nodes that have settled the same
	books     books
	met       map[string]uint64                       // by lineage, above the starts of those with shares in states, if not settled
	look      func(lineage string, start uint64) bool // arrives
	moves     moves
	sweeping  sweeping
	sweeps    bool            // states are Sweepers
	folded    bool            // this replica has folded earlier ones
	briefed   map[string]bool // nodes that were sent the roster in this period
	stale     map[string]bool // keys with something to fold
	token     uint64
	busy      string          // the node whose hash tree is being walked
	deferred  map[string]bool // nodes whose trees are to be walked after it
	watched   bool
	out       Effects
}

// entry is the state under one key.
type entry[S any] struct {
	key   string
	state S
	sum   uint64 // of key and state, as it is in the tree
	dirty bool   // it has changed since
	moved uint64 // how many moves it has seen
}

// New returns a Core that holds nothing.
func New[S crdt.State[S]](cfg Config[S]) *Core[S] {
	if cfg.Backlog == 0 {
		cfg.Backlog = DefaultBacklog
	}
	if cfg.Few == 0 {
		cfg.Few = DefaultFew
	}
	if cfg.AtOnce == 0 {
		cfg.AtOnce = DefaultAtOnce
	}
	if cfg.Part == 0 {
		cfg.Part = DefaultPart
	}
	c := &Core[S]{
		cfg:      cfg,
		entries:  make(map[string]*entry[S]),
		peers:    make(map[string]*peer),
		holds:    make(map[string]*holding),
		roster:   make(map[string]Member),
		met:      make(map[string]uint64),
		losses:   1,
		briefed:  make(map[string]bool),
		stale:    make(map[string]bool),
		deferred: make(map[string]bool),
		log:      log[S]{limit: cfg.Backlog},
	}
	c.look = c.arrives
	_, c.sweeps = any(cfg.New()).(crdt.Sweeper[S])
	c.record(Member{Node: cfg.Node, Version: 1, Next: startOf(cfg.Node, string(cfg.ID)) + 1})
	return c
}

// ID returns the replica's id.
func (c *Core[S]) ID() crdt.ReplicaID { return c.cfg.ID }

// See tells who else is there: the members, and the neighbors among them that
// changes are sent to. Both are names of nodes, and the slices are the Core's
// afterwards.
func (c *Core[S]) See(members, neighbors []string) {
	slices.Sort(members)
	slices.Sort(neighbors)
	c.members, c.neighbors = slices.Compact(members), slices.Compact(neighbors)
	for node := range c.peers {
		if _, ok := slices.BinarySearch(neighbors, node); !ok {
			delete(c.peers, node)
		}
	}
	for _, node := range c.members {
		c.know(node)
	}
	c.trim()
}

// Greet asks the neighbors for whatever they have that is not held here. A
// replica that starts calls it after [Core.See].
func (c *Core[S]) Greet() {
	root := c.root(true)
	for _, node := range c.neighbors {
		c.send(node, root)
	}
}

// Watch says whether Effects.Changed is wanted.
func (c *Core[S]) Watch(wanted bool) { c.watched = wanted }

// Neighbors returns the neighbors' names, which the caller must not change.
// Each of them is named by Effects.Fresh when it has answered a [Core.Greet] and
// all that it had is held here.
func (c *Core[S]) Neighbors() []string { return c.neighbors }

// State returns the state under key, and false if there is none. It is for
// reading only, until the next call.
func (c *Core[S]) State(key string) (S, bool) {
	if e := c.find(key); e != nil {
		return e.state, true
	}
	var none S
	return none, false
}

// Len returns the number of keys.
func (c *Core[S]) Len() int { return len(c.entries) }

// Keys returns all keys, sorted.
func (c *Core[S]) Keys() []string {
	keys := make([]string, 0, len(c.entries))
	for key := range c.entries {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Restore takes in what a disk has under key, before anything else is done. It
// may be called several times for one key, with a state and deltas to it.
func (c *Core[S]) Restore(key string, data []byte) error {
	state := c.cfg.New()
	if err := state.UnmarshalBinary(data); err != nil {
		return err
	}
	c.strip(state)
	e := c.open(key)
	if e.state.Join(state) {
		c.touch(e)
	}
	c.inspect(e)
	c.close(e)
	return nil
}

// sharer is a state that can tell all that a replica has done to it, as
// counters can.
type sharer[S any] interface {
	Share(replica crdt.ReplicaID) S
}

// Update changes the state under key by f, which is given the state and the
// replica's id, calls mutators and returns their joined deltas, which are the
// Core's from then on. If the state has
// a method Share, as counters have, f may return a nil delta instead: then it is
// the replica's share, which is made only if somebody has to hear of it. Update
// reports whether f changed anything. The change is sent with the next Flush.
func (c *Core[S]) Update(key string, f func(S, crdt.ReplicaID) S) bool {
	e := c.open(key)
	delta := f(e.state, c.cfg.ID)
	if isNil(delta) {
		if len(c.neighbors) == 0 && !c.cfg.Durable && !isZero(e.state) {
			c.touch(e)
			c.log.skip()
			c.note(e)
			return true
		}
		delta = any(e.state).(sharer[S]).Share(c.cfg.ID) // or f has broken its contract
	}
	if isZero(delta) {
		c.close(e)
		return false
	}
	c.changed(e, delta, "")
	if len(c.neighbors) == 0 && !c.cfg.Durable {
		giveBack(e.state, delta)
	}
	return true
}

// giveBack lets a state use a delta's memory for the next one.
func giveBack[S any](state, delta S) {
	switch s := any(state).(type) {
	case *crdt.PNCounter:
		s.Reuse(any(delta).(*crdt.PNCounter))
	case *crdt.GCounter:
		s.Reuse(any(delta).(*crdt.GCounter))
	}
}

// isNil and isZero look at counters first, which are changed the most often: to ask
// for a type costs less than to ask for a method.

func isNil[S any](state S) bool {
	switch s := any(state).(type) {
	case *crdt.PNCounter:
		return s == nil
	case *crdt.GCounter:
		return s == nil
	}
	var none S
	return any(state) == any(none)
}

// isZero reports whether a state says that it holds nothing.
func isZero[S any](state S) bool {
	switch s := any(state).(type) {
	case *crdt.PNCounter:
		return s.IsZero()
	case *crdt.GCounter:
		return s.IsZero()
	}
	z, ok := any(state).(interface{ IsZero() bool })
	return ok && z.IsZero()
}

// close lets go of an entry that was opened for nothing.
func (c *Core[S]) close(e *entry[S]) {
	if !e.dirty && e.sum == 0 {
		delete(c.entries, e.key)
		c.last = nil
	}
}

func (c *Core[S]) find(key string) *entry[S] {
	if c.last != nil && c.last.key == key {
		return c.last
	}
	e := c.entries[key]
	if e != nil {
		c.catchUp(e)
		c.last = e
	}
	return e
}

func (c *Core[S]) open(key string) *entry[S] {
	if e := c.find(key); e != nil {
		return e
	}
	e := &entry[S]{key: key, state: c.cfg.New(), moved: c.moves.begun}
	c.entries[key] = e
	c.last = e
	return e
}

// changed notes that delta, which came from the node from, has changed e. It
// may be kept, but not be changed.
func (c *Core[S]) changed(e *entry[S], delta S, from string) {
	c.touch(e)
	switch {
	case from != "" && !c.cfg.Forward:
	case len(c.neighbors) > 0:
		c.log.add(change[S]{key: e.key, delta: delta, from: from})
	default:
		c.log.skip()
	}
	if c.cfg.Durable {
		c.saving.add(e.key, delta)
	}
	c.sweeping.add(e.key)
	c.note(e)
}

// note lets watchers hear that e has changed.
func (c *Core[S]) note(e *entry[S]) {
	if c.watched {
		c.out.Changed = append(c.out.Changed, e.key)
	}
}

// touch notes that the sum of e has to be taken anew.
func (c *Core[S]) touch(e *entry[S]) {
	if !e.dirty {
		e.dirty = true
		c.dirty = append(c.dirty, e)
	}
}

// inspect notes whether e has something to fold.
func (c *Core[S]) inspect(e *entry[S]) {
	if f, ok := any(e.state).(crdt.Folder[S]); ok && f.Foldable(c.cfg.ID) {
		c.stale[e.key] = true
	}
}

// join takes in what another node has sent, and reports whether it could be
// decoded.
func (c *Core[S]) join(item Item, from string) bool {
	delta := c.cfg.New()
	if err := delta.UnmarshalBinary(item.Data); err != nil || len(item.Key) > MaxKey {
		c.out.Malformed++
		return false
	}
	c.strip(delta)
	e := c.open(item.Key)
	if e.state.Join(delta) {
		c.changed(e, delta, from)
		c.inspect(e)
	} else {
		c.close(e)
	}
	return true
}

func (c *Core[S]) joinAll(items []Item, from string) bool {
	ok := true
	for _, item := range items {
		if !c.join(item, from) {
			ok = false
		}
	}
	return ok
}

func (c *Core[S]) send(to string, msg any) {
	c.out.Out = append(c.out.Out, Envelope{to, msg})
}

// encode returns the encoding of a state of this package's making.
func encode[S crdt.State[S]](state S) []byte {
	data, err := state.MarshalBinary()
	if err != nil {
		panic("replica: a state that cannot be encoded: " + err.Error()) // State says that it can
	}
	return data
}
