package clustertest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/topos-go/topos"
)

// member is one of the nodes. The cluster's lock guards what changes.
type member struct {
	name string

	node    *topos.Node // as it was started last
	running bool
	paused  bool
	dir     string // empty until somebody asks
}

// start starts node i, which is not running.
func (c *Cluster) start(i int) {
	c.t.Helper()
	m := c.members[i]
	cfg := topos.Config{
		Secret: secret,
		Types:  c.opts.types,
		Errors: slices.Clone(c.opts.errors),
		Logger: c.schedule.logger(c.t),
	}
	for _, other := range c.members {
		if other != m {
			cfg.Join = append(cfg.Join, other.name+":"+port)
		}
	}
	for _, f := range c.opts.config {
		f(c, i, &cfg)
	}
	cfg.Name, cfg.Listen, cfg.Transport = m.name, m.name+":"+port, c.net.Host(m.name)
	c.traffic.tap(&cfg)
	node, err := topos.Start(context.Background(), cfg)
	if err != nil {
		c.t.Fatalf("clustertest: starting %s: %v", m.name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m.node, m.running = node, true
}

// end notes that node i does not run any more. It fails the test if it did not.
func (c *Cluster) end(i int, how string) *topos.Node {
	c.t.Helper()
	m := c.member(i)
	c.mu.Lock()
	running := m.running
	m.running, m.paused = false, false
	c.mu.Unlock()
	if !running {
		c.t.Fatalf("clustertest: %s: %s does not run", how, m.name)
	}
	c.schedule.note("%s %s", how, m.name)
	return m.node
}

// Kill ends node i as SIGKILL ends a program, also if it is paused: its
// connections are closed by its operating system, and nothing else is said.
// Messages to it that are held are lost.
func (c *Cluster) Kill(i int) {
	c.t.Helper()
	node := c.end(i, "kill")
	c.net.Kill(c.members[i].name) // first, so that nobody hears of the rest
	node.Kill()
	c.traffic.forget(node.Node())
}

// Stop ends node i in order: its supervision tree is stopped and it leaves the
// cluster; see [topos.Node.Close]. It waits for that.
func (c *Cluster) Stop(i int) {
	c.t.Helper()
	c.Resume(i)
	node := c.end(i, "stop")
	ctx, cancel := context.WithTimeout(context.Background(), maxClosing)
	defer cancel()
	if err := node.Close(ctx); err != nil {
		c.t.Errorf("clustertest: stop n%d: %v", i, err)
	}
	c.traffic.forget(node.Node())
}

// Restart starts node i anew, with the same configuration and what is left in
// its [Cluster.Dir]. If it runs, it is killed first. It comes back as a newer
// incarnation, and has not met the others yet when Restart returns.
func (c *Cluster) Restart(i int) {
	c.t.Helper()
	m := c.member(i)
	c.mu.Lock()
	running := m.running
	c.mu.Unlock()
	if running {
		c.Kill(i)
	}
	// Incarnations are ordered by the clock, and virtual time may have stood
	// still since the last start.
	<-time.After(time.Millisecond)
	c.schedule.note("restart %s", m.name)
	c.start(i)
}

// Pause stops node i as SIGSTOP stops a program, as seen from outside: it
// neither sends nor receives anything, while its connections stay. The others
// will find that it is down.
//
// Goroutines cannot be stopped from outside, so the node itself goes on behind
// its frozen network, and its timers too: it will find that all the others are
// down, which a program that was stopped finds when it goes on.
func (c *Cluster) Pause(i int) { c.t.Helper(); c.setPaused(i, true) }

// Resume lets node i go on. What it has written meanwhile is sent.
func (c *Cluster) Resume(i int) { c.t.Helper(); c.setPaused(i, false) }

func (c *Cluster) setPaused(i int, paused bool) {
	c.t.Helper()
	m := c.member(i)
	c.mu.Lock()
	running, before := m.running, m.paused
	m.paused = paused && running
	c.mu.Unlock()
	switch {
	case paused && !running:
		c.t.Fatalf("clustertest: pause: %s does not run", m.name)
	case paused && !before:
		c.schedule.note("pause %s", m.name)
		c.net.Freeze(m.name)
	case !paused && before:
		c.schedule.note("resume %s", m.name)
		c.net.Thaw(m.name)
	}
}

// Dir returns a folder for what node i keeps on disk. It survives [Cluster.Kill]
// and [Cluster.Restart] and is removed when the test ends.
func (c *Cluster) Dir(i int) string {
	c.t.Helper()
	m := c.member(i)
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.dir == "" {
		m.dir = filepath.Join(c.t.TempDir(), m.name)
		if err := os.Mkdir(m.dir, 0o700); err != nil {
			c.t.Fatalf("clustertest: %v", err)
		}
	}
	return m.dir
}

// Wipe empties the folder of node i, as when a disk is replaced. The node must
// not run.
func (c *Cluster) Wipe(i int) {
	c.t.Helper()
	m := c.member(i)
	c.mu.Lock()
	running := m.running
	c.mu.Unlock()
	if running {
		c.t.Fatalf("clustertest: wipe: %s runs", m.name)
	}
	dir := c.Dir(i)
	c.schedule.note("wipe the folder of %s", m.name)
	if err := os.RemoveAll(dir); err != nil {
		c.t.Fatalf("clustertest: %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		c.t.Fatalf("clustertest: %v", err)
	}
}
