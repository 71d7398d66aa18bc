package gossip

import (
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/overlay"
)

// member is a node that may be asked.
type member struct {
	node     overlay.Node
	next     time.Time // when it may be tried again
	attempts int       // in vain, since it was a neighbor last
}

// faded is a node that is not there, as far as this one knows.
type faded struct {
	node  overlay.Node
	until time.Time
	left  bool // for good
}

func (c *Core) memberAt(name string) (int, bool) {
	return slices.BinarySearchFunc(c.members, name, func(m *member, name string) int { return strings.Compare(m.node.Name, name) })
}

func (c *Core) fadedAt(name string) int {
	return slices.IndexFunc(c.faded, func(f faded) bool { return f.node.Name == name })
}

// learn makes node a member. proven says that there is more than hearsay: then
// it is one even if it has faded.
func (c *Core) learn(node overlay.Node, proven bool) {
	if node.Valid() != nil || node.Name == c.cfg.Self.Name || c.Outdated(node) != nil {
		return
	}
	if i := c.fadedAt(node.Name); i >= 0 {
		if !proven && !node.Newer(c.faded[i].node) {
			return
		}
		c.faded = slices.Delete(c.faded, i, i+1)
	}
	i, ok := c.memberAt(node.Name)
	if ok {
		if m := c.members[i]; node.Newer(m.node) || proven && m.node != node {
			*m = member{node: node}
		}
		return
	}
	if len(c.members) >= c.cfg.MaxKnown {
		j := c.cfg.Rand.IntN(len(c.members))
		c.members = slices.Delete(c.members, j, j+1)
		if j < i {
			i--
		}
	}
	c.members = slices.Insert(c.members, i, &member{node: node})
	c.retryAt = time.Time{}
}

// fade takes node out of the members, to be probed now and then.
func (c *Core) fade(now time.Time, node overlay.Node, left bool) {
	if i, ok := c.memberAt(node.Name); ok {
		if c.members[i].node.Newer(node) {
			return
		}
		c.members = slices.Delete(c.members, i, i+1)
	}
	f := faded{node, now.Add(c.cfg.Forget), left}
	switch i := c.fadedAt(node.Name); {
	case node.Valid() != nil || node.Name == c.cfg.Self.Name:
	case i >= 0:
		if !c.faded[i].node.Newer(node) && !c.faded[i].left {
			c.faded[i] = f
		}
	case len(c.faded) >= c.cfg.MaxFaded: // a random one goes: those that stay are a sample
		c.faded[c.cfg.Rand.IntN(len(c.faded))] = f
	default:
		c.faded = append(c.faded, f)
	}
}

// tryLater leaves a member alone for a while: it was linked and is no more, has no
// room, or was not reached, which is counted.
func (c *Core) tryLater(now time.Time, node overlay.Node, failed bool) {
	i, ok := c.memberAt(node.Name)
	if !ok || c.members[i].node != node {
		return
	}
	m := c.members[i]
	m.next = now.Add(c.backoff(m.attempts + 2))
	if m.next.Before(c.retryAt) {
		c.retryAt = m.next
	}
	if failed {
		m.attempts++
		if m.attempts >= c.cfg.Attempts {
			c.fade(now, node, false)
		}
	}
}

func (c *Core) succeeded(node overlay.Node) {
	if i, ok := c.memberAt(node.Name); ok {
		c.members[i].attempts = 0
	}
}

// pick returns a random member that is no peer and may be tried; nil if there
// is none.
func (c *Core) pick(now time.Time) *member {
	n := len(c.members)
	if n == 0 {
		return nil
	}
	free := func(m *member) bool { return !now.Before(m.next) && c.named(m.node.Name) == nil }
	for range 8 {
		if m := c.members[c.cfg.Rand.IntN(n)]; free(m) {
			return m
		}
	}
	start := c.cfg.Rand.IntN(n)
	for i := range n {
		if m := c.members[(start+i)%n]; free(m) {
			return m
		}
	}
	return nil
}

// fill asks for as many neighbors as are missing, until nobody is left to ask,
// and again later.
func (c *Core) fill(now time.Time) {
	if c.refreshAt.IsZero() || !c.retryAt.IsZero() {
		return // not begun, or nobody is left
	}
	missing := c.Fanout()
	for _, p := range c.peers {
		if p.state != stranger && !p.swap {
			missing--
		}
	}
	for ; missing > 0; missing-- {
		m := c.pick(now)
		if m == nil || c.crowded() {
			break
		}
		c.want(now, m.node, false)
	}
	if missing <= 0 {
		return
	}
	wait := c.cfg.Refresh
	if c.count() == 0 {
		wait = c.backoff(c.retries)
		c.retries++
		c.probeSeeds(now, true)
		c.probeFaded(now)
	}
	c.retryAt = now.Add(wait)
	for _, m := range c.members {
		if now.Before(m.next) && m.next.Before(c.retryAt) && c.named(m.node.Name) == nil {
			c.retryAt = m.next
		}
	}
}
