package handshake

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/wire"
)

// NonceSize is the length of a nonce in bytes.
const NonceSize = 32

// Nonce is what the other side must prove the secret over. It must be fresh
// and unpredictable for every handshake.
type Nonce [NonceSize]byte

// Config is what a side says of itself.
type Config struct {
	// Self is this node.
	Self actor.NodeID
	// Cluster is the name of the cluster. Both sides must have the same.
	Cluster string
	// Secret is the cluster secret. It is never sent.
	Secret []byte
	// MinVersion and MaxVersion are the protocol versions spoken.
	MinVersion, MaxVersion uint32
	// Features has a bit for each optional feature understood.
	Features uint64
	// MaxPayload is the largest payload taken, in bytes.
	MaxPayload int
}

// Peer is what is known of the other side.
type Peer struct {
	// Node is who it is. Before the handshake is complete it only says so.
	Node actor.NodeID
	// Version is the newest protocol version that both sides speak.
	Version uint32
	// Features are those that both sides understand.
	Features uint64
	// MaxPayload is the largest payload the other side takes, in bytes.
	MaxPayload int
}

// Attach says which lane a connection is for, and where the lane stands as far
// as the side knows that sends it. See the protocol's Attach message.
type Attach struct {
	Channel     string
	Lane        uint32
	Association uint64
	Known       uint64
	Epoch       uint64
	Received    uint64
	Compression uint32
	// Target is which node the connection is to lead on to; zero if it ends here.
	Target actor.NodeID
}

func (a Attach) encode() []byte {
	m := wire.Attach{
		Channel: a.Channel, Lane: a.Lane, Association: a.Association, Known: a.Known, Epoch: a.Epoch,
		Received: a.Received, Compression: a.Compression,
	}
	if !a.Target.IsZero() {
		m.Target = wire.FromNodeID(a.Target)
	}
	b, err := m.Marshal()
	if err != nil {
		panic(fmt.Sprintf("handshake: %v", err)) // integers cannot fail
	}
	return b
}

func decodeAttach(b []byte) (Attach, error) {
	var m wire.Attach
	if err := m.Unmarshal(b); err != nil {
		return Attach{}, fmt.Errorf("%w: attach: %w", ErrMalformed, err)
	}
	a := Attach{
		Channel: m.Channel, Lane: m.Lane, Association: m.Association, Known: m.Known, Epoch: m.Epoch,
		Received: m.Received, Compression: m.Compression,
	}
	if m.Target != nil {
		var err error
		if a.Target, err = m.Target.NodeID(); err != nil {
			return Attach{}, fmt.Errorf("%w: attach: %w", ErrMalformed, err)
		}
	}
	if !bytes.Equal(a.encode(), b) {
		return Attach{}, fmt.Errorf("%w: attach is not in canonical form", ErrMalformed)
	}
	return a, nil
}

func (c *Config) hello(nonce Nonce, probe bool) []byte {
	return wire.Append(nil, wire.KindHello, &wire.Hello{
		MinVersion: c.MinVersion,
		MaxVersion: c.MaxVersion,
		Cluster:    c.Cluster,
		Node:       wire.FromNodeID(c.Self),
		Nonce:      nonce[:],
		Features:   c.Features,
		MaxPayload: uint64(c.MaxPayload),
		Probe:      probe,
	}, 0)
}

// greeted checks the other side's hello.
func (c *Config) greeted(f wire.Frame) (wire.Hello, Peer, error) {
	var m wire.Hello
	switch f.Kind {
	case wire.KindHello:
	case wire.KindRefusal:
		return m, Peer{}, refused(f)
	default:
		return m, Peer{}, fmt.Errorf("%w: %v in place of a hello", ErrMalformed, f.Kind)
	}
	if err := m.Unmarshal(f.Head); err != nil {
		return m, Peer{}, fmt.Errorf("%w: hello: %w", ErrMalformed, err)
	}
	node, err := m.Node.NodeID()
	switch {
	case err != nil:
		return m, Peer{}, fmt.Errorf("%w: hello: %w", ErrMalformed, err)
	case !strings.Contains(node.Name, "@"):
		return m, Peer{}, fmt.Errorf("%w: node name %q has no address", ErrMalformed, node.Name)
	case len(m.Nonce) != NonceSize:
		return m, Peer{}, fmt.Errorf("%w: nonce of %d bytes", ErrMalformed, len(m.Nonce))
	case m.Cluster != c.Cluster:
		return m, Peer{}, fmt.Errorf("%w: %q, this is %q", ErrCluster, m.Cluster, c.Cluster)
	}
	version := min(m.MaxVersion, c.MaxVersion)
	if version < m.MinVersion || version < c.MinVersion {
		return m, Peer{}, fmt.Errorf("%w: it speaks %d to %d, this node %d to %d", ErrVersion,
			m.MinVersion, m.MaxVersion, c.MinVersion, c.MaxVersion)
	}
	return m, Peer{
		Node:       node,
		Version:    version,
		Features:   m.Features & c.Features,
		MaxPayload: int(min(m.MaxPayload, 1<<32-1)),
	}, nil
}

// refused turns a refusal into an error.
func refused(f wire.Frame) error {
	var m wire.Refusal
	if err := m.Unmarshal(f.Head); err != nil {
		return fmt.Errorf("%w: refusal: %w", ErrMalformed, err)
	}
	return newRefusedError(m.Code, m.Detail)
}

// Refuse returns the frame that tells the other side why err ends the
// handshake. It names the reason only: details are for this node's log.
func Refuse(err error) []byte {
	return wire.Append(nil, wire.KindRefusal, &wire.Refusal{Code: codeOf(err)}, 0)
}
