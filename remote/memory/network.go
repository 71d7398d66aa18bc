package memory

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Network joins hosts in one process. It is made with [NewNetwork]. Its methods
// are safe for concurrent use.
type Network struct {
	mu        sync.Mutex
	changed   chan struct{} // closed and replaced when a listener or a partition comes or goes
	listeners map[string]*listener
	conns     map[*conn]struct{}
	parted    map[[2]string]bool
	kills     map[string]int
	latency   time.Duration
	ports     int
}

// NewNetwork returns a network without latency, in which every host can reach
// every other one.
func NewNetwork() *Network {
	return &Network{
		changed:   make(chan struct{}),
		listeners: make(map[string]*listener),
		conns:     make(map[*conn]struct{}),
		parted:    make(map[[2]string]bool),
		kills:     make(map[string]int),
	}
}

// Host returns the network as seen from a new process on the machine called
// name. It implements remote.Transport. Addresses are "name:port".
func (n *Network) Host(name string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	return &Host{net: n, name: name, killed: n.kills[name]}
}

// SetLatency lets what is written from now on arrive d later.
func (n *Network) SetLatency(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.latency = d
}

// Partition lets nothing pass between hosts a and b until [Network.Heal]:
// neither bytes nor the end of a connection, and attempts to connect hang. What
// is written meanwhile arrives after healing, as over TCP.
func (n *Network) Partition(a, b string) { n.setParted(a, b, true) }

// Heal ends a partition.
func (n *Network) Heal(a, b string) { n.setParted(a, b, false) }

func (n *Network) setParted(a, b string, parted bool) {
	n.mu.Lock()
	n.parted[pair(a, b)] = parted
	conns := n.between(a, b)
	n.broadcast()
	n.mu.Unlock()
	for _, c := range conns {
		c.in.hold(parted)
	}
}

// Cut breaks all connections between hosts a and b, as a router that lost its
// state does. New ones can be made at once. It returns how many there were.
func (n *Network) Cut(a, b string) int {
	n.mu.Lock()
	conns := n.between(a, b)
	n.mu.Unlock()
	for _, c := range conns {
		c.in.reset()
	}
	return len(conns) / 2
}

// Kill closes all connections and listeners of a machine, as the end of its
// processes does. The Hosts made for it before cannot do anything any more; a
// new one is a process started after that.
func (n *Network) Kill(host string) {
	n.mu.Lock()
	n.kills[host]++
	var conns []*conn
	for c := range n.conns {
		if c.host == host {
			conns = append(conns, c)
		}
	}
	var listeners []*listener
	for _, l := range n.listeners {
		if l.host == host {
			listeners = append(listeners, l)
		}
	}
	n.mu.Unlock()
	for _, l := range listeners {
		l.Close()
	}
	for _, c := range conns {
		c.Close()
	}
}

// between returns both ends of the connections between two hosts. n.mu is held.
func (n *Network) between(a, b string) []*conn {
	var conns []*conn
	for c := range n.conns {
		if pair(c.host, c.peer) == pair(a, b) {
			conns = append(conns, c)
		}
	}
	return conns
}

// broadcast wakes who waits for a change. n.mu is held.
func (n *Network) broadcast() {
	close(n.changed)
	n.changed = make(chan struct{})
}

func pair(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }

// Host is one process on one machine in a [Network].
type Host struct {
	net    *Network
	name   string
	killed int // how often the machine's processes had been killed before
}

// Listen listens at addr, which must be on this host. Port 0 is any free port.
func (h *Host) Listen(addr string) (net.Listener, error) {
	host, port, ok := strings.Cut(addr, ":")
	if !ok || host != h.name {
		return nil, fmt.Errorf("memory: %q is not an address on host %q", addr, h.name)
	}
	n := h.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if h.killed != n.kills[h.name] {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: address(addr), Err: syscall.ENETDOWN}
	}
	if port == "0" {
		n.ports++
		port = strconv.Itoa(n.ports)
		addr = host + ":" + port
	}
	if n.listeners[addr] != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: address(addr), Err: syscall.EADDRINUSE}
	}
	l := &listener{net: n, host: host, addr: addr, backlog: make(chan *conn, 128), closed: make(chan struct{})}
	n.listeners[addr] = l
	n.broadcast()
	return l, nil
}

// Dial connects to the listener at addr.
func (h *Host) Dial(ctx context.Context, addr string) (net.Conn, error) {
	host, _, _ := strings.Cut(addr, ":")
	failed := func(err error) error { return &net.OpError{Op: "dial", Net: network, Addr: address(addr), Err: err} }
	n := h.net
	for {
		n.mu.Lock()
		parted, changed, l := n.parted[pair(h.name, host)], n.changed, n.listeners[addr]
		if h.killed != n.kills[h.name] {
			n.mu.Unlock()
			return nil, failed(syscall.ENETDOWN)
		}
		if !parted {
			if l == nil {
				n.mu.Unlock()
				return nil, failed(syscall.ECONNREFUSED)
			}
			c, err := n.connectLocked(h.name, l)
			n.mu.Unlock()
			if err != nil {
				return nil, failed(err)
			}
			return c, nil
		}
		n.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, failed(ctx.Err())
		}
	}
}

// connectLocked makes a connection from host to l. n.mu is held.
func (n *Network) connectLocked(host string, l *listener) (net.Conn, error) {
	a := &conn{net: n, host: host, peer: l.host, local: address(host + ":out"), remote: address(l.addr)}
	b := &conn{net: n, host: l.host, peer: host, local: address(l.addr), remote: address(host + ":out")}
	a.in, b.in = newPipe(), newPipe()
	a.out, b.out = b.in, a.in
	select {
	case l.backlog <- b:
	default:
		return nil, syscall.ECONNREFUSED
	}
	n.conns[a], n.conns[b] = struct{}{}, struct{}{}
	return a, nil
}

const network = "memory"

// address is a net.Addr.
type address string

func (address) Network() string  { return network }
func (a address) String() string { return string(a) }

// listener is a net.Listener.
type listener struct {
	net     *Network
	host    string
	addr    string
	backlog chan *conn
	once    sync.Once
	closed  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.backlog:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Addr() net.Addr { return address(l.addr) }

func (l *listener) Close() error {
	err := net.ErrClosed
	l.once.Do(func() {
		err = nil
		l.net.mu.Lock()
		delete(l.net.listeners, l.addr)
		l.net.broadcast()
		l.net.mu.Unlock()
		close(l.closed)
		for {
			select {
			case c := <-l.backlog:
				c.Close()
			default:
				return
			}
		}
	})
	return err
}
