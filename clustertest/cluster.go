package clustertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/remote/memory"
)

const (
	// secret is what all nodes of a cluster know.
	secret = "clustertest"
	// port is where each node listens on its own machine.
	port = "4000"
	// maxClosing bounds the end of a node.
	maxClosing = 10 * time.Second
)

// Cluster is a number of nodes on a network of their own, under the control of
// a test. It is made with [New] or [Run] and ends with the test.
//
// Nodes are called by their numbers, from 0, and are named "n0", "n1" and so
// on. What is wrong with a call, such as the number of a node that does not
// exist, fails the test at once. Methods that wait, and those that say so, must
// be called on the test's goroutine; the others may be called on any.
type Cluster struct {
	t        testing.TB
	opts     options
	bubble   bool // time is virtual
	net      *memory.Network
	schedule *schedule
	traffic  *traffic
	rand     *rand.Rand

	members []*member // never changed

	mu     sync.Mutex
	pauses []*Held // of PauseDelivery
}

// Run runs f in a testing/synctest bubble with a cluster of n nodes that have
// met. When f returns they are closed; goroutines that f has started must have
// ended by then.
func Run(t *testing.T, n int, f func(t *testing.T, c *Cluster), opts ...Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, New(t, n, opts...)) })
}

// New starts n nodes that are closed when t ends, and returns when they have
// met. In a testing/synctest bubble, t must be the bubble's. Outside, everything
// works too, but takes real time, except for [Cluster.Settle].
func New(t testing.TB, n int, opts ...Option) *Cluster {
	t.Helper()
	if n < 1 {
		t.Fatalf("clustertest: a cluster of %d nodes", n)
	}
	o := gather(t, opts)
	c := &Cluster{t: t, opts: o, bubble: bubbled(), schedule: newSchedule(o.seed), rand: rand.New(rand.NewPCG(o.seed, 1))}
	c.net = memory.New(memory.Config{Seed: o.seed, Broken: func(from, to string) {
		c.schedule.note("a connection broke when %s wrote to %s", from, to)
	}})
	c.traffic = newTraffic(c)
	for i := range n {
		c.members = append(c.members, &member{name: fmt.Sprint("n", i)})
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.schedule.String())
		}
	})
	t.Cleanup(c.close)
	for i := range n {
		c.start(i)
	}
	c.WaitMembers(n)
	c.schedule.note("%d nodes have met", n)
	return c
}

// bubbled reports whether this goroutine is in a bubble.
func bubbled() (yes bool) {
	defer func() { yes = recover() == nil }()
	synctest.Wait()
	return true
}

// Size returns the number of nodes, running or not.
func (c *Cluster) Size() int { return len(c.members) }

// Node returns node i as it was started last. If it has been killed or stopped
// since, so has what Node returns.
func (c *Cluster) Node(i int) *topos.Node {
	c.t.Helper()
	m := c.member(i)
	c.mu.Lock()
	defer c.mu.Unlock()
	return m.node
}

// Nodes returns the nodes that run, paused or not, in the order of their
// numbers. The slice is the caller's.
func (c *Cluster) Nodes() []*topos.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	var nodes []*topos.Node
	for _, m := range c.members {
		if m.running {
			nodes = append(nodes, m.node)
		}
	}
	return nodes
}

// Rand returns randomness for the test's own choices, which [Seed] determines.
// It belongs to the test's goroutine.
func (c *Cluster) Rand() *rand.Rand { return c.rand }

// Seed returns what determines the cluster's randomness; see the option [Seed].
func (c *Cluster) Seed() uint64 { return c.opts.seed }

// member returns node i, which exists.
func (c *Cluster) member(i int) *member {
	c.t.Helper()
	if i < 0 || i >= len(c.members) {
		c.t.Fatalf("clustertest: there is no node %d among %d", i, len(c.members))
	}
	return c.members[i]
}

// names returns the names of nodes, which exist.
func (c *Cluster) names(nodes ...int) string {
	c.t.Helper()
	names := make([]string, len(nodes))
	for k, i := range nodes {
		names[k] = c.member(i).name
	}
	return strings.Join(names, " ")
}

// close ends everything, on a network without faults.
func (c *Cluster) close() {
	c.t.Helper()
	c.traffic.close()
	for i, m := range c.members {
		c.net.Thaw(m.name)
		for _, other := range c.members[:i] {
			c.net.Heal(m.name, other.name)
			c.net.SetLink(m.name, other.name, memory.Link{})
			c.net.SetLink(other.name, m.name, memory.Link{})
		}
	}
	for _, m := range c.members {
		if m.node == nil {
			continue // it could not be started
		}
		ctx, cancel := context.WithTimeout(context.Background(), maxClosing)
		if err := m.node.Close(ctx); err != nil {
			c.t.Errorf("clustertest: closing %s: %v", m.name, err)
		}
		cancel()
	}
	c.schedule.close()
}
