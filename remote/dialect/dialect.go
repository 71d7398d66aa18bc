package dialect

import (
	"errors"
	"fmt"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/clientserver"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/gossip"
	"github.com/topos-go/topos/overlay/pcbroadcast"
	"github.com/topos-go/topos/overlay/plumtree"
	"github.com/topos-go/topos/overlay/static"
	"github.com/topos-go/topos/overlay/swim"
)

// Errors of this package.
var (
	// ErrUnknown is returned by Append for what is no message of a protocol.
	ErrUnknown = errors.New("dialect: unknown message")
	// ErrMalformed is returned by Parse for what Append has not made.
	ErrMalformed = errors.New("dialect: malformed message")
)

// kind says which message follows. The numbers are part of the protocol between
// nodes: none is ever used for anything else.
type kind byte

const (
	kindJoin kind = iota + 1
	kindForwardJoin
	kindNeighbor
	kindNeighborReply
	kindDisconnect
	kindAlive
	kindLeave
	kindShuffle
	kindShuffleReply
	kindOptimization
	kindOptimizationReply
	kindReplace
	kindReplaceReply
	kindSwitch
	kindSwitchReply
)

const (
	kindGossip kind = iota + 32
	kindIHave
	kindGraft
	kindPrune
	kindDigest
	kindRepair
)

const (
	kindSwim kind = iota + 48
	kindRumor
)

const (
	kindAsk kind = iota + 64
	kindAnswer
	kindTell
	kindNews
)

const (
	kindServerAsk kind = iota + 80
	kindServerAgree
	kindServerRefuse
	kindServerNews
	kindServerPart
	kindServerLeave
)

const (
	kindSampleAsk kind = iota + 96
	kindSampleAgree
	kindSampleRefuse
	kindSamplePart
	kindSample
	kindSampleLeave
)

const (
	kindStaticAsk kind = iota + 112
	kindStaticAgree
	kindStaticRefuse
	kindStaticLeave
)

const (
	kindCausalData kind = iota + 128
	kindCausalSkip
	kindCausalPing
	kindCausalHello
	kindCausalOpen
	kindCausalShut
	kindCausalRefuse
	kindCausalAsk
	kindCausalPong
	kindCausalAdopt
)

// encoded is a generated message.
type encoded interface {
	Size() int
	MarshalToSizedBuffer([]byte) (int, error)
	Unmarshal([]byte) error
}

// Append appends m, encoded, to b. m is a message of a protocol, a
// [directory.Broadcast] or a [swim.Fact]. Of more than 1024 claims in a message of
// package clientserver, and of more than 256 nodes in one of package gossip, only
// the first are encoded: the others take no more. Any other list is encoded whole, or
// the message is refused.
//
// The error wraps [ErrUnknown]. b is returned as it was then.
func Append(b []byte, m overlay.Message) ([]byte, error) {
	k, e, err := encode(m)
	if err != nil {
		return b, err
	}
	n := len(b) + 1
	b = append(append(b, byte(k)), make([]byte, e.Size())...)
	_, err = e.MarshalToSizedBuffer(b[n:])
	if err == nil {
		err = bounded(k, b[n:])
	}
	if err != nil {
		return b[:n-1], fmt.Errorf("%w: %T: %w", ErrUnknown, m, err)
	}
	return b, nil
}

func encode(m overlay.Message) (kind, encoded, error) {
	switch m := m.(type) {
	case plumtree.Message:
		return encodePlumtree(m)
	case pcbroadcast.Message:
		return encodeCausal(m)
	case directory.Message:
		return encodeDirectory(m)
	case directory.Broadcast:
		return kindNews, &News{Facts: facts(m.Facts), Hearsay: m.Hearsay, Values: registers(m.Values)}, nil
	case swim.Message:
		return encodeSwim(m)
	case swim.Fact:
		return kindRumor, rumor(m), nil
	case clientserver.Ask, clientserver.Agree, clientserver.Refuse, clientserver.News, clientserver.Part, clientserver.Leave:
		return encodeClientServer(m)
	case gossip.Ask, gossip.Agree, gossip.Refuse, gossip.Part, gossip.Sample, gossip.Leave:
		return encodeGossip(m)
	case static.Ask, static.Agree, static.Refuse, static.Leave:
		return encodeStatic(m)
	}
	return encodeHyParView(m)
}

// Parse is the inverse of Append. The result keeps nothing of b. The error wraps
// [ErrMalformed], and then there is no message.
func Parse(b []byte) (overlay.Message, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: empty", ErrMalformed)
	}
	k, b := kind(b[0]), b[1:]
	m, err := parse(k, b)
	if err != nil {
		return nil, fmt.Errorf("%w: kind %d: %w", ErrMalformed, k, err)
	}
	return m, nil
}

func parse(k kind, b []byte) (overlay.Message, error) {
	if err := bounded(k, b); err != nil {
		return nil, err
	}
	switch {
	case k >= kindCausalData:
		return parseCausal(k, b)
	case k >= kindStaticAsk:
		return parseStatic(k, b)
	case k >= kindSampleAsk:
		return parseGossip(k, b)
	case k >= kindServerAsk:
		return parseClientServer(k, b)
	case k >= kindAsk:
		return parseDirectory(k, b)
	case k >= kindSwim:
		return parseSwim(k, b)
	case k >= kindGossip:
		return parsePlumtree(k, b)
	}
	return parseHyParView(k, b)
}

// errKind is why something with an unknown kind is malformed.
var errKind = errors.New("no such kind")

// node is nil for the zero Node, listed is not: a list has no gaps.
func node(n overlay.Node) *Node {
	if n.IsZero() {
		return nil
	}
	return listed(n)
}

func listed(n overlay.Node) *Node {
	return &Node{Name: n.Name, Boot: n.Boot, Unique: n.Unique}
}

func (n *Node) node() overlay.Node {
	if n == nil {
		return overlay.Node{}
	}
	return overlay.Node{Name: n.Name, Boot: n.Boot, Unique: n.Unique}
}

// each turns a list into another, and an empty one into nil.
func each[A, B any](list []A, f func(A) B) []B {
	if len(list) == 0 {
		return nil
	}
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = f(a)
	}
	return out
}
