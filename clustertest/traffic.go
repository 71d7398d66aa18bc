package clustertest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/topos-go/topos/actor"
)

// traffic is all that processes send to other nodes, and the rules for it.
//
// Invariants, under the lock: a message is in at most one lineup, that of its
// line; a lineup that is empty and that nobody drains is not in lineups;
// messages of one line are delivered one at a time and in order, except for
// those that a rule lets be overtaken; held is the messages that wait. The lock
// is never held while a message is delivered, matched or described, all of which
// is others' code.
type traffic struct {
	cluster *Cluster

	mu      sync.Mutex
	rules   []*rule // never changed in place
	lineups map[line]*lineup
	held    map[*Message]struct{}
	number  int
	closed  bool
	rand    *rand.Rand
	delays  sync.WaitGroup // timers that deliver
}

// lineup is the messages of one line that wait for their turn.
type lineup struct {
	line     line
	messages []*Message
	draining bool // somebody delivers from it
}

func newTraffic(c *Cluster) *traffic {
	return &traffic{
		cluster: c,
		lineups: make(map[line]*lineup),
		held:    make(map[*Message]struct{}),
		rand:    rand.New(rand.NewPCG(c.opts.seed, 2)),
	}
}

func (t *traffic) draw() float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rand.Float64()
}

// addRule begins a rule.
func (t *traffic) addRule(r *rule) *rule {
	t.cluster.t.Helper()
	r.traffic = t
	t.cluster.schedule.note("rule: %s", r.what)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rules = append(slices.Clip(t.rules), r)
	return r
}

func (t *traffic) removeLocked(r *rule) {
	r.stopped = true
	t.rules = slices.DeleteFunc(slices.Clone(t.rules), func(other *rule) bool { return other == r })
}

// arrive decides what becomes of m. It is called on the goroutine of the
// connection that m came over, in the order in which its line was sent.
func (t *traffic) arrive(m *Message) {
	t.mu.Lock()
	rules, quiet := t.rules, len(t.rules) == 0 && len(t.lineups) == 0 || t.closed
	t.mu.Unlock()
	if quiet {
		m.deliver()
		return
	}
	m.traffic, m.copies = t, 1
	var r *rule
	if i := slices.IndexFunc(rules, func(r *rule) bool { return matches(r.match, m) }); i >= 0 {
		r = rules[i]
		m.describe()
	}
	t.mu.Lock()
	if r == nil || r.stopped {
		m.state = ready
		t.enqueueLocked(m)
		t.goOn(m.lineup, m)
		return
	}
	t.number++
	r.applied++
	m.Number, m.rule = t.number, r
	t.cluster.schedule.note("%s %v", r.what, m)
	switch r.action {
	case actionHold, actionDelay:
		m.state = waiting
		t.held[m] = struct{}{}
		if !r.overtake {
			t.enqueueLocked(m)
		}
		if r.action == actionDelay {
			t.delays.Add(1)
			m.timer = time.AfterFunc(r.delay, func() {
				defer t.delays.Done()
				m.let("")
			})
		}
		t.mu.Unlock()
	case actionDuplicate:
		m.state, m.copies = ready, r.copies
		t.enqueueLocked(m)
		t.goOn(m.lineup, m)
	case actionDrop:
		m.state = gone
		t.mu.Unlock()
	}
}

// enqueueLocked puts m at the end of its line.
func (t *traffic) enqueueLocked(m *Message) {
	q := t.lineups[m.line]
	if q == nil {
		q = &lineup{line: m.line}
		t.lineups[m.line] = q
	}
	q.messages = append(q.messages, m)
	m.lineup = q
}

// goOn delivers what can be, now that m is ready or gone, which is in the lineup
// q or in none. It is called with the lock held, which it gives up.
func (t *traffic) goOn(q *lineup, m *Message) {
	switch {
	case q != nil:
		t.drain(q)
	case m.state == ready:
		t.goneLocked(m)
		t.mu.Unlock()
		m.hand()
	default:
		t.mu.Unlock()
	}
}

// drain delivers the messages at the head of q that are ready, unless somebody
// does so already. It is called with the lock held, which it gives up.
func (t *traffic) drain(q *lineup) {
	defer t.mu.Unlock()
	if q.draining {
		return
	}
	q.draining = true
	for len(q.messages) > 0 && q.messages[0].state == ready {
		m := q.messages[0]
		t.goneLocked(m)
		t.mu.Unlock()
		m.hand()
		t.mu.Lock()
	}
	q.draining = false
	if len(q.messages) == 0 {
		delete(t.lineups, q.line)
	}
}

// hand delivers m as often as it is to be.
func (m *Message) hand() {
	for range m.copies {
		m.deliver()
	}
}

// leaveLocked takes m out of its line.
func (t *traffic) leaveLocked(m *Message) {
	if q := m.lineup; q != nil {
		q.messages = slices.DeleteFunc(q.messages, func(other *Message) bool { return other == m })
		m.lineup = nil
	}
}

// goneLocked is the end of m, as far as this package is concerned.
func (t *traffic) goneLocked(m *Message) {
	t.leaveLocked(m)
	m.state = gone
	delete(t.held, m)
	if m.timer != nil && m.timer.Stop() {
		t.delays.Done()
	}
}

// list returns the messages that r holds, in the order in which they came.
func (t *traffic) list(r *rule) []*Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.someLocked(func(m *Message) bool { return m.rule == r && m.state == waiting })
}

func (t *traffic) someLocked(which func(*Message) bool) []*Message {
	var some []*Message
	for m := range t.held {
		if which(m) {
			some = append(some, m)
		}
	}
	slices.SortFunc(some, func(a, b *Message) int { return cmp.Compare(a.Number, b.Number) })
	return some
}

// letOvertake takes the messages of r out of their lines.
func (t *traffic) letOvertake(r *rule) {
	t.mu.Lock()
	r.overtake = true
	mine := t.someLocked(func(m *Message) bool { return m.rule == r })
	t.mu.Unlock()
	for _, m := range mine {
		t.mu.Lock()
		q := m.lineup
		t.leaveLocked(m)
		t.goOn(q, m)
	}
}

// forget drops what waits for a node that has ended.
func (t *traffic) forget(to actor.NodeID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropLocked(func(m *Message) bool { return m.line.to == to })
}

// close ends all rules, drops what waits and returns when nothing is delivered
// any more that was held.
func (t *traffic) close() {
	t.mu.Lock()
	t.closed = true
	t.rules = nil
	t.dropLocked(func(*Message) bool { return true })
	t.mu.Unlock()
	t.delays.Wait()
}

// dropLocked drops messages and what waits behind them. which does not tell
// messages of the same line apart.
func (t *traffic) dropLocked(which func(m *Message) bool) {
	for _, m := range t.someLocked(which) {
		q := m.lineup
		t.goneLocked(m)
		if q == nil {
			continue
		}
		for _, behind := range slices.Clone(q.messages) {
			t.goneLocked(behind)
		}
		if !q.draining {
			delete(t.lineups, q.line)
		}
	}
}
