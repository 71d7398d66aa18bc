package clustertest

import (
	"fmt"
	"strings"
	"time"

	"github.com/topos-go/topos/remote/memory"
)

// Partition parts the cluster into groups: within a group everything passes,
// between groups nothing. Nodes that are in no group are one together. What was
// blocked before and is within a group now has healed. As over TCP, what is
// written across groups arrives after healing, unless a node has given the
// other up by then.
func (c *Cluster) Partition(groups ...[]int) {
	c.t.Helper()
	side := make([]int, len(c.members)) // 0 for those in no group
	var told []string
	for g, group := range groups {
		told = append(told, "{"+c.names(group...)+"}")
		for _, i := range group {
			if side[i] != 0 {
				c.t.Fatalf("clustertest: partition: n%d is in two groups", i)
			}
			side[i] = g + 1
		}
	}
	c.schedule.note("partition %s", strings.Join(told, " "))
	c.eachPair(func(a, b int) { c.setParted(a, b, side[a] != side[b]) })
}

// Isolate lets nothing pass between node i and any other.
func (c *Cluster) Isolate(i int) {
	c.t.Helper()
	c.schedule.note("isolate %s", c.names(i))
	c.eachPair(func(a, b int) {
		if a == i || b == i {
			c.setParted(a, b, true)
		}
	})
}

// Part lets nothing pass between nodes a and b, in either direction. Their ways
// to others stay as they are.
func (c *Cluster) Part(a, b int) {
	c.t.Helper()
	c.schedule.note("part %s", c.pair(a, b))
	c.setParted(a, b, true)
}

// Block lets nothing pass from one node to another. The other direction stays
// as it is, but confirmations of what it brings do not pass, and no connection
// can be made: see [memory.Network.Block].
func (c *Cluster) Block(from, to int) {
	c.t.Helper()
	c.pair(from, to)
	c.schedule.note("block %s to %s", c.names(from), c.names(to))
	c.net.Block(c.members[from].name, c.members[to].name)
}

// Heal ends whatever [Cluster.Partition], [Cluster.Isolate], [Cluster.Part] and
// [Cluster.Block] did. What links are like, and paused nodes, stay as they are.
func (c *Cluster) Heal() {
	c.t.Helper()
	c.schedule.note("heal")
	c.eachPair(func(a, b int) { c.setParted(a, b, false) })
}

// HealLink lets everything pass between nodes a and b.
func (c *Cluster) HealLink(a, b int) {
	c.t.Helper()
	c.schedule.note("heal %s", c.pair(a, b))
	c.setParted(a, b, false)
}

// Cut breaks all connections between nodes a and b once, as a router does that
// lost its state. New ones can be made at once. It returns how many there were.
func (c *Cluster) Cut(a, b int) int {
	c.t.Helper()
	pair := c.pair(a, b)
	n := c.net.Cut(c.members[a].name, c.members[b].name)
	c.schedule.note("cut %d connections of %s", n, pair)
	return n
}

// Latency is how long messages between nodes a and b take from now on: d, and
// at random up to jitter more.
func (c *Cluster) Latency(a, b int, d, jitter time.Duration) {
	c.t.Helper()
	c.setLink(a, b, fmt.Sprintf("latency %v and up to %v more", d, jitter), func(l *memory.Link) { l.Latency, l.Jitter = d, jitter })
}

// Slow lets at most that many bytes pass in a second between nodes a and b, in
// each direction. Zero is no limit.
func (c *Cluster) Slow(a, b, bytesPerSecond int) {
	c.t.Helper()
	c.setLink(a, b, fmt.Sprintf("%d bytes a second", bytesPerSecond), func(l *memory.Link) { l.Bandwidth = bytesPerSecond })
}

// Loss is how likely it is, from 0 to 1, that a write between nodes a and b
// breaks its connection. Over TCP no bytes are lost otherwise; to lose single
// messages use [Cluster.Drop].
func (c *Cluster) Loss(a, b int, probability float64) {
	c.t.Helper()
	c.setLink(a, b, fmt.Sprintf("%v of writes break", probability), func(l *memory.Link) { l.Breaks = probability })
}

// setLink changes both directions of a link.
func (c *Cluster) setLink(a, b int, what string, change func(*memory.Link)) {
	c.t.Helper()
	c.schedule.note("link %s: %s", c.pair(a, b), what)
	for _, way := range [][2]string{{c.members[a].name, c.members[b].name}, {c.members[b].name, c.members[a].name}} {
		link := c.net.Link(way[0], way[1])
		change(&link)
		c.net.SetLink(way[0], way[1], link)
	}
}

func (c *Cluster) setParted(a, b int, parted bool) {
	if parted {
		c.net.Partition(c.members[a].name, c.members[b].name)
	} else {
		c.net.Heal(c.members[a].name, c.members[b].name)
	}
}

func (c *Cluster) eachPair(f func(a, b int)) {
	for b := range c.members {
		for a := range b {
			f(a, b)
		}
	}
}

// pair returns the names of two nodes, which exist and are not the same.
func (c *Cluster) pair(a, b int) string {
	c.t.Helper()
	names := c.names(a) + " and " + c.names(b)
	if a == b {
		c.t.Fatalf("clustertest: there is no link from n%d to itself", a)
	}
	return names
}
