// Package codec turns the values that processes send into bytes and back.
//
//	message --Encode--> encoding, type name, bytes --Decode--> message
//	reply --EncodeReply--> the same ------------------Lazy--> when the caller's type is known
//	reason --EncodeError--> registered errors, text --DecodeError--> error
//
// What can be sent:
//
//   - []byte, as it is;
//   - protobuf messages of google.golang.org/protobuf and of
//     github.com/gogo/protobuf, as themselves;
//   - the basic types: bool, string, the sized and unsized integers and floats,
//     time.Time, time.Duration and actor.PID, as CBOR;
//   - the types given in [Config], as CBOR under their package path and name,
//     or the name given;
//   - slices, maps and pointers of all these;
//   - errors, as the registered errors they wrap and their text.
//
// The smallest use:
//
//	c, err := codec.New(codec.Config{Types: codec.Types(Add{}, Get{})})
//	v, err := c.Encode(Add{N: 1})
//	msg, err := c.Decode(v) // Add{N: 1}
//
// Only exported fields travel; a field of an interface type comes back as a
// bool, int64, float64, string, []byte, []any or map[string]any. A time keeps
// its offset from UTC and loses the name of its zone. A value is registered as
// what it is sent as: Add and *Add are two types.
//
// Values that come together may lie in the same memory, which saves most of the
// cost of small ones; see [Reader.ReadAll] for what one of them keeps alive.
//
// # What happens when it goes wrong
//
// A type that a side does not know gives ErrUnknownType on that side; bytes
// that are no value of their type give ErrDecode; a value that panics while it
// is being encoded or decoded gives an error. None ends a process, a
// connection or the program. [Config] bounds what few bytes can ask for.
package codec
