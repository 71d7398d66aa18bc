package clustertest

import "slices"

// Held is the messages that [Cluster.Hold] holds. Its methods may be called on
// any goroutine, except for those that may fail the test.
type Held struct{ *rule }

// List returns the messages that are held now, in the order in which they came.
// The slice is the caller's.
func (h *Held) List() []*Message { return h.traffic.list(h.rule) }

// Len returns how many messages are held now.
func (h *Held) Len() int { return len(h.List()) }

// Count returns how many messages have been held so far.
func (h *Held) Count() int { return h.count() }

// Await returns the first message that is held and matched, once there is one.
// It fails the test after a minute, and must be called on its goroutine.
func (h *Held) Await(match ...Match) *Message {
	c := h.traffic.cluster
	c.t.Helper()
	var found *Message
	if !c.becomes(patience, func() bool {
		list := h.List()
		if i := slices.IndexFunc(list, func(m *Message) bool { return matches(match, m) }); i >= 0 {
			found = list[i]
		}
		return found != nil
	}) {
		c.schedule.note("gave up waiting for a message to hold")
		c.t.Fatalf("clustertest: no such message was held within %v; held are %v", patience, h.List())
	}
	return found
}

// Deliver delivers what is held now, in the order in which it came. What comes
// later is held.
func (h *Held) Deliver() {
	for _, m := range h.List() {
		m.let("deliver")
	}
}

// Shuffle delivers what is held now in an order that [Seed] determines, in which
// nothing overtakes what it must not. It must be called on the test's goroutine.
func (h *Held) Shuffle() {
	list := h.List()
	for len(list) > 0 {
		i := h.traffic.cluster.rand.IntN(len(list))
		if list[i].inLine() { // then the first of that line
			i = slices.IndexFunc(list, func(m *Message) bool { return m.line == list[i].line })
		}
		list[i].let("deliver")
		list = slices.Delete(list, i, i+1)
	}
}

// Drop lets what is held now never arrive.
func (h *Held) Drop() {
	for _, m := range h.List() {
		m.Drop()
	}
}

// Release ends the rule and delivers what it holds, in the order in which it
// came.
func (h *Held) Release() {
	h.stop()
	h.Deliver()
}

// Overtake lets messages pass those that are held, and the test deliver them in
// whatever order, also if they are of the same sender and receiver. It returns
// h.
func (h *Held) Overtake() *Held {
	h.traffic.letOvertake(h.rule)
	return h
}

// PauseDelivery holds everything that processes send to other nodes until
// [Cluster.ResumeDelivery], or until the test delivers it. Rules that there are
// already go first.
func (c *Cluster) PauseDelivery() *Held {
	c.t.Helper()
	held := c.Hold()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pauses = append(c.pauses, held)
	return held
}

// ResumeDelivery ends what [Cluster.PauseDelivery] began, and delivers what it
// still holds in the order in which it came.
func (c *Cluster) ResumeDelivery() {
	c.mu.Lock()
	pauses := c.pauses
	c.pauses = nil
	c.mu.Unlock()
	for _, held := range pauses {
		held.Release()
	}
}
