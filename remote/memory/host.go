package memory

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// machine is where hosts run. The network's lock guards it.
type machine struct {
	name   string
	kills  int  // how often its processes have been killed
	frozen bool // its processes are stopped
}

// Host is one process on one machine in a [Network]. It implements
// remote.Transport. Its methods are safe for concurrent use.
type Host struct {
	net     *Network
	machine *machine
	killed  int // how often the machine's processes had been killed before
}

func opError(op, addr string, err error) error {
	return &net.OpError{Op: op, Net: network, Addr: address(addr), Err: err}
}

// Listen listens at addr, which must be on this host. Port 0 is any free port.
func (h *Host) Listen(addr string) (net.Listener, error) {
	host, port, ok := strings.Cut(addr, ":")
	if !ok || host != h.machine.name {
		return nil, fmt.Errorf("memory: %q is not an address on host %q", addr, h.machine.name)
	}
	n := h.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if h.killed != h.machine.kills {
		return nil, opError("listen", addr, syscall.ENETDOWN)
	}
	if port == "0" {
		n.ports++
		port = strconv.Itoa(n.ports)
		addr = host + ":" + port
	}
	if n.listeners[addr] != nil {
		return nil, opError("listen", addr, syscall.EADDRINUSE)
	}
	l := &listener{net: n, machine: h.machine, addr: addr}
	n.listeners[addr] = l
	n.diallers.rouse()
	return l, nil
}

// Dial connects to the listener at addr, which takes as long as one message
// there and one back.
func (h *Host) Dial(ctx context.Context, addr string) (net.Conn, error) {
	host, _, _ := strings.Cut(addr, ":")
	n := h.net
	n.mu.Lock()
	defer n.mu.Unlock()
	there := n.linkLocked(h.machine.name, host)
	var due time.Time // when the other side's answer is here; zero if nothing has been sent
	changes := 0
	for {
		now := time.Now()
		if c := there.changes + there.back.changes; c != changes {
			changes, due = c, time.Time{}
		}
		l := n.listeners[addr]
		passing := !h.machine.frozen && !there.blocked && !there.back.blocked
		answered := passing && !due.IsZero() && !due.After(now)
		switch {
		case ctx.Err() != nil:
			return nil, opError("dial", addr, ctx.Err())
		case h.killed != h.machine.kills:
			return nil, opError("dial", addr, syscall.ENETDOWN)
		case !passing:
			due = time.Time{} // lost, and sent again some time
		case due.IsZero():
			due = there.back.due(there.due(now, 0), 0)
			continue
		case answered && l == nil:
			return nil, opError("dial", addr, syscall.ECONNREFUSED)
		case answered && len(l.backlog) < backlog:
			return n.connectLocked(there, l), nil
		case answered:
			due = time.Time{} // nobody accepts
		}
		n.diallers.wait(&n.mu, due, ctx.Done())
	}
}

// connectLocked makes a connection to l. n.mu is held.
func (n *Network) connectLocked(there *link, l *listener) net.Conn {
	out, in := &pipe{link: there}, &pipe{link: there.back}
	here := address(there.from.name + ":out")
	a := &conn{net: n, local: here, remote: address(l.addr), in: in, out: out}
	b := &conn{net: n, local: address(l.addr), remote: here, in: out, out: in}
	for _, c := range []*conn{a, b} {
		n.made++
		c.number = n.made
		n.conns[c] = struct{}{}
	}
	l.backlog = append(l.backlog, b)
	l.accepters.rouse()
	return a
}

const network = "memory"

// address is a net.Addr.
type address string

func (address) Network() string  { return network }
func (a address) String() string { return string(a) }
