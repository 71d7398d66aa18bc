package memory

import (
	"slices"
	"sync"
	"time"
)

// Config says what a [Network] is. The zero Config is that of [NewNetwork].
type Config struct {
	// Seed determines what is drawn on each link: jitter and breaks.
	Seed uint64
	// Broken is told of each connection that breaks because of Link.Breaks, on
	// the goroutine whose write broke it, and must return soon. Nil is nobody.
	Broken func(from, to string)
}

// Network joins hosts in one process. It is made with [NewNetwork] or [New].
// Its methods are safe for concurrent use; none of them waits.
type Network struct {
	cfg Config

	mu        sync.Mutex
	machines  map[string]*machine
	links     map[[2]string]*link
	listeners map[string]*listener
	conns     map[*conn]struct{}
	latency   time.Duration
	ports     int
	made      uint64 // connections so far
	diallers  waiter
}

// NewNetwork returns a network without latency, in which every host can reach
// every other one.
func NewNetwork() *Network { return New(Config{}) }

// New returns a network like that of [NewNetwork], which is as cfg says.
func New(cfg Config) *Network {
	return &Network{
		cfg:       cfg,
		machines:  make(map[string]*machine),
		links:     make(map[[2]string]*link),
		listeners: make(map[string]*listener),
		conns:     make(map[*conn]struct{}),
	}
}

// Host returns the network as seen from a new process on the machine called
// name. Addresses are "name:port".
func (n *Network) Host(name string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.machineLocked(name)
	return &Host{net: n, machine: m, killed: m.kills}
}

func (n *Network) machineLocked(name string) *machine {
	m := n.machines[name]
	if m == nil {
		m = &machine{name: name}
		n.machines[name] = m
	}
	return m
}

// linkLocked returns the way from one host to another, with the way back.
func (n *Network) linkLocked(from, to string) *link {
	l := n.links[[2]string{from, to}]
	if l == nil {
		a, b := n.machineLocked(from), n.machineLocked(to)
		l = newLink(a, b, n.cfg.Seed)
		l.back = l
		if a != b {
			l.back = newLink(b, a, n.cfg.Seed)
			l.back.back = l
		}
		l.Latency, l.back.Latency = n.latency, n.latency
		n.links[[2]string{from, to}], n.links[[2]string{to, from}] = l, l.back
	}
	return l
}

// SetLatency is the latency of all links that SetLink has not been called for.
func (n *Network) SetLatency(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.latency = d
	for _, l := range n.links {
		if !l.own {
			l.Latency = d
			l.changes++
		}
	}
	n.retimeLocked(func(l *link) bool { return !l.own })
}

// Link returns what the way from one host to another is like.
func (n *Network) Link(from, to string) Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.linkLocked(from, to).Link
}

// SetLink is what the way from one host to another is like from now on. The way
// back is a link of its own.
func (n *Network) SetLink(from, to string, is Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.linkLocked(from, to)
	l.Link, l.own, l.free = is, true, time.Time{}
	l.changes++
	n.retimeLocked(func(other *link) bool { return other == l })
}

func (n *Network) retimeLocked(which func(*link) bool) {
	now := time.Now()
	for _, c := range n.someLocked(func(c *conn) bool { return which(c.in.link) }) {
		c.in.retime(now)
	}
	n.diallers.rouse()
}

// Block lets nothing pass from one host to another until [Network.Unblock]:
// neither bytes nor the end of a connection. What is written meanwhile, or was
// still under way, arrives after that, as over TCP. The other direction goes on,
// but its confirmations do not pass, so that its writers wait when their
// buffers are full; connections cannot be made in either direction, attempts
// hang.
func (n *Network) Block(from, to string) { n.setBlocked(true, from, to) }

// Unblock lets everything pass again from one host to another.
func (n *Network) Unblock(from, to string) { n.setBlocked(false, from, to) }

// Partition blocks both directions between hosts a and b.
func (n *Network) Partition(a, b string) { n.setBlocked(true, a, b, a) }

// Heal unblocks both directions between hosts a and b.
func (n *Network) Heal(a, b string) { n.setBlocked(false, a, b, a) }

// setBlocked changes the links along a path.
func (n *Network) setBlocked(blocked bool, path ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range path[1:] {
		n.linkLocked(path[i], path[i+1]).blocked = blocked
	}
	n.settleLocked(n.betweenLocked(path[0], path[1]))
}

// Freeze is a signal to stop for all processes on a machine, until
// [Network.Thaw]: they neither send nor receive nor accept nor dial. Their
// operating system goes on, takes what is sent to them until its buffers are
// full, and connections to their listeners until the backlog is. What they
// write, and the end of connections they close, is sent after thawing.
func (n *Network) Freeze(host string) { n.setFrozen(host, true) }

// Thaw lets the processes on a machine go on.
func (n *Network) Thaw(host string) { n.setFrozen(host, false) }

func (n *Network) setFrozen(host string, frozen bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.machineLocked(host).frozen = frozen
	n.settleLocked(n.someLocked(func(c *conn) bool { return c.out.link.from.name == host || c.in.link.from.name == host }))
	for _, l := range n.listeners {
		l.accepters.rouse()
	}
}

// Cut breaks all connections between hosts a and b, as a router that lost its
// state does. New ones can be made at once. It returns how many there were.
func (n *Network) Cut(a, b string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	cut := 0
	for _, c := range n.betweenLocked(a, b) {
		if !c.in.broken {
			c.reset()
			cut++
		}
	}
	return cut
}

// Kill closes all connections and listeners of a machine, as the end of its
// processes does, frozen or not. The Hosts made for it before cannot do
// anything any more; a new one is a process started after that.
func (n *Network) Kill(host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.machineLocked(host)
	m.kills++
	others := n.someLocked(func(c *conn) bool { return c.in.link.from == m })
	if m.frozen {
		m.frozen = false
		for _, c := range others {
			c.in.unwrite()
		}
	}
	n.settleLocked(others)
	for _, c := range n.someLocked(func(c *conn) bool { return c.out.link.from == m }) {
		c.closeLocked()
	}
	for _, l := range n.listeners {
		if l.machine == m {
			l.closeLocked()
		}
	}
}

// settleLocked brings connections up to date after a change to links.
func (n *Network) settleLocked(conns []*conn) {
	now := time.Now()
	for _, c := range conns {
		c.in.settle(now)
	}
	n.diallers.rouse()
}

// betweenLocked returns both ends of the connections between two hosts.
func (n *Network) betweenLocked(a, b string) []*conn {
	return n.someLocked(func(c *conn) bool {
		from, to := c.out.link.from.name, c.out.link.to.name
		return from == a && to == b || from == b && to == a
	})
}

// someLocked returns some of the connections, the oldest first.
func (n *Network) someLocked(which func(*conn) bool) []*conn {
	var some []*conn
	for c := range n.conns {
		if which(c) {
			some = append(some, c)
		}
	}
	slices.SortFunc(some, (*conn).compare)
	return some
}
