package clientserver

import (
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/overlay"
)

// member is a node that is there, as far as this one knows.
type member struct {
	node     overlay.Node
	next     time.Time // when it may be tried again
	since    time.Time // when the first of its attempts was in vain
	yield    time.Time // until when dialling is left to it; zero is not decided
	named    time.Time // when a server has last said that it is one
	attempts int       // in vain, since it was linked last
	refusals int       // since it was a neighbor last
}

// buried is a node that is lost, or has left.
type buried struct {
	node  overlay.Node
	until time.Time
	left  bool
}

// maxLost bounds those that are remembered. Each is for a short time.
const maxLost = 256

// outcome is how what was tried with a member has ended.
type outcome uint8

const (
	failed  outcome = iota // it was not reached, or does not answer
	refused                // it has answered
	broken                 // a link was there, and is not any more
)

func (c *Core) memberAt(name string) (int, bool) {
	return slices.BinarySearchFunc(c.members, name, func(m *member, name string) int { return strings.Compare(m.node.Name, name) })
}

// member returns the member of that name; nil if there is none.
func (c *Core) member(name string) *member {
	if i, ok := c.memberAt(name); ok {
		return c.members[i]
	}
	return nil
}

func (c *Core) lostAt(name string) int {
	return slices.IndexFunc(c.lost, func(b buried) bool { return b.node.Name == name })
}

// absent reports whether m was tried often enough in vain not to count.
func (c *Core) absent(m *member) bool { return m.attempts >= c.cfg.Attempts }

// learn makes node a member. proven says that there is more than hearsay: then
// it is one even if it was lost. It reports whether it is one now.
func (c *Core) learn(node overlay.Node, proven bool) bool {
	if node.Valid() != nil || node.Name == c.cfg.Self.Name || c.Outdated(node) != nil {
		return false
	}
	if i := c.lostAt(node.Name); i >= 0 {
		if !proven && !node.Newer(c.lost[i].node) {
			return false
		}
		c.lost = slices.Delete(c.lost, i, i+1)
	}
	i, ok := c.memberAt(node.Name)
	if !ok {
		if len(c.members) >= c.cfg.MaxMembers {
			return false
		}
		c.members = slices.Insert(c.members, i, &member{node: node})
		return true
	}
	m := c.members[i]
	if p := c.peer(m.node); m.node != node && !proven && p != nil && p.linked() {
		return false // it is there, whatever others say
	}
	if node.Newer(m.node) || proven && m.node != node {
		*m = member{node: node}
		c.retract(m.node)
	}
	return m.node == node
}

// bury makes node a member no more. For that long, others are not believed that it
// is there; left says that it is gone for good.
func (c *Core) bury(now time.Time, node overlay.Node, long time.Duration, left bool) {
	if i, ok := c.memberAt(node.Name); ok && !c.members[i].node.Newer(node) {
		c.members = slices.Delete(c.members, i, i+1)
	} else if ok {
		return
	}
	if p := c.peer(node); p != nil {
		c.close(p)
	}
	if i, ok := c.claimAt(node.Name); ok && !c.claims[i].Node.Newer(node) && node.Name != c.cfg.Self.Name {
		c.claims = slices.Delete(c.claims, i, i+1)
	}
	if node.Valid() != nil || node.Name == c.cfg.Self.Name {
		return
	}
	b := buried{node, now.Add(long), left}
	if i := c.lostAt(node.Name); i >= 0 {
		if c.lost[i].node.Newer(node) || c.lost[i].node == node && c.lost[i].left {
			return
		}
		c.lost = slices.Delete(c.lost, i, i+1)
	}
	if len(c.lost) >= maxLost {
		c.lost = slices.Delete(c.lost, 0, 1)
	}
	c.lost = append(c.lost, b)
}

// tryLater leaves a member alone for a while.
func (c *Core) tryLater(now time.Time, node overlay.Node, why outcome) {
	m := c.member(node.Name)
	if m == nil || m.node != node {
		return
	}
	switch why {
	case refused:
		m.next = now.Add(c.backoff(m.refusals))
		m.refusals++
	case broken:
		m.next = now.Add(c.backoff(m.attempts))
	case failed:
		if m.attempts == 0 {
			m.since = now
		}
		m.next = now.Add(c.backoff(m.attempts))
		m.attempts++
	}
}

func (c *Core) succeeded(node overlay.Node) {
	if m := c.member(node.Name); m != nil {
		*m = member{node: m.node, named: m.named}
	}
}

// forget drops the members that were absent for long, and the lost of long ago.
func (c *Core) forget(now time.Time) {
	for _, m := range slices.Clone(c.members) {
		if m.attempts > 0 && now.Sub(m.since) >= c.cfg.Forget {
			c.bury(now, m.node, c.cfg.Forget, false)
		}
	}
	c.forgetClaims(now)
	c.lost = slices.DeleteFunc(c.lost, func(b buried) bool { return !now.Before(b.until) })
}
