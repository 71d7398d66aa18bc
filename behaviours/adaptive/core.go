package adaptive

import (
	"slices"
	"time"

	"github.com/topos-go/topos/remote"
)

// Decision is what a [Core] makes of metrics.
type Decision struct {
	// Rule is the name of the rule that counts; empty if none holds.
	Rule string
	// From is the present topology, To the one that the rule asks for.
	From, To remote.Topology
	// Due is when the change is due if everything stays as it is; zero if
	// there is none to make.
	Due time.Time
	// Switch says that it is due now.
	Switch bool
}

// Core chooses the topology. It is pure: it is told the metrics of a moment, and
// returns what follows. It is made with [NewCore].
//
// Invariants:
//  1. It asks for a change only if the same rule has been the first to hold
//     since a time Hold ago.
//  2. Between two changes, asked for or seen, there is a CoolDown, unless the
//     rule is urgent; then there is at least its Hold.
//  3. Of a rule's own topology it is thought by the thresholds to leave, so that
//     the one that is left is not entered again at the same metrics.
type Core struct {
	rules          []Rule
	hold, coolDown time.Duration

	begun    bool
	topology remote.Topology // seen last
	asked    remote.Topology // what this core has asked for and not seen yet, or none
	changed  time.Time       // when it was changed last, or should have been
	rule     int             // the first that holds, -1 for none
	since    time.Time       // since when it is
}

// NewCore returns the core that a manager with cfg has. Only Rules, Hold and
// CoolDown matter. Errors are those of the rules, all at once.
func NewCore(cfg Config) (*Core, error) {
	cfg = cfg.withDefaults()
	if err := validRules(cfg.Rules); err != nil {
		return nil, err
	}
	return &Core{rules: slices.Clone(cfg.Rules), hold: cfg.Hold, coolDown: cfg.CoolDown, asked: none, rule: -1}, nil
}

// Step says what follows from m. now must not go back. A change that is due is
// asked for once; if m shows that it was not made, again after CoolDown.
func (c *Core) Step(now time.Time, m Metrics) Decision {
	if !(m.Rate >= 0) { // nor a number
		m.Rate = 0
	}
	if c.begun && m.Topology != c.topology && m.Topology != c.asked {
		c.changed = now // by somebody else
	}
	if m.Topology != c.topology {
		c.asked = none
	}
	c.topology = m.Topology
	if rule := first(c.rules, m); !c.begun || rule != c.rule {
		c.rule, c.since, c.begun = rule, now, true
	}
	d := Decision{From: m.Topology, To: m.Topology}
	if c.rule < 0 {
		return d
	}
	r := &c.rules[c.rule]
	d.Rule, d.To = r.Name, r.Topology
	if d.To == d.From {
		return d
	}
	d.Due = c.due(r)
	if d.Switch = !now.Before(d.Due); d.Switch {
		c.changed, c.asked = now, d.To
	}
	return d
}

// due is when r may act.
func (c *Core) due(r *Rule) time.Time {
	hold := r.Hold
	if hold == 0 {
		hold = c.hold
	}
	pause := c.coolDown
	if r.Urgent {
		pause = hold
	}
	due := c.since.Add(hold)
	if c.changed.IsZero() {
		return due
	}
	if rested := c.changed.Add(pause); rested.After(due) {
		return rested
	}
	return due
}
