package cluster

import (
	"time"

	"github.com/topos-go/topos/overlay"
)

// part is one of those that a Core is made of, other than the former wiring, which is
// soon gone.
type part uint8

const (
	theTopology part = iota
	theDirectory
	theDetector
	theTree
	theCausal
	parts
)

// dues are when each part has something to do, as of the last time it was asked. Most
// events concern one part, and the others are not looked at: among thousands of nodes in
// a process, that is what takes time.
type dues struct {
	at    [parts]time.Time
	asked [parts]bool
}

// touch says that p is about to be told something: it is asked anew.
func (d *dues) touch(p part) { d.asked[p] = false }

// due returns when p has something to do.
func (c *Core) due(p part) time.Time {
	switch p {
	case theTopology:
		return c.wired.topology.Deadline()
	case theDirectory:
		return c.dir.Deadline()
	case theDetector:
		return c.detector.Deadline()
	case theTree:
		return c.tree.Deadline()
	default:
		return c.causal.Deadline()
	}
}

// Deadline returns when Tick is to be called next; the zero time if there is
// nothing to do.
func (c *Core) Deadline() time.Time {
	if c.left {
		return c.wired.topology.Deadline()
	}
	var next time.Time
	earlier := func(t time.Time) {
		if next.IsZero() || !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	for p := range parts {
		if !c.dues.asked[p] {
			c.dues.at[p], c.dues.asked[p] = c.due(p), true
		}
		earlier(c.dues.at[p])
	}
	earlier(c.overlapped())
	earlier(c.hushed.next())
	earlier(c.rumored.next())
	if c.former != nil {
		earlier(c.former.topology.Deadline())
	}
	return next
}

// Glance reads where a step that is about a broadcast begins, and changes nothing. Who takes
// steps of thousands of nodes has the processor fetch that for several of them at once.
func (c *Core) Glance() time.Time { return c.tree.Deadline() }

// tell tells the topology of w that ev has happened.
func (c *Core) tell(w *wiring, ev overlay.Event) {
	c.dues.touch(theTopology)
	c.fromTopology(w, w.topology.Step(c.now, ev))
}

// tickTopology lets time pass for the topology of w.
func (c *Core) tickTopology(w *wiring) {
	c.dues.touch(theTopology)
	c.fromTopology(w, w.topology.Tick(c.now))
}
