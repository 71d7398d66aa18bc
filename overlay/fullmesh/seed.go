package fullmesh

import (
	"maps"
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// join adds seeds, to be probed at now.
func (c *Core) join(now time.Time, addrs []string) {
	for _, addr := range addrs {
		if c.seeds[addr] == nil && addr != c.cfg.Self.Addr() {
			c.seeds[addr] = &seed{addr: addr, next: now}
		}
	}
}

// wanted reports whether s is to be probed when its time comes: not while its
// node is a member or is being tried.
func (c *Core) wanted(s *seed) bool {
	p := c.peers[s.node]
	return !s.probing && (p == nil || !p.member && !p.dialing)
}

// probe probes the seeds that are due.
func (c *Core) probe(now time.Time) {
	for _, addr := range slices.Sorted(maps.Keys(c.seeds)) {
		s := c.seeds[addr]
		if c.wanted(s) && !now.Before(s.next) {
			s.probing = true
			c.emit(overlay.Probe{Addr: addr})
		}
	}
}

func (c *Core) probeLater(now time.Time, s *seed) {
	s.probing = false
	s.next = now.Add(c.backoff(s.attempts))
	s.attempts++
}

func (c *Core) found(now time.Time, ev overlay.Found) {
	if p := c.peers[ev.Node]; p != nil && ev.Addr == ev.Node.Addr() {
		p.dialable = true
	}
	s := c.seeds[ev.Addr]
	if s == nil {
		return
	}
	if ev.Node.Name == c.cfg.Self.Name {
		delete(c.seeds, ev.Addr) // it was this node itself
		return
	}
	s.node = ev.Node
	c.probeLater(now, s)
	c.meet(now, ev.Node, false)
	if p := c.peers[ev.Node]; p != nil && !p.linked && !p.dialing {
		// Somebody answers there: no need to wait.
		p.nextDial = now
		c.dialIfDue(now, p)
	}
}
