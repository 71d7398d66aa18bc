package directory

import (
	"container/heap"
	"time"
)

// tomb is what is kept of a dead node besides its fact.
type tomb struct {
	name  string
	died  time.Time
	until time.Time // when it fades, or is forgotten
	next  time.Time // when it is tried
	wait  time.Duration
	slots [2]int // in the two queues; -1 is none
}

// graveyard has the tombs of all dead.
type graveyard struct {
	byName map[string]*tomb
	phases queue     // by until
	tries  queue     // by next
	tryAt  time.Time // when somebody may be tried again
}

// queue orders tombs by the time that is kept in slot which.
type queue struct {
	which int
	tombs []*tomb
}

const (
	byPhase = 0
	byTry   = 1
)

func (t *tomb) due(which int) time.Time {
	if which == byTry {
		return t.next
	}
	return t.until
}

func (q *queue) Len() int { return len(q.tombs) }
func (q *queue) Less(i, j int) bool {
	a, b := q.tombs[i], q.tombs[j]
	c := a.due(q.which).Compare(b.due(q.which))
	return c < 0 || c == 0 && a.name < b.name
}
func (q *queue) Swap(i, j int) {
	q.tombs[i], q.tombs[j] = q.tombs[j], q.tombs[i]
	q.tombs[i].slots[q.which], q.tombs[j].slots[q.which] = i, j
}
func (q *queue) Push(x any) {
	t := x.(*tomb)
	t.slots[q.which] = len(q.tombs)
	q.tombs = append(q.tombs, t)
}
func (q *queue) Pop() any {
	last := len(q.tombs) - 1
	t := q.tombs[last]
	t.slots[q.which] = -1
	q.tombs[last] = nil
	q.tombs = q.tombs[:last]
	return t
}

// put adds t, or moves it to where it belongs now.
func (q *queue) put(t *tomb) {
	if i := t.slots[q.which]; i >= 0 {
		heap.Fix(q, i)
	} else {
		heap.Push(q, t)
	}
}

func (q *queue) drop(t *tomb) {
	if i := t.slots[q.which]; i >= 0 {
		heap.Remove(q, i)
	}
}

// deadline is when something is to be done, without tries if there are none.
func (g *graveyard) deadline(tries bool) time.Time {
	var due time.Time
	if len(g.phases.tombs) > 0 {
		due = g.phases.tombs[0].until
	}
	if tries && len(g.tries.tombs) > 0 {
		next := g.tries.tombs[0].next
		if next.Before(g.tryAt) {
			next = g.tryAt
		}
		if due.IsZero() || next.Before(due) {
			due = next
		}
	}
	return due
}

// forgetAfter is how long after a death it is remembered.
func (c *Core) forgetAfter(s Status) time.Duration {
	if s == Left {
		return c.cfg.ForgetLeft
	}
	return c.cfg.Forget
}

// fadeAfter is how long after a death it is told. Nodes differ a little on when
// that was. Were it told until it is forgotten, one would have it back from
// another, and it would never end.
func (c *Core) fadeAfter(s Status) time.Duration { return c.forgetAfter(s) / 8 * 7 }

// entomb gives a dead node its tomb, or a second death the first one's.
func (c *Core) entomb(e entry, age time.Duration) {
	t := c.tombs.byName[e.node.Name]
	if t == nil {
		t = &tomb{name: e.node.Name, slots: [2]int{-1, -1}}
		c.tombs.byName[t.name] = t
		c.tombs.phases.which, c.tombs.tries.which = byPhase, byTry
	}
	status := e.status()
	t.died = c.now.Add(-age)
	t.until = t.died.Add(c.fadeAfter(status))
	c.tombs.phases.put(t)
	switch status {
	case Failed:
		t.wait = c.cfg.TryMin
	case Crashed:
		t.wait = c.cfg.TryMax
	default:
		c.tombs.tries.drop(t)
		return
	}
	c.postpone(t)
}

// postpone has a node tried after its wait, which is longer next time.
func (c *Core) postpone(t *tomb) {
	t.next = c.now.Add(t.wait/2 + time.Duration(c.cfg.Rand.Int64N(int64(t.wait/2)+1)))
	t.wait = min(2*t.wait, c.cfg.TryMax)
	c.tombs.tries.put(t)
}

// backdate: a node has been dead for longer than was known here.
func (c *Core) backdate(e entry, age time.Duration) {
	t := c.tombs.byName[e.node.Name]
	if died := c.now.Add(-age); died.Before(t.died) {
		t.until = t.until.Add(died.Sub(t.died))
		t.died = died
		c.tombs.phases.put(t)
	}
}

// unearth removes the tomb of a name, if there is one.
func (c *Core) unearth(name string) {
	if t := c.tombs.byName[name]; t != nil {
		delete(c.tombs.byName, name)
		c.tombs.phases.drop(t)
		c.tombs.tries.drop(t)
	}
}

// forget lets tombs fade, and removes those whose time is over.
func (c *Core) forget() {
	for len(c.tombs.phases.tombs) > 0 {
		t := c.tombs.phases.tombs[0]
		if c.now.Before(t.until) {
			return
		}
		e := c.table.find(t.name)
		end := t.died.Add(c.forgetAfter(e.status()))
		if !c.now.Before(end) {
			c.bury(t)
			continue
		}
		c.table.fade(e)
		t.until = end
		c.tombs.phases.put(t)
	}
}

// evict removes the tombs that there is no place for: first those that would be
// forgotten first.
func (c *Core) evict() {
	for len(c.tombs.byName) > c.cfg.MaxTombstones {
		c.bury(c.tombs.phases.tombs[0])
	}
}

// bury forgets a dead node for good.
func (c *Core) bury(t *tomb) {
	e := c.table.find(t.name)
	if e.up {
		c.down(e)
	}
	node := e.node
	c.unearth(t.name)
	c.table.remove(t.name)
	c.full = false
	c.report(c.parted.forgotten(c.now, node))
}

// try has somebody tried who is down, if one is due and it is time.
func (c *Core) try() {
	q := &c.tombs.tries
	for c.gone == nil && len(q.tombs) > 0 && !c.now.Before(q.tombs[0].next) && !c.now.Before(c.tombs.tryAt) {
		t := q.tombs[0]
		c.postpone(t)
		if e := c.table.find(t.name); !e.up {
			c.tombs.tryAt = c.now.Add(c.cfg.TryEvery)
			c.emit(Try{e.node})
		}
	}
}
