package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/wire"
)

// RelayChannel is what connections are said to be for that lead on to another node.
// It carries no messages, and cannot be declared.
//
// Two nodes that cannot connect, though others reach them both, connect over one of
// these: it copies bytes between two connections, in which the two have their
// handshake, their TLS and their lanes as if there was nobody in between. So all that
// is promised of lanes holds.
const RelayChannel = "relay"

const (
	// maxTunnels is how many connections lead over this node at a time: two for
	// each of a hundred pairs.
	maxTunnels = 256
	// tunnelWays is how many neighbors are tried.
	tunnelWays = 3
	// tunnelCheck is how long a connection over others is used before it is tried
	// whether there is a direct way again, and how long the direct way is not tried
	// first after it was missing.
	tunnelCheck = 30 * time.Second
	// tunnelPatience is how long a direct way has before others are tried, too: a few
	// round trips across the world.
	tunnelPatience = 500 * time.Millisecond
	// callTime is how long a hidden node may take to connect when it is asked to.
	callTime = 3 * time.Second
)

// tunnels are the connections that lead over this node.
type tunnels struct {
	open atomic.Int64

	mu    sync.Mutex
	calls map[uint64]chan *offer // hidden nodes that are asked to connect
}

var errDirect = errors.New("remote: there is a direct way again")

// reach makes a connection to a node, over another one if need be and lanes are for
// messages: the overlay looks for a way of its own.
func (n *Node) reach(ctx context.Context, p *peer, channel string) (conn net.Conn, relayed bool, err error) {
	id := p.id
	if channel == MembershipChannel || channel == PostChannel {
		if hidden(id.Name) {
			return nil, false, ErrHidden
		}
		conn, err = n.connect(ctx, addrOf(id.Name))
		return conn, false, err
	}
	patience := tunnelPatience
	if time.Since(p.missed.load()) < tunnelCheck {
		patience = 0
	}
	conn, relayed, err = n.race(ctx, &p.wg, patience, id, func(ctx context.Context) (net.Conn, error) {
		return n.connect(ctx, addrOf(id.Name))
	}, func(ctx context.Context) (net.Conn, error) {
		over, err := n.tunnel(ctx, id, maxHops, actor.NodeID{})
		if err != nil || n.tls == nil {
			return over, err
		}
		return n.tls.Client(ctx, over, addrOf(id.Name))
	})
	if relayed {
		p.missed.store(time.Now())
	}
	return conn, relayed, err
}

