package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Kind says what a frame is.
type Kind uint8

// The kinds of frames. Those up to KindRefusal belong to the handshake.
const (
	KindHello      Kind = iota + 1 // Hello
	KindProof                      // Proof
	KindRefusal                    // Refusal
	KindSignal                     // Signal and payload
	KindControl                    // Control and payload
	KindAck                        // Ack
	KindMembership                 // Membership
	KindVoid                       // nothing: the place of a frame that was withdrawn
	KindPart                       // Part and a piece of a payload
	KindAfter                      // After
	KindThrottle                   // Throttle
	KindReceipt                    // Receipt
	KindAgain                      // Again and payload
	kindEnd
)

// String returns the kind's name, such as "signal".
func (k Kind) String() string {
	names := [...]string{"none", "hello", "proof", "refusal", "signal", "control", "ack", "membership", "void",
		"part", "after", "throttle", "receipt", "again"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Sequenced reports whether frames of this kind are counted, retained until
// they are acknowledged and sent again after a reconnection.
func (k Kind) Sequenced() bool {
	return k == KindSignal || k == KindControl || k >= KindVoid
}

// HeaderSize is the length of a frame's header in bytes: the kind, three bytes
// for the length of the message, four for that of the payload, big endian.
const HeaderSize = 8

// MaxHead is the longest message a header can announce.
const MaxHead = 1<<24 - 1

// Errors of malformed frames. A lane that sees one is closed.
var (
	// ErrKind is returned for a frame of a kind that is not expected.
	ErrKind = errors.New("wire: unexpected kind of frame")
	// ErrTooLarge is returned for a frame whose header announces more than
	// the limit, before any memory is taken for it.
	ErrTooLarge = errors.New("wire: frame larger than the limit")
)

// Header is what comes first in a frame.
type Header struct {
	Kind    Kind
	Head    int // length of the protobuf message
	Payload int // length of what follows it
}

// Size returns the length of the whole frame.
func (h Header) Size() int { return HeaderSize + h.Head + h.Payload }

// Append appends the encoded header to b. It panics if a length does not fit,
// which whoever made the frame must have excluded.
func (h Header) Append(b []byte) []byte {
	if h.Head < 0 || h.Head > MaxHead || h.Payload < 0 || h.Payload > math.MaxUint32 {
		panic(fmt.Sprintf("wire: header %+v cannot be encoded", h))
	}
	b = append(b, byte(h.Kind), byte(h.Head>>16), byte(h.Head>>8), byte(h.Head))
	return binary.BigEndian.AppendUint32(b, uint32(h.Payload))
}

// Limits bound what a decoder takes from the other side.
type Limits struct {
	// Head is the largest message, Payload the largest payload, in bytes.
	Head, Payload int
	// First and Last are the first and the last kind that may come.
	First, Last Kind
}

// Handshake returns the limits for a side that has proven nothing yet.
func Handshake() Limits {
	return Limits{Head: 4 << 10, First: KindHello, Last: KindRefusal}
}

// MaxMessage is the largest message taken once the secret is proven, in bytes.
// What comes in numbers or from users is in payloads.
const MaxMessage = 1 << 20

// Session returns the limits for a side that has proven the secret.
func Session(maxPayload int) Limits {
	return Limits{Head: MaxMessage, Payload: maxPayload, First: KindSignal, Last: kindEnd - 1}
}

// ParseHeader decodes a header of HeaderSize bytes and checks it against l.
func ParseHeader(b []byte, l Limits) (Header, error) {
	_ = b[HeaderSize-1]
	kind := Kind(b[0])
	if kind < l.First || kind > l.Last {
		return Header{}, fmt.Errorf("%w: %v", ErrKind, kind)
	}
	head := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	payload := uint64(binary.BigEndian.Uint32(b[4:]))
	if head > l.Head || payload > uint64(l.Payload) {
		return Header{}, fmt.Errorf("%w: %v with %d and %d bytes, at most %d and %d", ErrTooLarge, kind, head, payload, l.Head, l.Payload)
	}
	return Header{Kind: kind, Head: head, Payload: int(payload)}, nil
}

// Message is a generated protobuf message.
type Message interface {
	Size() int
	MarshalToSizedBuffer([]byte) (int, error)
	Unmarshal([]byte) error
}

// Append appends a frame up to its payload, of which only the length is given,
// to b. A nil m is an empty message.
func Append(b []byte, kind Kind, m Message, payload int) []byte {
	size := 0
	if m != nil {
		size = m.Size()
	}
	b = Header{Kind: kind, Head: size, Payload: payload}.Append(b)
	if size == 0 {
		return b
	}
	n := len(b)
	b = grow(b, size)
	if _, err := m.MarshalToSizedBuffer(b[n:]); err != nil {
		panic(fmt.Sprintf("wire: marshalling %v: %v", kind, err)) // it had room
	}
	return b
}

// grow lengthens b by n bytes of any content.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b[:len(b)+n]
	}
	return append(b, make([]byte, n)...)
}
