package swim

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// kind says what a probe is for.
type kind uint8

const (
	// inTurn: it is the member's turn. At its end the member is suspect.
	inTurn kind = iota
	// second: the member has not answered in its turn, and is asked once more, with
	// Config.Twice. At its end the member is suspect.
	second
	// recheck: this node suspects the member, and goes on asking until it refutes
	// or fails, or answers before anybody was told.
	recheck
	// reset: a link to the member was reset. If others are refused, too, it has
	// failed.
	reset
)

// resets is how often others are asked about a reset link, before that is left to
// a suspicion; once more, and for longer each time, in a crowd by a node that was refused
// itself, or whose machine is busy: the others' answers, or its own, may take their time.
const resets = 3

// courtesy is for how many periods a node that was refused by one who is not near it leaves
// it to those who are to find out: in a crowd they do so at once, and then all are told.
const courtesy = 8

// rechecks is how many of those whom it suspects a node asks again at a time, and how
// many of those whom it does not, of Config.MaxChecks. Who suspects more had better listen: others suspect the same, or
// the fault is its own.
const rechecks = 8

// probe is a question that is open.
type probe struct {
	kind    kind
	target  id
	seq     uint64
	earlier []uint64  // of a reset link: what it was before, as late answers count, too
	direct  time.Time // when others are asked; zero if they have been
	end     time.Time
	helpers int           // that were asked
	asked   []id          // of them, those that have not answered
	refused []id          // that had a connection to the target refused
	again   bool          // so had this node, since it has asked or, with another refusal, within two periods before
	lingers bool          // it waits, after it was asked in vain
	seen    bool          // something else has come from the target
	slack   time.Duration // of direct and end
	tries   int           // 0 while it is left to others, see courtesy
}

// active reports whether anybody has been asked.
func (p *probe) active() bool { return p.kind != reset || p.tries > 0 }

// turn begins a protocol period, unless the one before has been given more time.
func (c *Core) turn() {
	if n := slices.IndexFunc(c.probes, func(p *probe) bool { return p.kind == inTurn }); n >= 0 {
		c.turnAt = c.probes[n].end
		return
	}
	c.turnAt = c.now.Add(c.scaled(c.cfg.Period))
	i := c.whose()
	if i == nobody {
		return
	}
	c.stats.Probes++
	p := c.open(inTurn, i, c.turnAt)
	p.direct = c.now.Add(c.scaled(c.cfg.Timeout))
	c.tempo.ask(question{p.seq, i, c.now})
	c.ping(i, p.seq)
}

// whose returns whose turn it is. The member at which another node has nudged this
// one goes before the next, but not twice in a row, so that nobody is kept from his
// turn. Those that this node suspects are being asked anyway.
func (c *Core) whose() id {
	i := c.nudge
	c.nudge = nobody
	if c.nudged = i != nobody && !c.nudged && !c.suspects(i); c.nudged {
		return i
	}
	if c.turns++; c.cfg.Stride > 1 && c.turns%c.cfg.Stride != 0 {
		for range c.near {
			i := c.near[0]
			c.near = append(c.near[1:], i)
			if c.members.all[i].state != Confirm && !c.suspects(i) {
				return i
			}
		}
	}
	for range c.members.order {
		if i := c.members.turn(c.cfg.Rand); !c.suspects(i) {
			return i
		}
	}
	return nobody
}

// suspects says whether this node is one of those that accuse i.
func (c *Core) suspects(i id) bool {
	s := c.members.suspicion(i)
	return s != nil && s.own
}

func (c *Core) open(k kind, i id, end time.Time) *probe {
	c.seq++
	p := &probe{kind: k, target: i, seq: c.seq, end: end, slack: c.slack()}
	c.probes = append(c.probes, p)
	return p
}

func (c *Core) ping(i id, seq uint64) { c.tell(i, Ping{seq}) }

// check begins a probe out of turn, unless there is one already.
func (c *Core) check(i id, k kind) {
	if slices.ContainsFunc(c.probes, func(p *probe) bool { return p.kind == k && p.target == i }) {
		return
	}
	if checks := c.checks(k, true); checks >= c.cfg.MaxChecks || k != reset && checks >= rechecks {
		switch {
		case k == second && c.cfg.Discreet: // it will have its turn again
		case k != recheck:
			c.suspect(i, c.cfg.Self, false)
		case c.hidden(i):
			c.accuse(i) // it would not be asked again
		}
		return
	}
	c.again(c.open(k, i, time.Time{}))
}

