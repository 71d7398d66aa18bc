package clustertest

import (
	"fmt"
	"strings"
	"testing/synctest"
	"time"
)

const (
	// looks is how often Eventually and Never look at least.
	looks = 1000
	// longestLook and shortestLook bound the time between two looks.
	longestLook  = 100 * time.Millisecond
	shortestLook = time.Millisecond
	// patience is how long what does not say waits: in virtual time, which
	// costs nothing.
	patience = time.Minute
)

// Settle returns when nothing happens any more until time passes: all that is
// on its way without latency has arrived and been handled. It needs a bubble.
func (c *Cluster) Settle() {
	c.t.Helper()
	if !c.bubble {
		c.t.Fatalf("clustertest: Settle outside a testing/synctest bubble")
	}
	synctest.Wait()
}

// Pass lets time pass, and in a bubble everything settle.
func (c *Cluster) Pass(d time.Duration) {
	c.t.Helper()
	if d > 0 {
		<-time.After(d)
	}
	c.calm()
}

// Eventually fails the test unless cond becomes true in that time. It looks at
// least a thousand times, or each millisecond, and in a bubble only when
// everything has settled.
func (c *Cluster) Eventually(within time.Duration, cond func() bool) {
	c.t.Helper()
	if !c.becomes(within, cond) {
		c.schedule.note("gave up: not so within %v", within)
		c.t.Fatalf("clustertest: not so within %v", within)
	}
}

// Never fails the test if cond becomes true in that time. It looks as
// [Cluster.Eventually] does.
func (c *Cluster) Never(during time.Duration, cond func() bool) {
	c.t.Helper()
	begun := time.Now()
	if c.becomes(during, cond) {
		c.schedule.note("it became so after %v", time.Since(begun))
		c.t.Fatalf("clustertest: it became so after %v", time.Since(begun))
	}
}

// WaitMembers waits until each of the nodes, which are all that run if none are
// given, sees n members, itself among them. It fails the test after a minute.
func (c *Cluster) WaitMembers(n int, nodes ...int) {
	c.t.Helper()
	if len(nodes) == 0 {
		nodes = c.running()
	}
	seen := func() bool {
		for _, i := range nodes {
			if len(c.Node(i).Members()) != n {
				return false
			}
		}
		return true
	}
	if c.becomes(patience, seen) {
		return
	}
	var views []string
	for _, i := range nodes {
		views = append(views, fmt.Sprintf("n%d sees %v", i, c.view(i)))
	}
	c.schedule.note("gave up waiting for %d members", n)
	c.t.Fatalf("clustertest: not %d members within %v:\n%s", n, patience, strings.Join(views, "\n"))
}

// view returns who node i sees.
func (c *Cluster) view(i int) (names []string) {
	for _, id := range c.Node(i).Members() {
		names = append(names, id.String())
	}
	return names
}

// running returns the numbers of the nodes that run.
func (c *Cluster) running() (nodes []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, m := range c.members {
		if m.running {
			nodes = append(nodes, i)
		}
	}
	return nodes
}

// becomes reports whether cond becomes true in that time.
func (c *Cluster) becomes(within time.Duration, cond func() bool) bool {
	deadline := time.Now().Add(within)
	pause := min(max(within/looks, shortestLook), longestLook)
	for {
		c.calm()
		if cond() {
			return true
		}
		left := time.Until(deadline)
		if left <= 0 {
			return false
		}
		<-time.After(min(pause, left))
	}
}

// calm lets everything settle, if that can be known.
func (c *Cluster) calm() {
	if c.bubble {
		synctest.Wait()
	}
}
