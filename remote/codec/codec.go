package codec

import (
	"errors"

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
	readers  readers
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
