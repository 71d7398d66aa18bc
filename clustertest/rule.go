package clustertest

import (
	"fmt"
	"time"
)

// Rule is what is done to messages that it matches, until it is stopped. Of
// several rules that match, the oldest decides.
type Rule struct{ *rule }

// rule is what the traffic knows of a [Rule] or [Held].
type rule struct {
	traffic *traffic
	what    string
	match   []Match
	action  action
	delay   time.Duration // of actionDelay
	copies  int           // how often it is delivered; of actionDuplicate

	// Guarded by the traffic's lock.
	overtake bool
	stopped  bool
	applied  int
}

type action uint8

const (
	actionHold action = iota
	actionDelay
	actionDrop
	actionDuplicate
)

// Hold holds all messages that are matched by all of matches until the test
// delivers them. So that none overtakes another, later ones of the same sender,
// receiver, channel and key wait behind them, matched or not; see
// [Held.Overtake].
//
// What can be held is everything that processes send to other nodes, calls,
// replies, links and exits included; heartbeats are not. What a node sends
// again because it was not acknowledged is another message.
func (c *Cluster) Hold(matches ...Match) *Held {
	c.t.Helper()
	return &Held{c.traffic.addRule(&rule{what: "hold", match: matches, action: actionHold})}
}

// Drop lets the messages that are matched never arrive. Acknowledged messages
// are sent again, and are matched again.
func (c *Cluster) Drop(matches ...Match) *Rule {
	c.t.Helper()
	return &Rule{c.traffic.addRule(&rule{what: "drop", match: matches, action: actionDrop})}
}

// Delay delivers the messages that are matched that much later, and those
// behind them, as with [Cluster.Hold]. d must be positive.
func (c *Cluster) Delay(d time.Duration, matches ...Match) *Rule {
	c.t.Helper()
	if d <= 0 {
		c.t.Fatalf("clustertest: delay of %v", d)
	}
	return &Rule{c.traffic.addRule(&rule{what: fmt.Sprintf("delay %v", d), match: matches, action: actionDelay, delay: d})}
}

// Duplicate delivers the messages that are matched n more times, one after the
// other. What they carry is not copied.
func (c *Cluster) Duplicate(n int, matches ...Match) *Rule {
	c.t.Helper()
	if n < 1 {
		c.t.Fatalf("clustertest: %d duplicates", n)
	}
	return &Rule{c.traffic.addRule(&rule{what: fmt.Sprintf("duplicate %d", n), match: matches, action: actionDuplicate, copies: n + 1})}
}

// Count returns how many messages the rule was applied to.
func (r *Rule) Count() int { return r.count() }

// Stop ends the rule. Messages that it delays arrive in their time.
func (r *Rule) Stop() { r.stop() }

// Overtake lets messages pass those that the rule delays. It returns r.
func (r *Rule) Overtake() *Rule {
	r.traffic.letOvertake(r.rule)
	return r
}

func (r *rule) count() int {
	r.traffic.mu.Lock()
	defer r.traffic.mu.Unlock()
	return r.applied
}

func (r *rule) stop() {
	t := r.traffic
	t.mu.Lock()
	stopped := r.stopped
	t.removeLocked(r)
	t.mu.Unlock()
	if !stopped {
		t.cluster.schedule.note("stop rule: %s", r.what)
	}
}