// race makes a connection to id by the direct way and, when that has failed or has
// brought nothing for the time of patience, by the way around, and returns the first.
// Where nobody listens there is no way around. Its goroutines are owned by wg.
func (n *Node) race(ctx context.Context, wg *sync.WaitGroup, patience time.Duration, id actor.NodeID, direct, around func(context.Context) (net.Conn, error)) (conn net.Conn, relayed bool, err error) {
	type result struct {
		conn   net.Conn
		err    error
		around bool
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results, running := make(chan result, 2), 0
	begin := func(way func(context.Context) (net.Conn, error), isAround bool) {
		running++
		wg.Go(func() {
			conn, err := way(ctx)
			results <- result{conn, err, isAround}
		})
	}
	var wait <-chan time.Time
	started := hidden(id.Name)
	if started {
		err = ErrHidden
		begin(around, true)
	} else if begin(direct, false); patience <= 0 {
		started = true
		begin(around, true)
	} else {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		wait = timer.C
	}
	for running > 0 {
		select {
		case <-wait:
			if !started {
				started = true
				begin(around, true)
			}
		case r := <-results:
			running--
			if r.err == nil {
				if running > 0 { // the other one is not wanted any more
					wg.Go(func() {
						if late := <-results; late.conn != nil {
							late.conn.Close()
						}
					})
				}
				return r.conn, r.around, nil
			}
			err = errors.Join(err, r.err)
			if !r.around && errors.Is(r.err, syscall.ECONNREFUSED) {
				cancel()
			} else if !started {
				started = true
				begin(around, true)
			}
		}
	}
	return nil, false, err
}

// tunnel returns a connection to id over a neighbor, which may go over hops nodes in
// all. It does not go back over from.
func (n *Node) tunnel(ctx context.Context, id actor.NodeID, hops uint32, from actor.NodeID) (net.Conn, error) {
	var ways []actor.NodeID
	for _, m := range n.Members() {
		if m.Linked && !m.Self && m.Node != id && m.Node != from {
			ways = append(ways, m.Node)
		}
	}
	rand.Shuffle(len(ways), func(i, j int) { ways[i], ways[j] = ways[j], ways[i] })
	err := fmt.Errorf("%w: no neighbor to go over", handshake.ErrNoRoute)
	for _, way := range ways[:min(len(ways), tunnelWays)] {
		var conn net.Conn
		if conn, err = n.over(ctx, way, id, hops); err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

// over returns a connection to id over way.
func (n *Node) over(ctx context.Context, way, id actor.NodeID, hops uint32) (net.Conn, error) {
	if hidden(way.Name) {
		return nil, fmt.Errorf("%w: %v", ErrHidden, way.Name)
	}
	return n.ask(ctx, way, handshake.Attach{Channel: RelayChannel, Lane: hops, Association: 1, Target: id})
}

// ask connects to id for what leads on to another node. Whoever is at the other end may
// speak as soon as id has granted it, so what came together with the answer is read
// from the connection that ask returns.
func (n *Node) ask(ctx context.Context, id actor.NodeID, attach handshake.Attach) (net.Conn, error) {
	conn, err := n.connect(ctx, addrOf(id.Name))
	if err != nil {
		return nil, err
	}
	release := closeOn(ctx, conn)
	c, err := n.prove(conn, id, attach)
	release()
	if err != nil {
		conn.Close()
		return nil, err
	}
	if early := c.dec.Rest(); len(early) > 0 {
		return &earlyConn{Conn: conn, early: early}, nil
	}
	return conn, nil
}

// earlyConn is a connection of which some bytes have been read already. It is for one
// reader.
type earlyConn struct {
	net.Conn
	early []byte
}

func (c *earlyConn) Read(b []byte) (int, error) {
	if len(c.early) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.early)
	c.early = c.early[n:]
	return n, nil
}

// lead serves a connection that is to lead on to another node, or that a hidden node
// has made because it was asked to. It returns an error if it does not.
func (n *Node) lead(o *offer) error {
	if o.conn.attach.Known != 0 {
		return n.called(o)
	}
	if n.tunnels.open.Add(1) > maxTunnels {
		n.tunnels.open.Add(-1)
		return handshake.ErrBusy
	}
	defer n.tunnels.open.Add(-1)
	ctx, cancel := context.WithTimeout(n.ctx, n.cfg.DialTimeout+callTime)
	on, err := n.leadOn(ctx, o)
	cancel()
	if err != nil {
		n.log.Debug("no way on", "from", o.conn.peer.Node, "to", o.conn.attach.Target, "error", err)
		return handshake.ErrNoRoute
	}
	if err := n.admitTunnel(o); err != nil {
		on.Close()
		o.conn.Close()
		return nil // the other side has gone
	}
	n.splice(o.conn, on)
	return nil
}

// admitTunnel grants what o asks for.
func (n *Node) admitTunnel(o *offer) error {
	a := handshake.Attach{Channel: RelayChannel, Lane: o.conn.attach.Lane, Association: 1}
	if _, err := o.conn.Write(o.shake.Accept(a)); err != nil {
		return err
	}
	return o.conn.SetDeadline(time.Time{})
}

// leadOn returns a connection to the node to which o is to lead: one of the cluster,
// directly, or over another one.
func (n *Node) leadOn(ctx context.Context, o *offer) (net.Conn, error) {
	target, hops := o.conn.attach.Target, o.conn.attach.Lane
	known := false
	for _, m := range n.Members() {
		known = known || m.Node == target && !m.Self
	}
	if !known || hops == 0 {
		return nil, ErrNotMember
	}
	if hidden(target.Name) {
		if conn, err := n.call(ctx, target); err == nil {
			return conn, nil
		}
	}
	conn, _, err := n.race(ctx, &n.wg, tunnelPatience, target, func(ctx context.Context) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, n.cfg.DialTimeout)
		defer cancel()
		return n.carrier.Dial(ctx, addrOf(target.Name))
	}, func(ctx context.Context) (net.Conn, error) {
		if hops == 1 {
			return nil, handshake.ErrNoRoute
		}
		conn, err := n.tunnel(ctx, target, hops-1, o.conn.peer.Node)
		if err == nil {
			err = conn.SetDeadline(time.Time{})
		}
		return conn, err
	})
	return conn, err
}

