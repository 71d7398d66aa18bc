package fullmesh

import (
	"time"

	"github.com/topos-go/topos/internal/delay"
	"github.com/topos-go/topos/overlay"
)

// peer is what is known of one incarnation of another node.
//
// Invariants:
//  1. A linked peer is a member.
//  2. Of the members, no two have the same name.
//  3. dialing is set from Dial to LinkUp, DialFailed or Down.
type peer struct {
	node    overlay.Node
	member  bool
	linked  bool
	dialing bool

	heard    time.Time // last message or link
	met      time.Time // when it became known, or went down
	nextDial time.Time // while neither linked nor dialing
	attempts int       // to link it, since it was heard of last

	nextPing time.Time // while linked
	seq      uint64
	pinged   time.Time
	rtt      time.Duration
	reason   error // why the last attempt failed
	refused  bool  // nobody listened at the last attempt
	dialable bool  // it has answered at its address
}

// departure is a node that has left, and when.
type departure struct {
	node overlay.Node
	at   time.Time
}

// seed is an address at which somebody may be found.
type seed struct {
	addr     string
	node     overlay.Node // who answered last
	probing  bool
	next     time.Time
	attempts int
}

// meet makes node known. direct says that there is more than hearsay, so that
// it is worth trying at once.
func (c *Core) meet(now time.Time, node overlay.Node, direct bool) {
	if node.Valid() != nil || node.Name == c.cfg.Self.Name {
		return
	}
	if reason := c.outdated(node); reason != nil {
		if direct {
			c.emit(overlay.Down{Node: node, Reason: reason})
		}
		return
	}
	p := c.peers[node]
	if p == nil {
		p = &peer{node: node, met: now, heard: now, nextDial: now}
		if (!direct || c.cfg.Directed) && c.cfg.Self.Compare(node) > 0 {
			// Both sides are being told of each other: let the lesser dial.
			p.nextDial = now.Add(c.cfg.Interval / 2)
		}
		c.peers[node] = p
	} else if direct && !p.member && !p.dialing && now.Before(p.nextDial) && p.reason != nil {
		// It has just been tried in vain.
		c.emit(overlay.Down{Node: node, Reason: p.reason})
		return
	}
	c.dialIfDue(now, p)
}

// outdated says why node cannot be a member any more; nil if it can.
func (c *Core) outdated(node overlay.Node) error {
	if left, ok := c.left[node.Name]; ok && !node.Newer(left.node) {
		return overlay.ErrLeft
	}
	for other, p := range c.peers {
		if p.member && other.Newer(node) {
			return overlay.ErrRestarted
		}
	}
	return nil
}

func (c *Core) dialIfDue(now time.Time, p *peer) {
	if p.linked || p.dialing || now.Before(p.nextDial) {
		return
	}
	p.dialing = true
	c.emit(overlay.Dial{Node: p.node})
}

// down takes p out of the members. It is tried again later.
func (c *Core) down(now time.Time, p *peer, reason error) {
	c.emit(overlay.Down{Node: p.node, Member: p.member, Reason: reason})
	if p.member {
		p.met = now
		for _, s := range c.seeds {
			if s.node == p.node {
				s.node, s.attempts, s.next = overlay.Node{}, 0, now.Add(c.backoff(0))
			}
		}
	}
	c.unlink(p)
	p.member, p.dialing, p.reason = false, false, reason
	wait := c.backoff(p.attempts)
	if p.refused && wait >= c.cfg.RedialMax/2 {
		// Nobody is there. Whoever starts there will find a seed by itself.
		wait *= deadFactor
	}
	p.nextDial = now.Add(wait)
	p.attempts++
}

// deadFactor is how many times RedialMax may pass between attempts to connect a
// node whose process has ended.
const deadFactor = 12

// remove forgets p, which is down because of reason, for good.
func (c *Core) remove(now time.Time, p *peer, reason error) {
	c.down(now, p, reason)
	delete(c.peers, p.node)
}

// backoff returns the wait after the given number of attempts in vain.
func (c *Core) backoff(attempts int) time.Duration {
	return delay.Backoff(c.cfg.Rand, c.cfg.RedialMin, c.cfg.RedialMax, attempts)
}
