package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// chatter has every place broadcast in answer to what it hears, and knows what
// happened before what: of each broadcast, those that its origin had delivered before
// it, and those before these.
type chatter struct {
	w      *world
	rng    *rand.Rand
	causal bool
	left   int // broadcasts to come
	past   []map[int]bool
	sent   []time.Time
	known  map[overlay.Node]map[int]bool // delivered, or before what was delivered
	had    map[overlay.Node]map[int]bool // delivered
	wrong  []error
}

func newChatter(w *world, causal bool, left int) *chatter {
	c := &chatter{
		w: w, rng: rand.New(rand.NewPCG(w.rng.Uint64(), 7)), causal: causal, left: left,
		known: make(map[overlay.Node]map[int]bool), had: make(map[overlay.Node]map[int]bool),
	}
	w.told = c.heard
	return c
}

func of(m map[overlay.Node]map[int]bool, node overlay.Node) map[int]bool {
	if m[node] == nil {
		m[node] = make(map[int]bool)
	}
	return m[node]
}

// say broadcasts from place i.
func (c *chatter) say(i int) {
	p := c.w.places[i]
	if c.left == 0 || p.core == nil {
		return
	}
	c.left--
	past := make(map[int]bool)
	for m := range of(c.known, p.node) {
		past[m] = true
	}
	c.past, c.sent = append(c.past, past), append(c.sent, c.w.now)
	payload := strconv.Itoa(len(c.past) - 1)
	c.w.carryOut(i, p.core.Step(c.w.now, overlay.Broadcast{Payload: []byte(payload), Causal: c.causal}))
}

// heard checks what place i delivers, and sometimes answers it a moment later.
func (c *chatter) heard(i int, e overlay.Deliver) {
	node := c.w.places[i].node
	m, err := strconv.Atoi(string(e.Payload))
	if err != nil || e.Causal != c.causal {
		c.wrong = append(c.wrong, fmt.Errorf("%v delivers %q, causal %v", node, e.Payload, e.Causal))
		return
	}
	known, had := of(c.known, node), of(c.had, node)
	if had[m] {
		c.wrong = append(c.wrong, fmt.Errorf("%v delivers %d again", node, m))
	}
	if known[m] {
		c.wrong = append(c.wrong, fmt.Errorf("%v delivers %d after what it happened before", node, m))
	}
	had[m], known[m] = true, true
	for before := range c.past[m] {
		known[before] = true
	}
	if c.rng.IntN(10) == 0 {
		c.w.after(0, func() { c.say(i) })
	}
}

// talk lets time pass in which somebody speaks every now and then.
func (c *chatter) talk(d time.Duration) {
	for until := c.w.now.Add(d); c.w.now.Before(until); {
		c.say(c.rng.IntN(len(c.w.places)))
		c.w.run(time.Duration(c.rng.Int64N(int64(100 * time.Millisecond))))
	}
}

// complete checks that the given places have delivered every broadcast.
func (c *chatter) complete(live func(i int) bool) {
	c.w.t.Helper()
	for i, p := range c.w.places {
		for m := range c.past {
			if live(i) && !of(c.had, p.node)[m] {
				c.w.t.Errorf("%v has not had broadcast %d, of %v after the begin", p.node, m, c.sent[m].Sub(epoch))
				break
			}
		}
	}
}

// uneven gives each pair of places a delay of its own, from one to hundred.
func (w *world) uneven() {
	seed := w.rng.Uint64()
	w.delay = func(i, j int) time.Duration {
		pair := key(i, j)
		rng := rand.New(rand.NewPCG(seed, uint64(pair[0]<<16|pair[1])))
		return time.Duration(1+rng.IntN(100)) * time.Millisecond
	}
}

func TestCausalBroadcastsKeepTheirOrderWherePlainOnesDoNot(t *testing.T) {
	broken := 0
	for seed := range uint64(10) {
		for _, causal := range []bool{true, false} {
			w := newWorld(t, 100+seed)
			w.grow(20)
			w.uneven()
			c := newChatter(w, causal, 200)
			c.talk(5 * time.Second)
			w.run(10 * time.Second)
			switch {
			case causal && len(c.wrong) > 0:
				t.Errorf("seed %d: %v", seed, errors.Join(c.wrong[:min(len(c.wrong), 5)]...))
			case !causal && len(c.wrong) > 0:
				broken++
			}
			c.complete(all)
		}
	}
	if broken < 5 { // some take one tree all the time, which has an order
		t.Errorf("plain broadcasts keep causal order in %d of 10 runs: this is no test of it", 10-broken)
	}
}

func TestCausalOrderIsKeptWhileTheTopologyIsReplaced(t *testing.T) {
	for seed := range uint64(2) {
		w := newWorld(t, 120+seed)
		w.grow(12)
		w.uneven()
		c := newChatter(w, true, 1<<20)
		for _, to := range []string{"fullmesh", "gossip", "clientserver", "hyparview"} {
			w.propose(to)
			c.left = 120
			c.talk(15 * time.Second)
			w.run(15 * time.Second)
			if got := w.places[3].core.Wiring(); got != to {
				t.Fatalf("wired by %v, not %v", got, to)
			}
		}
		if err := errors.Join(c.wrong[:min(len(c.wrong), 5)]...); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		c.complete(all) // and nothing is lost: there was no fault
	}
}

func TestCausalOrderIsKeptThroughCrashesRestartsAndPartitions(t *testing.T) {
	for seed := range uint64(4) {
		w := newWorld(t, 140+seed)
		w.grow(16)
		w.uneven()
		c := newChatter(w, true, 1<<20)
		gone := []int{5, 9, 14}
		for _, i := range gone {
			c.left = 50
			c.talk(2 * time.Second)
			w.end(i)
		}
		c.left = 50
		c.talk(3 * time.Second)
		w.boot(9)
		w.split(func(i int) int { return i % 2 })
		c.left = 100
		c.talk(20 * time.Second)
		w.side = func(int) int { return 0 }
		c.left = 100
		c.talk(20 * time.Second)
		w.run(4 * time.Minute)
		if err := errors.Join(c.wrong[:min(len(c.wrong), 5)]...); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		// When all is well again, all hear what is said from then on.
		c.past, c.sent, c.known, c.had = nil, nil, make(map[overlay.Node]map[int]bool), make(map[overlay.Node]map[int]bool)
		c.left = 100
		c.talk(3 * time.Second)
		w.run(20 * time.Second)
		if err := errors.Join(c.wrong...); err != nil {
			t.Errorf("seed %d, after healing: %v", seed, err)
		}
		c.complete(but(5, 14))
	}
}

// A connection that takes the place of another without a word of the topology's is
// another link: what was on its way on the first is lost, and given up or had from
// others.
func TestConnectionThatIsReplacedIsAnotherLinkForCausalBroadcasts(t *testing.T) {
	w := newWorld(t, 160)
	w.grow(2)
	w.run(10 * time.Second)
	c := newChatter(w, true, 1<<20)
	x, y := w.places[0], w.places[1]
	w.delay = func(int, int) time.Duration { return time.Hour } // for ever
	c.say(0)
	w.delay = func(int, int) time.Duration { return delay }
	w.tell(0, x.node, overlay.LinkUp{Node: y.node})
	w.tell(1, y.node, overlay.LinkUp{Node: x.node, Accepted: true})
	w.run(20 * time.Second)
	c.say(0)
	w.run(5 * time.Second)
	if had := of(c.had, y.node); had[0] || !had[1] || len(c.wrong) > 0 {
		t.Errorf("%v has had %v: %v", y.node, had, c.wrong)
	}
}
