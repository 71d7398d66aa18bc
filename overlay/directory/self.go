package directory

import (
	"time"

	"github.com/topos-go/topos/overlay"
)

// introduction is how long a node that enters the cluster waits at most for its first
// exchange, before it lets all know of it.
const introduction = time.Second

// SetMeta changes this node's metadata, for all to see. The error is
// [ErrTooLarge], [ErrExhausted], [ErrLeft] or [ErrSuperseded].
func (c *Core) SetMeta(now time.Time, meta string) (Effects, error) {
	c.start(now)
	e := c.table.find(c.cfg.Self.Name)
	switch {
	case c.gone != nil:
		return nil, c.gone
	case len(meta) > c.cfg.MaxMeta:
		return nil, ErrTooLarge
	case e.version >= MaxNumber:
		return nil, ErrExhausted
	}
	c.cfg.Meta = meta
	c.assert(e)
	return c.take(), nil
}

// assert gives this node's metadata the next version.
func (c *Core) assert(e entry) {
	f := e.fact()
	f.Version, f.Meta = f.Version+1, c.cfg.Meta
	c.table.replace(e, f)
	c.say()
}

// defend answers what has been merged of this node's own name, and reports
// whether it is still this one's, and alive.
func (c *Core) defend(e entry) bool {
	status, number := unstamp(e.stamp)
	switch {
	case e.node != c.cfg.Self:
		return c.displace(e.node, ErrSuperseded)
	case status == Left:
		return c.displace(overlay.Node{}, ErrLeft)
	case status.Dead() && number >= MaxNumber:
		return c.displace(overlay.Node{}, ErrExhausted)
	case status.Dead():
		f := e.fact()
		f.Status, f.Number = Alive, number+1
		e = c.table.replace(e, f)
		c.say()
	}
	if e.meta != c.cfg.Meta && e.version < MaxNumber {
		c.assert(e)
	}
	return true
}

func (c *Core) displace(by overlay.Node, reason error) bool {
	c.gone = reason
	c.exchange.stop()
	c.emit(Displaced{by, reason})
	return false
}

// say has this node speak for itself, at once or when it may.
func (c *Core) say() {
	if c.speakAt.IsZero() {
		c.speakAt = c.spoke.Add(c.cfg.Pause)
		if c.speakAt.Before(c.now) {
			c.speakAt = c.now
		}
	}
	c.speak()
}

// introduce has this node speak for itself when it knows whom to, which is after its first
// exchange, or soon.
func (c *Core) introduce() {
	c.newcomer = true
	if c.speakAt.IsZero() {
		c.speakAt = c.now.Add(introduction)
		if next := c.spoke.Add(c.cfg.Pause); c.speakAt.Before(next) {
			c.speakAt = next
		}
	}
}

// introduced ends the wait of one that has entered the cluster.
func (c *Core) introduced() {
	if c.newcomer {
		c.speakAt = time.Time{}
		c.say()
	}
}

// speak broadcasts this node's fact if that is due.
func (c *Core) speak() {
	if c.speakAt.IsZero() || c.now.Before(c.speakAt) {
		return
	}
	c.speakAt, c.newcomer = time.Time{}, false
	if c.gone == nil {
		c.spoke = c.now
		c.news = append(c.news, c.table.find(c.cfg.Self.Name).fact())
	}
}

// meet: node is there, whatever the directory says. The first one that this
// node meets, or the first after it was alone, has all that it lacks; so does one
// that it has taken for dead.
func (c *Core) meet(node overlay.Node) {
	if validNode(node) != nil || node == c.cfg.Self {
		return
	}
	alone := !c.met || c.table.up == 1
	strange := c.greet(node)
	if c.gone != nil {
		return
	}
	if alone {
		c.met = true
		if c.exchange.busy() && c.exchange.partner != node {
			c.exchange.stop() // with one that is gone, or has been taken for it
		}
		c.introduce()
		strange = true
	}
	if strange {
		c.begin(node)
	}
}

// greet compares the directory with a node that has proven itself, and tells it
// what it cannot know: that it is dead, or that it is not the newest. It reports
// whether it has.
func (c *Core) greet(node overlay.Node) bool {
	e := c.table.find(node.Name)
	switch {
	case e.none() || node.Newer(e.node):
		c.learn(Fact{Node: node, Status: Alive}, fresh)
		return false
	case e.node == node && !e.status().Dead():
		return false
	}
	c.emit(Send{node, Tell{[]Fact{c.told(e)}}})
	return true
}

// received takes a message. A Tell is answered only if it was this node's
// obituary, with the refutation, so that no two nodes tell each other for ever.
func (c *Core) received(from overlay.Node, m Message) {
	if validNode(from) != nil || from == c.cfg.Self {
		return
	}
	switch m := m.(type) {
	case Ask:
		c.greet(from)
		c.answer(from, m)
	case Answer:
		c.answered(from, m)
	case Tell:
		c.hear(from, m.Facts[:min(len(m.Facts), hardMaxFacts)])
	}
}

// hear learns what was told. Who leaves may have no time to say it to all.
func (c *Core) hear(from overlay.Node, facts []Fact) {
	dead := false
	for _, f := range facts {
		if c.learn(f, hearsay) && f.Status == Left && f.Node != c.cfg.Self {
			c.news = append(c.news, f)
		}
		dead = dead || f.Node == c.cfg.Self && f.Status.Dead()
	}
	if dead && c.gone == nil {
		c.emit(Send{from, Tell{[]Fact{c.table.find(c.cfg.Self.Name).fact()}}})
	}
}

// leave says to all that this node leaves, and to some directly.
func (c *Core) leave() {
	defer func() { c.left = true }()
	if c.gone != nil {
		return
	}
	e := c.table.find(c.cfg.Self.Name)
	f := e.fact()
	f.Status = Left
	c.gone = ErrLeft
	c.exchange.stop()
	c.learn(f, fresh)
	told := make(map[overlay.Node]bool)
	for range 4 * c.cfg.Farewell {
		if p := c.table.random(c.cfg.Rand, c.cfg.Self.Name); !p.none() && !told[p.node] && len(told) < c.cfg.Farewell {
			told[p.node] = true
			c.emit(Send{p.node, Tell{[]Fact{f}}})
		}
	}
	c.news = append(c.news, f)
}
