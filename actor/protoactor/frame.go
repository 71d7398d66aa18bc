package protoactor

import (
	"errors"
	"fmt"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/remote/codec"
)

// errFrame is what is wrong with bytes that are no frame.
var errFrame = errors.New("protoactor: malformed frame")

// frameKind says what a frame asks for.
type frameKind uint8

const (
	frameUser frameKind = iota + 1
	frameWatch
	frameUnwatch
	frameStop
	frameTerminated
	frameResolve // a call: which process hosts To?
	frameKinds
)

// frame is what one bridge's gateway is sent by another bridge: mail between
// actors of theirs on two nodes. It travels as bytes, so that a node need not
// know its type.
type frame struct {
	Kind     frameKind
	Node, To string // who it is for: the address of the node, and the id
	// SenderNode and Sender are who a reply goes to, who watches, or who has
	// terminated. Both are empty for nobody.
	SenderNode, Sender string
	Why                int32 // of Terminated
	Header             map[string]string
	Encoding           uint32
	Type               string
	Data               []byte
}

func (f *frame) to() *proto.PID { return proto.NewPID(f.Node, f.To) }

func (f *frame) sender() *proto.PID {
	if f.Sender == "" {
		return nil
	}
	return proto.NewPID(f.SenderNode, f.Sender)
}

// address makes f be for the actor pid.
func (f *frame) address(node string, pid *proto.PID) {
	f.Node, f.To = node, pid.Id
}

// signed says whom f is from.
func (b *Bridge) signed(f *frame, sender *proto.PID) {
	if sender == nil {
		return
	}
	f.SenderNode, f.Sender = sender.Address, sender.Id
	if b.local(sender) {
		f.SenderNode = b.address
	}
}

// encode returns f as bytes.
func (b *Bridge) encode(f *frame) ([]byte, error) {
	v, err := b.codec.Encode(*f)
	return v.Data, err
}

// decode is the inverse of encode.
func (b *Bridge) decode(data []byte) (*frame, error) {
	name, err := b.codec.Encode(frame{})
	if err != nil {
		return nil, err
	}
	v, err := b.codec.Decode(codec.Value{Encoding: codec.CBOR, Type: name.Type, Data: data})
	if err != nil {
		return nil, err
	}
	f, ok := v.(frame)
	if !ok || f.Kind == 0 || f.Kind >= frameKinds || f.To == "" {
		return nil, errFrame
	}
	return &f, nil
}

// put makes message the payload of f.
func (b *Bridge) put(f *frame, message any) error {
	v, err := b.codec.Encode(message)
	if err != nil {
		return fmt.Errorf("protoactor: message to another node: %w", err)
	}
	f.Encoding, f.Type, f.Data = uint32(v.Encoding), v.Type, v.Data
	return nil
}

// payload is the inverse of put.
func (b *Bridge) payload(f *frame) (any, error) {
	return b.codec.Decode(codec.Value{Encoding: codec.Encoding(f.Encoding), Type: f.Type, Data: f.Data})
}