// checks returns how many probes of a kind there are that are active, or that are not.
func (c *Core) checks(k kind, active bool) int {
	n := 0
	for _, p := range c.probes {
		if p.kind == k && p.active() == active {
			n++
		}
	}
	return n
}

// again asks the target and others at the same time.
func (c *Core) again(p *probe) {
	c.seq++
	if p.kind == reset && p.tries > 0 {
		p.earlier = append(p.earlier, p.seq)
	}
	p.seq, p.seen = c.seq, false
	p.tries++
	p.slack = c.slack()
	p.end = c.now.Add(c.cfg.Period + c.slack())
	switch p.kind {
	case reset:
		p.end = c.now.Add((c.cfg.Period - c.cfg.Timeout) << c.leisure(p))
	case second:
		p.end = c.now.Add(c.scaled(c.cfg.Period - c.cfg.Timeout))
	}
	c.ping(p.target, p.seq)
	c.ask(p)
}

// leisure is how often the time for answers about a reset link has doubled.
func (c *Core) leisure(p *probe) int {
	if !c.patient() || !p.again && c.slack() == 0 {
		return 0
	}
	return p.tries - 1
}

// ask has others ping the target.
func (c *Core) ask(p *probe) {
	p.direct = time.Time{}
	drawn := c.helpers(p.target)
	if p.kind != reset {
		p.asked = nil
	}
	for _, i := range drawn {
		if !slices.Contains(p.asked, i) {
			p.asked = append(p.asked, i)
		}
	}
	p.helpers = len(p.asked)
	var about []Fact
	if f, ok := c.members.charge(p.target, c.cfg.Self); ok {
		about = append(about, f)
	}
	for _, i := range drawn {
		c.stats.Indirect++
		c.tell(i, PingReq{p.seq, c.members.node(p.target), p.kind == reset}, about...)
	}
}

// helpers draws who is asked to ping i: those near, if it makes a difference who is,
// and then anybody.
func (c *Core) helpers(i id) []id {
	var drawn []id
	if c.cfg.Stride > 1 {
		for _, n := range c.cfg.Rand.Perm(len(c.near)) {
			if j := c.near[n]; j != i && c.members.all[j].state == Alive && len(drawn) < c.cfg.Indirect {
				drawn = append(drawn, j)
			}
		}
	}
	return append(drawn, c.members.sample(c.cfg.Indirect-len(drawn), c.cfg.Rand, func(j id) bool {
		return j != i && c.members.all[j].state == Alive && !slices.Contains(drawn, j)
	})...)
}

// Seen says that something has come from node just now, whatever it is: a sign of life,
// with which a question that is open in node's turn is not in vain, though it has no
// answer yet. A suspicion has to be refuted, unless it is this node's alone and nobody
// has been told.
func (c *Core) Seen(node overlay.Node) {
	if len(c.refusals) > 0 {
		delete(c.refusals, c.members.find(node))
	}
	for _, p := range c.probes {
		asks := p.kind == inTurn || p.kind == second || p.kind == recheck && c.hidden(p.target)
		if asks && c.members.node(p.target) == node {
			p.seen = true
		}
	}
}

// find returns the open probe with a number, or nil.
func (c *Core) find(seq uint64) *probe {
	for _, p := range c.probes {
		if p.seq == seq || slices.Contains(p.earlier, seq) {
			return p
		}
	}
	return nil
}

// abandon ends probes of i without a conclusion.
func (c *Core) abandon(i id, kinds ...kind) {
	c.probes = slices.DeleteFunc(c.probes, func(p *probe) bool { return p.target == i && slices.Contains(kinds, p.kind) })
}

// forget takes i, which is watched no more, out of what is open.
func (c *Core) forget(i id) {
	is := func(j id) bool { return j == i }
	for _, p := range c.probes {
		p.asked = slices.DeleteFunc(p.asked, is)
		p.refused = slices.DeleteFunc(p.refused, is)
	}
	c.relays = slices.DeleteFunc(c.relays, func(r relay) bool { return r.target == i })
	c.tempo.drop(i)
	delete(c.refusals, i)
	if c.nudge == i {
		c.nudge = nobody
	}
}