// splice copies between two connections until one of them ends.
func (n *Node) splice(a, b net.Conn) {
	n.stats.tunnelled.Add(1)
	defer closeOn(n.ctx, b)()
	done := make(chan struct{})
	n.wg.Go(func() {
		defer close(done)
		_, _ = io.Copy(b, a)
		a.Close()
		b.Close()
	})
	_, _ = io.Copy(a, b)
	a.Close()
	b.Close()
	<-done
}

// call asks a hidden node to connect, and waits until it has.
func (n *Node) call(ctx context.Context, id actor.NodeID) (net.Conn, error) {
	p := n.peers.find(unique.Make(id))
	if p == nil || !p.membership.connected() {
		return nil, ErrHidden
	}
	ticket, answer := rand.Uint64()|1, make(chan *offer, 1)
	n.tunnels.mu.Lock()
	if n.tunnels.calls == nil {
		n.tunnels.calls = make(map[uint64]chan *offer)
	}
	n.tunnels.calls[ticket] = answer
	n.tunnels.mu.Unlock()
	p.tell(wire.Append(nil, wire.KindMembership, &wire.Membership{Kind: membershipCall, Seq: ticket}, 0))
	timeout := time.NewTimer(callTime)
	defer timeout.Stop()
	var o *offer
	select {
	case o = <-answer:
	case <-timeout.C:
	case <-ctx.Done():
	}
	n.tunnels.mu.Lock()
	delete(n.tunnels.calls, ticket)
	n.tunnels.mu.Unlock()
	if o == nil {
		select {
		case o = <-answer: // in the last moment
		default:
			return nil, handshake.ErrTimeout
		}
	}
	if o.conn.peer.Node != id {
		o.conn.Close()
		return nil, handshake.ErrUnexpected
	}
	if err := n.admitTunnel(o); err != nil {
		o.conn.Close()
		return nil, err
	}
	return o.conn, nil
}

// called hands the connection of a hidden node to who has asked for it.
func (n *Node) called(o *offer) error {
	n.tunnels.mu.Lock()
	defer n.tunnels.mu.Unlock()
	answer := n.tunnels.calls[o.conn.attach.Known]
	delete(n.tunnels.calls, o.conn.attach.Known)
	if answer == nil {
		return handshake.ErrStale
	}
	answer <- o
	return nil
}

// receiveCall connects to a node that has asked for it, and serves the connection as
// if somebody had dialled it: somebody who cannot dial this node.
func (n *Node) receiveCall(p *peer, ticket uint64) error {
	if ticket == 0 {
		return errors.New("remote: malformed call")
	}
	if n.strangers.Add(1) > int64(n.cfg.MaxUnauthenticated) {
		n.strangers.Add(-1)
		return nil
	}
	n.wg.Go(func() {
		conn, err := n.answerCall(p.id, ticket)
		if err != nil {
			n.strangers.Add(-1)
			n.log.Debug("call not answered", "node", p.id, "error", err)
			return
		}
		n.greet(conn)
	})
	return nil
}

func (n *Node) answerCall(id actor.NodeID, ticket uint64) (net.Conn, error) {
	conn, err := n.ask(n.ctx, id, handshake.Attach{Channel: RelayChannel, Association: 1, Known: ticket})
	if err != nil || n.tls == nil {
		return conn, err
	}
	return n.tls.Server(conn), nil
}

// rejoin tries whether there is a direct way again to where k leads over others. If
// so, k ends, and the lane goes on over another connection.
func (k *link) rejoin() {
	n, id := k.lane.node, k.lane.peer.id
	if !k.conn.relayed || hidden(id.Name) || time.Since(k.checked) < tunnelCheck {
		return
	}
	k.checked = time.Now()
	n.wg.Go(func() {
		if found, err := n.askWho(addrOf(id.Name)); err == nil && found == id {
			k.lane.peer.missed.store(time.Time{})
			k.fail(errDirect)
		}
	})
}

// moment is a time that goroutines share.
type moment struct{ nanos atomic.Int64 }

func (m *moment) store(t time.Time) {
	if t.IsZero() {
		m.nanos.Store(0)
		return
	}
	m.nanos.Store(t.UnixNano())
}

func (m *moment) load() time.Time { return time.Unix(0, m.nanos.Load()) }
