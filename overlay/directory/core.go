package directory

import (
	"iter"
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Core is the directory of one node. It is made with [New] and is for one
// goroutine. Times given to it must not go backwards. Effects and messages share
// their slices and strings with whoever has them: nobody changes them.
//
// Invariants, which valid checks:
//
//  1. Each name has one entry, in the bucket of its key, and the sums of buckets
//     are those of their entries.
//  2. Who is dead has a tombstone, and nobody else; at most MaxTombstones, each
//     with a time when it fades or is forgotten.
//  3. Only the failed and crashed are tried.
//  4. Members are those alive, and those failed or crashed whose death is in
//     doubt, each until a time that is known.
//  5. This node is a member of its own directory until it is displaced or leaves.
//  6. At most MaxMembers names are known.
//  7. Registers are those of the Config, their values MaxValue long at most.
//  8. An exchange waits for one answer at a time, and has bounded work to do.
//  9. Nobody away in a partition is a member, and its counts add up.
type Core struct {
	cfg       Config
	now       time.Time
	table     table
	registers map[string]Register
	tombs     graveyard
	doubts    []doubt // in order of their times
	asked     int     // how many of those doubts have been told to whom they are about
	parted    tracker
	exchange  exchange
	members   []overlay.Node // a snapshot, shared with who asked
	changes   []change       // since that
	met       bool           // the cluster has been entered
	newcomer  bool           // and nobody has been told
	gone      error          // why this node is a member no more
	left      bool           // it was told to
	full      bool           // Full has been said
	refused   int
	spoke     time.Time // when this node last spoke for itself
	speakAt   time.Time // when it does next
	news      []Fact    // to be broadcast at the end of the step
	hearsay   []Fact
	overhears bool // what is being learned, others hear too
	effects   Effects
}

// change is one that the snapshot of members lacks.
type change struct {
	node overlay.Node
	up   bool
}

// New returns a directory with one member, cfg.Self. The error has all that is
// wrong with cfg.
func New(cfg Config) (*Core, error) {
	cfg.setDefaults()
	if err := cfg.Valid(); err != nil {
		return nil, err
	}
	c := &Core{cfg: cfg, registers: make(map[string]Register)}
	c.tombs.byName = make(map[string]*tomb)
	c.parted = tracker{cfg: &c.cfg}
	if c.table.pool = overlay.Apart[record](); cfg.Pool != nil {
		c.table.pool = &cfg.Pool.records
	}
	self := c.table.insert(Fact{Node: cfg.Self, Status: Alive, Version: 1, Meta: cfg.Meta})
	c.turn(self, true)
	return c, nil
}

// Step tells the core that ev happened at now.
func (c *Core) Step(now time.Time, ev Event) Effects {
	if c.left {
		return nil
	}
	c.start(now)
	switch ev := ev.(type) {
	case Met:
		c.meet(ev.Node)
	case Heard:
		b := ev.Broadcast
		how := fresh
		if b.Hearsay {
			how = hearsay
		}
		c.overhears = b.Hearsay
		c.learnAll(b.Facts, how)
		c.overhears = false
		c.hearsay = nil // it has been broadcast
		c.setRegisters(b.Values)
	case Received:
		c.received(ev.From, ev.Message)
	case Obituary:
		c.obituary(ev.Node, ev.Crashed)
	case TryFailed:
		if e := c.table.find(ev.Node.Name); ev.Refused && !e.none() && e.node == ev.Node && e.status() == Failed {
			c.obituary(ev.Node, true)
		}
	case Leave:
		c.leave()
	}
	return c.take()
}

// Tick does what has become due by now.
func (c *Core) Tick(now time.Time) Effects {
	if c.left {
		return nil
	}
	c.start(now)
	c.settleDoubts()
	c.forget()
	c.try()
	c.speak()
	c.converse()
	c.report(c.parted.tick(now, c.Members))
	return c.take()
}

// start takes the time, with the first of which all begins.
func (c *Core) start(now time.Time) {
	c.now = now
	if c.exchange.at.IsZero() {
		c.schedule()
	}
}

// Deadline returns when [Core.Tick] is to be called next. Before the first Step or
// Tick, and after Leave, it is the zero time: at once, and never.
func (c *Core) Deadline() time.Time {
	if c.left {
		return time.Time{}
	}
	due := c.exchange.deadline()
	earlier := func(t time.Time) {
		if !t.IsZero() && t.Before(due) {
			due = t
		}
	}
	earlier(c.doubtsDue())
	earlier(c.tombs.deadline(c.gone == nil))
	earlier(c.speakAt)
	earlier(c.parted.deadline())
	return due
}

// Members returns all members, this node included, sorted. The slice is shared:
// nobody changes it, the core neither. If nothing has changed since the last
// call it costs nothing, else one pass over the members.
func (c *Core) Members() []overlay.Node {
	switch {
	case c.members == nil:
		c.members = slices.AppendSeq(make([]overlay.Node, 0, c.table.up), c.All())
		slices.SortFunc(c.members, overlay.Node.Compare)
	case len(c.changes) > 0:
		c.members = patched(c.members, c.changes, c.table.up)
	}
	c.changes = nil
	return c.members
}

// patched returns a copy of sorted members with changes in it; of one node, the
// last change counts.
func patched(members []overlay.Node, changes []change, size int) []overlay.Node {
	slices.SortStableFunc(changes, func(a, b change) int { return a.node.Compare(b.node) })
	next := make([]overlay.Node, 0, size)
	for i, ch := range changes {
		if i+1 < len(changes) && changes[i+1].node == ch.node {
			continue
		}
		at, found := slices.BinarySearchFunc(members, ch.node, overlay.Node.Compare)
		next = append(next, members[:at]...)
		members = members[at:]
		if found {
			members = members[1:]
		}
		if ch.up {
			next = append(next, ch.node)
		}
	}
	return append(next, members...)
}

// Member reports whether node is one, this node included.
func (c *Core) Member(node overlay.Node) bool {
	e := c.table.find(node.Name)
	return !e.none() && e.up && e.node == node
}

// All visits all members, this node included, in the order of their keys: unlike
// [Core.Members] it keeps nothing. There must be no Step or Tick meanwhile.
func (c *Core) All() iter.Seq[overlay.Node] {
	return func(yield func(overlay.Node) bool) {
		for i := range c.table.buckets {
			for j := range c.table.buckets[i].entries {
				if s := &c.table.buckets[i].entries[j]; s.up && !yield(c.table.of(s).node) {
					return
				}
			}
		}
	}
}

// Len returns the number of members, this node included.
func (c *Core) Len() int { return c.table.up }

// Lookup returns what is known of a name, dead or alive.
func (c *Core) Lookup(name string) (Fact, bool) {
	e := c.table.find(name)
	if e.none() {
		return Fact{}, false
	}
	return c.told(e), true
}

// Stats counts what a [Core] holds.
type Stats struct {
	// Members there are, Doubted of which may be dead; Tombstones are of the
	// dead, with the doubted.
	Members, Doubted, Tombstones int
	// Refused facts and registers have not been taken: they made no sense, or
	// there was no place.
	Refused int
}

// Stats returns the present counts.
func (c *Core) Stats() Stats {
	s := Stats{Members: c.table.up, Tombstones: len(c.tombs.byName), Refused: c.refused}
	for _, d := range c.doubts {
		if c.doubted(d) {
			s.Doubted++
		}
	}
	return s
}

// told is the fact of an entry, with its age.
func (c *Core) told(e entry) Fact {
	f := e.fact()
	if t := c.tombs.byName[e.node.Name]; t != nil {
		f.Age = max(0, c.now.Sub(t.died))
	}
	return f
}

// turn makes an entry a member, or none.
func (c *Core) turn(e entry, up bool) {
	if e.up == up {
		return
	}
	e.up = up
	if up {
		c.table.up++
	} else {
		c.table.up--
	}
	c.note(e.node, up)
}

// note records a change for the snapshot, or drops that if making a new one is
// cheaper.
func (c *Core) note(node overlay.Node, up bool) {
	switch {
	case c.members == nil:
	case len(c.changes) > len(c.members)+64:
		c.members, c.changes = nil, nil
	default:
		c.changes = append(c.changes, change{node, up})
	}
}

func (c *Core) emit(e Effect) { c.effects = append(c.effects, e) }

// take returns the effects of one step, with what is to be broadcast at the end.
func (c *Core) take() Effects {
	c.evict()
	c.flush(c.news, false)
	c.flush(c.hearsay, true)
	effects := c.effects
	c.effects, c.news, c.hearsay = nil, nil, nil
	return effects
}

func (c *Core) flush(facts []Fact, hearsay bool) {
	for chunk := range slices.Chunk(facts, c.cfg.MaxFacts) {
		c.emit(Broadcast{Facts: chunk, Hearsay: hearsay})
	}
}

// report emits what the tracker of partitions has found.
func (c *Core) report(found Effects) { c.effects = append(c.effects, found...) }