// ack takes the answer of a target, or of one who has asked it. A recheck goes on once
// others have been told: only a refutation ends it then.
func (c *Core) ack(from id, m Ack) {
	c.tempo.answered(c.now, from, m.Seq, mostSlack*c.cfg.Period/2)
	p := c.find(m.Seq)
	switch {
	case p == nil:
		c.answer(from, m.Seq)
	case from == nobody || from != p.target && !slices.Contains(p.asked, from):
		c.stats.Strangers++
		return
	case p.kind == inTurn, p.kind == second:
		c.heal()
		c.abandon(p.target, inTurn, second)
	case p.kind == recheck && c.hidden(p.target):
		c.heal()
		c.withdraw(p.target)
	case p.kind == reset:
		c.stats.Denied++
		delete(c.refusals, p.target)
		c.abandon(p.target, reset)
	}
	if p != nil { // a helper's word counts like that of whose turn it is
		c.tempo.heard = c.now
	}
}

// nack takes the word of a helper who had no answer.
func (c *Core) nack(from id, m Nack) {
	p := c.find(m.Seq)
	if p == nil || from == nobody || !slices.Contains(p.asked, from) {
		c.stats.Strangers++
		return
	}
	c.tempo.heard = c.now
	p.asked = slices.DeleteFunc(p.asked, func(i id) bool { return i == from })
	if m.Refused && !slices.Contains(p.refused, from) {
		p.refused = append(p.refused, from)
	}
	c.answered(p)
}

// answered concludes a check of a reset link if nothing is to be waited for.
func (c *Core) answered(p *probe) {
	if p.kind == reset && p.active() && p.again && (len(p.asked) == 0 || len(p.refused) >= c.cfg.Witnesses) {
		c.conclude(p)
	}
}

// linkReset is an answer to whoever had this node ping i, if that was refused. If
// nobody had, it begins a check, or leaves that to those near i for a while.
func (c *Core) linkReset(i id, refused bool) {
	before := c.refusedLately(i)
	if refused {
		if c.refusals == nil {
			c.refusals = make(map[id]time.Time)
		}
		c.refusals[i] = c.now
		c.tempo.drop(i) // that is an answer of its machine
	}
	if refused && c.refused(i) || c.members.all[i].state == Confirm {
		return
	}
	courteous := refused && c.courteous(i)
	p := c.resetOf(i)
	switch {
	case p != nil && p.active():
		p.again = p.again || refused
		c.answered(p)
		return
	case courteous && p == nil && c.checks(reset, false) >= c.cfg.MaxChecks:
		return // if it is its turn, this goes on as with any other
	case courteous:
		c.abandon(i, inTurn, second)
		if p == nil {
			c.open(reset, i, c.now.Add(courtesy*c.cfg.Period))
		}
		return
	}
	c.abandon(i, inTurn, second, reset)
	c.check(i, reset)
	if p := c.resetOf(i); p != nil {
		p.again = refused && before
	}
}

// resetOf returns the probe of i's reset link, or nil.
func (c *Core) resetOf(i id) *probe {
	for _, p := range c.probes {
		if p.kind == reset && p.target == i {
			return p
		}
	}
	return nil
}

// courteous reports whether it is left to others to find out that i has crashed.
func (c *Core) courteous(i id) bool {
	return c.cfg.Stride > 1 && c.patient() && !slices.Contains(c.near, i) && !c.suspects(i)
}

// takeOver begins a check that was left to others, unless something has come from its target
// since, or there is no room: then it has its turn again.
func (c *Core) takeOver(p *probe) {
	if _, refused := c.refusals[p.target]; !refused || c.checks(reset, true) >= c.cfg.MaxChecks {
		c.abandon(p.target, reset)
		return
	}
	p.again = c.refusedLately(p.target)
	c.again(p)
}

// refusedLately reports whether i has refused a connection of this node within the last two
// periods. It may not have been tried again since: who is asked to often is not dialled each time.
func (c *Core) refusedLately(i id) bool {
	at, ok := c.refusals[i]
	return ok && c.now.Sub(at) < 2*c.cfg.Period
}

// revive pings one of the failed. If it hears what is said of it, it refutes.
func (c *Core) revive() {
	c.reviveAt = c.now.Add(c.cfg.Revive)
	failed := c.members.failed
	c.seq++
	c.ping(failed[c.cfg.Rand.IntN(len(failed))], c.seq)
}
