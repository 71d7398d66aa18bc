package remote

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/wire"
)

// offer is a connection that another node has dialled and proven itself on, on
// its way to its lane.
type offer struct {
	conn   *connection
	shake  *handshake.Accepter
	answer chan error // capacity 1
}

// accept grants the lane. It reports false if the other side is gone already.
func (o *offer) accept(attach handshake.Attach) bool {
	_, err := o.conn.Write(o.shake.Accept(attach))
	if err == nil {
		err = o.conn.SetDeadline(time.Time{})
	}
	o.answer <- err
	return err == nil
}

func (o *offer) refuse(reason error) { o.answer <- reason }

// acceptAll serves the listener until the node is closed.
func (n *Node) acceptAll() {
	pause := 5 * time.Millisecond
	for {
		conn, err := n.listener.Accept()
		if err == nil {
			pause = 5 * time.Millisecond
			n.welcome(conn)
			continue
		}
		if n.ctx.Err() != nil {
			return
		}
		// Perhaps there are no file descriptors left for the moment.
		n.quiet.warn("accepting failed", "error", err)
		select {
		case <-time.After(pause):
			pause = min(2*pause, time.Second)
		case <-n.ctx.Done():
			return
		}
	}
}

// welcome begins the handshake on a connection that was accepted.
func (n *Node) welcome(conn net.Conn) {
	if n.strangers.Add(1) > int64(n.cfg.MaxUnauthenticated) {
		n.strangers.Add(-1)
		conn.Close()
		n.refused(conn, handshake.ErrBusy)
		return
	}
	n.wg.Go(func() { n.greet(conn) })
}

// greet is the accepting side of the handshake.
func (n *Node) greet(conn net.Conn) {
	release := closeOn(n.ctx, conn)
	defer release()
	_ = conn.SetDeadline(time.Now().Add(n.cfg.HandshakeTimeout))
	o, p, err := n.authenticate(conn)
	n.strangers.Add(-1)
	if err == nil && o != nil && p == nil {
		err = n.lead(o)
	} else if err == nil && o != nil {
		if err = n.offer(p, o); err != nil {
			n.post(met{p.id}) // it is there, but has no link yet
		}
	}
	switch {
	case err != nil:
		n.refused(conn, err)
		_, _ = conn.Write(handshake.Refuse(err))
		conn.Close()
	case o == nil: // a probe
		conn.Close()
	}
}

// authenticate lets the other side prove itself. The offer is nil after a probe, and
// the peer if the connection is to lead on to another node.
func (n *Node) authenticate(conn net.Conn) (*offer, *peer, error) {
	shake := handshake.NewAccepter(&n.shake, newNonce())
	dec := wire.NewDecoder(wire.Handshake())
	f, err := readFrame(conn, dec)
	if err != nil {
		return nil, nil, err
	}
	answer, probe, err := shake.Greeted(f)
	if err != nil {
		return nil, nil, err
	}
	if _, err := conn.Write(answer); err != nil || probe {
		return nil, nil, err
	}
	if f, err = readFrame(conn, dec); err != nil {
		return nil, nil, err
	}
	from, attach, err := shake.Proven(f)
	if err == nil {
		err = vouch(conn, from)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := attachable(attach); err != nil {
		return nil, nil, err
	}
	if attach.Channel == RelayChannel {
		return &offer{conn: &connection{Conn: conn, dec: dec, peer: from, attach: attach}, shake: shake}, nil, nil
	}
	ask := admission{from, attach, make(chan admitted, 1)}
	n.post(ask)
	select {
	case a := <-ask.answer:
		c := &connection{Conn: conn, dec: dec, peer: from, attach: attach}
		return &offer{conn: c, shake: shake, answer: make(chan error, 1)}, a.peer, a.err
	case <-n.ctx.Done():
		return nil, nil, handshake.ErrLeaving
	}
}

// attachable reports what is wrong with what a connection is said to be for.
func attachable(a handshake.Attach) error {
	switch {
	case a.Association == 0:
	case a.Channel == RelayChannel && a.Lane <= maxHops:
		return nil
	case a.Channel == "" || len(a.Channel) > maxChannelName:
	case a.Lane >= maxLanes:
	case a.Lane > 0 && (a.Channel == MembershipChannel || a.Channel == ControlChannel || a.Channel == PostChannel):
	case a.Compression > uint32(Zstd):
	default:
		return nil
	}
	return fmt.Errorf("%w: %+v", handshake.ErrMalformed, a)
}

// offer hands a connection to its lane and returns what becomes of it.
func (n *Node) offer(p *peer, o *offer) error {
	timeout := time.NewTimer(n.cfg.HandshakeTimeout)
	defer timeout.Stop()
	l := p.accepting(o.conn.attach.Channel, int(o.conn.attach.Lane))
	if l == nil {
		return handshake.ErrStale
	}
	select {
	case l.offers <- o:
		return <-o.answer // a lane answers what it has taken
	case <-p.retired:
		return handshake.ErrStale
	case <-timeout.C:
		return handshake.ErrTimeout
	}
}

// refused accounts for a connection that was not accepted.
func (n *Node) refused(conn net.Conn, err error) {
	if !hostile(err) {
		n.log.Debug("connection not used", "addr", conn.RemoteAddr(), "reason", err)
		return
	}
	n.stats.refused.Add(1)
	n.quiet.warn("connection refused", "addr", conn.RemoteAddr(), "reason", err)
	n.report(ConnectionRefused{Addr: conn.RemoteAddr().String(), Reason: err})
}

// hostile reports whether err is not part of how nodes that wish each other
// well find together.
func hostile(err error) bool {
	for _, reason := range []error{
		handshake.ErrSecret, handshake.ErrCluster, handshake.ErrVersion, handshake.ErrSelf, handshake.ErrOldIncarnation,
		handshake.ErrMalformed, handshake.ErrTimeout, handshake.ErrBusy,
	} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return untrusted(err)
}

func newNonce() (nonce handshake.Nonce) {
	_, _ = crand.Read(nonce[:]) // it never fails
	return nonce
}

// readFrame reads one frame of a handshake. Errors are handshake's.
func readFrame(conn net.Conn, dec *wire.Decoder) (wire.Frame, error) {
	for {
		f, ok, err := dec.Next()
		switch {
		case err != nil:
			return wire.Frame{}, fmt.Errorf("%w: %w", handshake.ErrMalformed, err)
		case ok:
			return f, nil
		}
		n, err := conn.Read(dec.Space())
		dec.Advance(n)
		if err == nil || n > 0 {
			continue
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			err = handshake.ErrTimeout
		case errors.Is(err, io.EOF) && dec.Buffered() > 0:
			err = fmt.Errorf("%w: connection closed inside a frame", handshake.ErrMalformed)
		}
		return wire.Frame{}, err
	}
}

// closeOn closes conn when ctx ends, until release is called.
func closeOn(ctx context.Context, conn net.Conn) (release func()) {
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		conn.Close()
		close(closed)
	})
	return func() {
		if !stop() {
			<-closed
		}
	}
}
