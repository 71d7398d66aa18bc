package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/wire"
)

// dialResult is what comes of an attempt to connect.
type dialResult struct {
	conn *connection
	err  error
}

// unexpectedError says that another node answered than the one dialled.
type unexpectedError struct {
	got actor.NodeID
	err error
}

func (e *unexpectedError) Error() string { return e.err.Error() }
func (e *unexpectedError) Unwrap() error { return e.err }

// dial connects to a node and asks for a lane.
func (n *Node) dial(ctx context.Context, p *peer, attach handshake.Attach) dialResult {
	conn, relayed, err := n.reach(ctx, p, attach.Channel)
	if err != nil {
		return dialResult{err: err}
	}
	release := closeOn(ctx, conn)
	c, err := n.prove(conn, p.id, attach)
	release()
	if err == nil {
		err = errors.Join(conn.SetDeadline(time.Time{}), ctx.Err())
	}
	if err != nil {
		conn.Close()
		return dialResult{err: err}
	}
	c.relayed = relayed
	return dialResult{conn: c}
}

// hidden reports whether nobody can dial the node called name: see Config.Hidden.
func hidden(name string) bool { return strings.HasSuffix(name, ":0") }

// connect makes a connection with a deadline for the handshake on it.
func (n *Node) connect(ctx context.Context, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.DialTimeout)
	defer cancel()
	conn, err := n.cfg.Transport.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(n.cfg.HandshakeTimeout))
	return conn, nil
}

// prove is the dialling side of the handshake.
func (n *Node) prove(conn net.Conn, id actor.NodeID, attach handshake.Attach) (*connection, error) {
	shake := handshake.NewDialler(&n.shake, newNonce(), id, false)
	dec := wire.NewDecoder(wire.Handshake())
	peer, err := n.exchangeHellos(conn, dec, shake)
	if errors.Is(err, handshake.ErrUnexpected) && !peer.Node.IsZero() {
		return nil, &unexpectedError{peer.Node, err}
	} else if err != nil {
		return nil, err
	}
	if _, err := conn.Write(shake.Prove(attach)); err != nil {
		return nil, err
	}
	f, err := readFrame(conn, dec)
	if err != nil {
		return nil, err
	}
	theirs, err := shake.Accepted(f)
	if err != nil {
		return nil, err
	}
	if theirs.Lane != attach.Lane || theirs.Channel != attach.Channel {
		return nil, fmt.Errorf("%w: %+v", handshake.ErrMalformed, theirs)
	}
	if err := attachable(theirs); err != nil {
		return nil, err
	}
	return &connection{Conn: conn, dec: dec, peer: peer, attach: theirs, outgoing: true}, nil
}

func (n *Node) exchangeHellos(conn net.Conn, dec *wire.Decoder, shake *handshake.Dialler) (handshake.Peer, error) {
	if _, err := conn.Write(shake.Hello()); err != nil {
		return handshake.Peer{}, err
	}
	f, err := readFrame(conn, dec)
	if err != nil {
		return handshake.Peer{}, err
	}
	return shake.Greeted(f)
}

// probe finds out who listens at addr.
func (n *Node) probe(addr string) {
	found, err := n.askWho(addr)
	switch {
	case !found.IsZero():
		n.post(overlay.Found{Addr: addr, Node: overlayNode(found)})
	case err != nil:
		n.dialRefused(err, "addr", addr)
		n.post(overlay.ProbeFailed{Addr: addr, Err: err})
	}
}

func (n *Node) askWho(addr string) (actor.NodeID, error) {
	conn, err := n.connect(n.ctx, addr)
	if err != nil {
		return actor.NodeID{}, err
	}
	defer conn.Close()
	defer closeOn(n.ctx, conn)()
	shake := handshake.NewDialler(&n.shake, newNonce(), actor.NodeID{}, true)
	peer, err := n.exchangeHellos(conn, wire.NewDecoder(wire.Handshake()), shake)
	return peer.Node, err
}

// dialRefused logs an attempt in vain: loudly if somebody must change something
// for the next one to succeed.
func (n *Node) dialRefused(err error, attrs ...any) {
	attrs = append(attrs, "error", err)
	loud := untrusted(err)
	for _, cause := range []error{handshake.ErrSecret, handshake.ErrCluster, handshake.ErrVersion, handshake.ErrOldIncarnation, handshake.ErrSelf} {
		loud = loud || errors.Is(err, cause)
	}
	if loud {
		n.quiet.warn("connecting refused", attrs...)
		return
	}
	n.log.Debug("connecting failed", attrs...)
}
