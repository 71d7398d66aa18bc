package codec

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

// Encoding says how a value is encoded. The numbers are part of the protocol.
type Encoding uint32

// The encodings.
const (
	Nil      Encoding = iota // no value
	Bytes                    // []byte, as it is
	CBOR                     // a Go type by its name, as CBOR
	Protobuf                 // a message of google.golang.org/protobuf by its full name
	Gogo                     // a message of github.com/gogo/protobuf by its full name
	Error                    // an error that is no registered type, as a Failure in CBOR
)

// Errors of encoding and decoding.
var (
	// ErrUnknownType is returned for a value whose type the codec does not
	// know, when it is to be sent or when it has come. A call with one fails
	// with it at the caller.
	ErrUnknownType = errors.New("codec: unknown type")
	// ErrEncode is returned for a value that its encoding cannot express.
	ErrEncode = errors.New("codec: value cannot be encoded")
	// ErrDecode is returned for bytes that are not a value of the type they
	// are said to be.
	ErrDecode = errors.New("codec: value cannot be decoded")
)

// Codec turns values into bytes and back. It is safe for concurrent use. It is
// made with [New].
type Codec struct {
	enc      cbor.UserBufferEncMode
	dec      cbor.DecMode
	names    names
	plans    plans
	failures failures
	maxDepth int
}

// Value is a value in its encoded form.
type Value struct {
	Encoding Encoding
	// Type is the name of its type. Nil and Bytes have none.
	Type string
	// Data is the encoding. That of a []byte is the slice itself.
	Data []byte
}

// Encode encodes a message. Its type must be known to the codec: registered,
// basic, made of such types, []byte, or a protobuf message. The error wraps
// ErrUnknownType or ErrEncode.
func (c *Codec) Encode(v any) (Value, error) { return c.encode(new(Scratch), v, false) }

// EncodeReply encodes the reply to a call. It takes other types too, since the
// caller says what it expects; see [Lazy].
func (c *Codec) EncodeReply(v any) (Value, error) { return c.encode(new(Scratch), v, true) }

// Decode is the inverse of Encode. data is only kept by the result if it is a
// []byte. The error wraps ErrUnknownType or ErrDecode.
func (c *Codec) Decode(v Value) (any, error) {
	switch v.Encoding {
	case Nil:
		return nil, nil
	case Bytes:
		return v.Data, nil
	case Protobuf, Gogo:
		return decodeProto(v)
	case Error:
		var f Failure
		if err := c.unmarshal(v, &f); err != nil {
			return nil, err
		}
		return c.DecodeError(f), nil
	case CBOR:
		t, ok := c.names.typeOf(v.Type)
		if !ok {
			return nil, fmt.Errorf("%w: %q", ErrUnknownType, v.Type)
		}
		target := reflect.New(t)
		if err := c.unmarshal(v, target.Interface()); err != nil {
			return nil, err
		}
		return boxed(target), nil
	}
	return nil, fmt.Errorf("%w: encoding %d", ErrUnknownType, v.Encoding)
}

// unmarshal decodes CBOR into *target, and contains what a user's
// UnmarshalText can do.
func (c *Codec) unmarshal(v Value, target any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %q: panic: %v", ErrDecode, v.Type, r)
		}
	}()
	if err := c.dec.Unmarshal(v.Data, target); err != nil {
		return fmt.Errorf("%w: %q: %w", ErrDecode, v.Type, err)
	}
	return nil
}
