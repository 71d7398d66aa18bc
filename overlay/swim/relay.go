package swim

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// relay is a ping that this node has sent for another one.
type relay struct {
	by     overlay.Node
	theirs uint64 // the number of by's question
	seq    uint64 // of the ping
	target id
	end    time.Time
	reset  bool // as in the question
}

// crash is of a member that is watched no more.
type crash struct {
	node overlay.Node
	at   time.Time
}

const (
	// maxCrashed is how many of those are remembered.
	maxCrashed = 256
	// testifies is for how many periods this node is a witness of it, unless it returns.
	testifies = 10
)

// remember notes whether node, which is watched from now on or no more, has crashed.
func (c *Core) remember(node overlay.Node, crashed bool) {
	c.crashed = slices.DeleteFunc(c.crashed, func(x crash) bool { return x.node == node })
	if crashed {
		c.crashed = append(c.crashed, crash{node, c.now})
		c.crashed = slices.Delete(c.crashed, 0, max(0, len(c.crashed)-maxCrashed))
	}
}

// witnessed reports whether node has crashed, as far as is known, not long ago.
func (c *Core) witnessed(node overlay.Node) bool {
	return slices.ContainsFunc(c.crashed, func(x crash) bool {
		return x.node == node && c.now.Sub(x.at) < testifies*c.cfg.Period
	})
}

// pingReq pings the target for from. There is no ping to nodes that are not
// watched: nobody can have this node connect to wherever he likes.
func (c *Core) pingReq(from overlay.Node, m PingReq) {
	i := c.members.find(m.Target)
	if m.Reset && (i == nobody && c.witnessed(m.Target) || i != nobody && c.refusedLately(i)) {
		c.deny(from, m.Seq, i, true)
		return
	}
	if i == nobody || len(c.relays) >= c.cfg.MaxRelays {
		c.stats.Strangers++
		c.deny(from, m.Seq, i, false)
		return
	}
	slack := c.slack()
	if slack >= c.cfg.Period && !m.Reset {
		c.stats.Declined++
		return // what this node would say of the target says nothing, and costs two messages
	}
	c.seq++
	end := c.now.Add(c.cfg.Timeout + slack)
	if n := len(c.relays); n > 0 {
		end = later(end, c.relays[n-1].end)
	}
	c.relays = append(c.relays, relay{from, m.Seq, c.seq, i, end, m.Reset})
	c.ping(i, c.seq)
}

// answer tells the one who asked that its target has answered, with whatever that
// has refuted.
func (c *Core) answer(from id, seq uint64) {
	n := slices.IndexFunc(c.relays, func(r relay) bool { return r.seq == seq })
	if n < 0 || c.relays[n].target != from {
		c.stats.Strangers++
		return
	}
	r := c.relays[n]
	c.relays = slices.Delete(c.relays, n, n+1)
	var about []Fact
	if c.members.incarnation(from) > 0 && c.members.all[from].state == Alive {
		about = append(about, c.members.alive(from))
	}
	c.send(r.by, Ack{r.theirs}, about...)
}

// deny says that there was no answer. That, and that nobody was refused, is not in
// the SWIM of 2002.
func (c *Core) deny(by overlay.Node, seq uint64, target id, refused bool) {
	if c.cfg.Plain && !refused {
		return
	}
	var about []Fact
	if target != nobody {
		if f, ok := c.members.charge(target, c.cfg.Self); ok {
			about = append(about, f)
		}
	}
	c.send(by, Nack{seq, refused}, about...)
}

// relayed gives up pings for others. The target is next in turn, so that this node
// confirms the suspicion of the one who asked, or helps to refute it.
func (c *Core) relayed() {
	for len(c.relays) > 0 && due(c.relays[0].end, c.now) {
		r := c.relays[0]
		c.relays = slices.Delete(c.relays, 0, 1)
		if r.reset && c.slack() >= c.cfg.Period {
			continue // it is no news that there is no answer yet
		}
		c.deny(r.by, r.theirs, r.target, false)
		if !c.cfg.Plain && c.members.all[r.target].state != Confirm && !c.suspects(r.target) {
			c.nudge = r.target
		}
	}
}

// refused tells all who had this node ping i that a connection was refused.
func (c *Core) refused(i id) bool {
	any := false
	c.relays = slices.DeleteFunc(c.relays, func(r relay) bool {
		if r.target == i {
			any = true
			c.deny(r.by, r.theirs, i, true)
		}
		return r.target == i
	})
	return any
}
