package session

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// item is what is pushed in simulations: the nth message of a stream.
type item struct{ key, n int }

// outcomeOf is what is known of a message.
type outcomeOf struct {
	seq                            uint64
	transmitted, delivered, gaveUp bool
}

// history is the naive model of one stream: everything ever pushed, in order. It
// is what a queue would be that delivers each message exactly once.
type history struct {
	unordered bool
	pushed    []outcomeOf
	delivered int // ordered: everything before it has been delivered or skipped
	settled   int // everything before it has left the sender
}

// checker has the histories of all streams. Its methods return what must not be.
type checker struct {
	streams map[int]*history
	counts  counts
}

// counts says what has happened, so that a simulation can be seen to be one.
type counts struct {
	Delivered, Unknown, NeverSent, UnknownButDelivered, Skips int
}

func newChecker() *checker { return &checker{streams: make(map[int]*history)} }

func (c *checker) stream(key int) *history {
	h := c.streams[key]
	if h == nil {
		h = &history{unordered: isUnordered(key)}
		c.streams[key] = h
	}
	return h
}

// keys returns the keys of all streams, in order.
func (c *checker) keys() []int { return slices.Sorted(maps.Keys(c.streams)) }

func (c *checker) push(it item, seq uint64) error {
	h := c.stream(it.key)
	if n := len(h.pushed); n > 0 && h.pushed[n-1].seq >= seq {
		return fmt.Errorf("%v has number %d, after %d", it, seq, h.pushed[n-1].seq)
	}
	h.pushed = append(h.pushed, outcomeOf{seq: seq})
	return nil
}

func (c *checker) transmit(key int, m Transmit[item]) error {
	o := &c.stream(key).pushed[m.Item.n]
	o.transmitted = true
	if m.Seq != o.seq || m.Oldest > m.Seq || m.Item.key != key || o.gaveUp {
		return fmt.Errorf("transmitted %+v, of %+v", m, *o)
	}
	return nil
}

func (c *checker) gaveUp(key int, g GaveUp[item]) error {
	o := &c.stream(key).pushed[g.Item.n]
	if o.gaveUp || g.Seq != o.seq || g.Item.key != key || g.Transmitted != o.transmitted {
		return fmt.Errorf("gave up %+v, of %+v", g, *o)
	}
	if errors.Is(g.Err, ErrOutcomeUnknown) != g.Transmitted || errors.Is(g.Err, ErrNotTransmitted) == g.Transmitted {
		return fmt.Errorf("gave up %+v", g)
	}
	o.gaveUp = true
	if g.Transmitted {
		c.counts.Unknown++
	} else {
		c.counts.NeverSent++
	}
	if o.delivered {
		c.counts.UnknownButDelivered++
	}
	return nil
}

func (c *checker) deliver(key int, it item) error {
	h := c.stream(key)
	if it.key != key || it.n >= len(h.pushed) {
		return fmt.Errorf("stream %d delivered %v", key, it)
	}
	o := &h.pushed[it.n]
	switch {
	case o.delivered:
		return fmt.Errorf("%v is delivered twice", it)
	case !o.transmitted:
		return fmt.Errorf("%v is delivered and was never transmitted", it)
	case !h.unordered && it.n < h.delivered:
		return fmt.Errorf("%v is delivered after a later one", it)
	}
	for ; !h.unordered && h.delivered < it.n; h.delivered++ {
		if skipped := h.pushed[h.delivered]; !skipped.gaveUp {
			return fmt.Errorf("%v is delivered before number %d, which was not given up", it, skipped.seq)
		}
	}
	h.delivered = max(h.delivered, it.n+1)
	o.delivered = true
	c.counts.Delivered++
	if o.gaveUp {
		c.counts.UnknownButDelivered++
	}
	return nil
}

// confirm checks the promise of an ack: what has left the sender without being
// given up has been delivered. base is the lowest number that it retains.
func (c *checker) confirm(key int, base uint64) error {
	h := c.stream(key)
	for ; h.settled < len(h.pushed) && h.pushed[h.settled].seq < base; h.settled++ {
		if o := h.pushed[h.settled]; !o.delivered && !o.gaveUp {
			return fmt.Errorf("stream %d acknowledged number %d, which was not delivered", key, o.seq)
		}
	}
	return nil
}

// all checks that nothing is left open, and returns how much was given up.
func (c *checker) all() (given int, err error) {
	for _, key := range c.keys() {
		h := c.streams[key]
		for n, o := range h.pushed {
			if o.gaveUp {
				given++
			} else if !o.delivered {
				return given, fmt.Errorf("stream %d: message %d of %d, number %d, is neither delivered nor given up", key, n, len(h.pushed), o.seq)
			}
		}
	}
	return given, nil
}
