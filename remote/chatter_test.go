package remote_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/memory"
)

// chatter notes what the handlers of nodes are given, and knows what happened before
// what: of each broadcast, those that its origin had handled before it, and those
// before these. In chat, handlers broadcast in answer to some of what they hear.
type chatter struct {
	t    *testing.T
	opts []remote.BroadcastOption

	mu    sync.Mutex
	rng   *rand.Rand
	hosts map[actor.NodeID]*host
	left  int // answers to come
	past  []map[int]bool
	from  []actor.NodeID
	known map[actor.NodeID]map[int]bool // handled, or before what was
	had   map[actor.NodeID]map[int]int  // how often handled
	wrong []error
}

func newChatter(t *testing.T, seed uint64, opts ...remote.BroadcastOption) *chatter {
	return &chatter{
		t: t, opts: opts, rng: rand.New(rand.NewPCG(seed, 1)), hosts: make(map[actor.NodeID]*host),
		known: make(map[actor.NodeID]map[int]bool), had: make(map[actor.NodeID]map[int]int),
	}
}

// join has the given nodes handle what is said.
func (c *chatter) join(hosts ...*host) {
	for _, h := range hosts {
		c.mu.Lock()
		c.hosts[h.ID()], c.known[h.ID()], c.had[h.ID()] = h, make(map[int]bool), make(map[int]int)
		c.mu.Unlock()
		h.HandleBroadcast("chat", func(from actor.NodeID, payload []byte) { c.heard(h, from, payload) })
	}
}

// say broadcasts from h.
func (c *chatter) say(h *host) {
	c.mu.Lock()
	m := len(c.past)
	c.past, c.from = append(c.past, maps.Clone(c.known[h.ID()])), append(c.from, h.ID())
	c.mu.Unlock()
	if err := h.Broadcast("chat", []byte(strconv.Itoa(m)), c.opts...); err != nil {
		c.t.Errorf("%v: %v", h.ID().Name, err)
	}
}

func (c *chatter) heard(h *host, from actor.NodeID, payload []byte) {
	c.mu.Lock()
	m, err := strconv.Atoi(string(payload))
	known, had := c.known[h.ID()], c.had[h.ID()]
	switch {
	case err != nil || m >= len(c.past) || c.from[m] != from:
		c.wrong = append(c.wrong, fmt.Errorf("%v is given %q of %v", h.ID().Name, payload, from))
	case had[m] > 0:
		c.wrong = append(c.wrong, fmt.Errorf("%v is given %d again", h.ID().Name, m))
	case known[m]:
		c.wrong = append(c.wrong, fmt.Errorf("%v is given %d after what it happened before", h.ID().Name, m))
	}
	clear(payload) // it is the handler's
	had[m]++
	known[m] = true
	for before := range c.past[m] {
		known[before] = true
	}
	answer := c.left > 0 && c.rng.IntN(2*len(c.hosts)) == 0 // so that it comes to an end
	if answer {
		c.left--
	}
	c.mu.Unlock()
	if answer {
		c.say(h)
	}
}

// chat lets random nodes speak and answer for a while.
func (c *chatter) chat(w *world, hosts []*host, d time.Duration) {
	c.mu.Lock()
	c.left = 1 << 20
	c.mu.Unlock()
	for until := time.Now().Add(d); time.Now().Before(until); {
		c.mu.Lock()
		h, pause := hosts[c.rng.IntN(len(hosts))], time.Duration(c.rng.Int64N(int64(200*time.Millisecond)))
		c.mu.Unlock()
		c.say(h)
		w.pass(pause)
	}
	c.mu.Lock()
	c.left = 0
	c.mu.Unlock()
}

// ordered checks that nothing was given twice, or out of causal order.
func (c *chatter) ordered() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, err := range c.wrong[:min(len(c.wrong), 5)] {
		c.t.Error(err)
	}
}

// complete checks that the given nodes were given every broadcast from number m on.
func (c *chatter) complete(m int, hosts ...*host) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if m >= len(c.past) {
		c.t.Error("nothing was said")
	}
	for _, h := range hosts {
		missing := 0
		for i := m; i < len(c.past); i++ {
			if c.had[h.ID()][i] == 0 {
				missing++
			}
		}
		if missing > 0 {
			c.t.Errorf("%v was not given %d of %d", h.ID().Name, missing, len(c.past)-m)
		}
	}
}

func (c *chatter) said() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.past)
}

// uneven gives each way between hosts a latency of its own, and jitter.
func (w *world) uneven(seed uint64, hosts int) {
	rng := rand.New(rand.NewPCG(seed, 2))
	for i := range hosts {
		for j := range i {
			link := memory.Link{Latency: time.Duration(1+rng.IntN(60)) * time.Millisecond, Jitter: 20 * time.Millisecond}
			a, b := fmt.Sprint("n", i), fmt.Sprint("n", j)
			w.net.SetLink(a, b, link)
			w.net.SetLink(b, a, link)
		}
	}
}

// mesh starts n nodes that are all linked to each other.
func (w *world) mesh(n int) []*host {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprint("n", i))
	}
	return w.cluster(names...)
}

// gatherings are the clusters of these tests.
var gatherings = map[string]func(t *testing.T, w *world) []*host{
	"6 in a full mesh": func(_ *testing.T, w *world) []*host { return w.mesh(6) },
	"16 in HyParView":  func(t *testing.T, w *world) []*host { return w.sparse(t, 16) },
}

// both runs a test with plain broadcasts and with those in causal order.
func both(t *testing.T, f func(t *testing.T, w *world, all []*host, c *chatter)) {
	for size, begin := range gatherings {
		for kind, opts := range map[string][]remote.BroadcastOption{"plain": nil, "causal": {remote.InCausalOrder()}} {
			t.Run(size+", "+kind, func(t *testing.T) {
				bubble(t, func(t *testing.T, w *world) {
					w.net.SetLatency(2 * time.Millisecond)
					all := begin(t, w)
					w.pass(5 * time.Second)
					c := newChatter(t, 1, opts...)
					c.join(all...)
					f(t, w, all, c)
				})
			})
		}
	}
}
