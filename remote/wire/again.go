package wire

import (
	"encoding/binary"
	"fmt"
	"io"
)

// MaxRemembered is how many signals a lane's receiver remembers.
const MaxRemembered = 64

// Again heads a payload of a signal that the receiver remembers: it is the number
// that Signal.Remember gave it. It is one byte, less than [MaxRemembered].
type Again uint8

// Repeat is a small frame of KindAgain. Payload is valid until the next call of
// [Decoder.Space].
type Repeat struct {
	Number  Again
	Payload []byte
}

// AppendAgain is [Append] for an Again.
func AppendAgain(b []byte, number Again, payload int) []byte {
	n := len(b)
	b = grow(b, AgainSize)
	PutAgain(b[n:], number, payload)
	return b
}

// AgainSize is the length of such a frame, up to its payload.
const AgainSize = HeaderSize + 1

// PutAgain is [AppendAgain] to the beginning of b, which must be long enough.
func PutAgain(b []byte, number Again, payload int) {
	_ = b[HeaderSize]
	binary.BigEndian.PutUint64(b, repeats|uint64(uint32(payload))) // see Header
	b[HeaderSize] = byte(number)
}

// repeats is the header of a KindAgain, but for the length of its payload.
const repeats = (uint64(KindAgain)<<24 | 1) << 32

// Size returns 1.
func (a *Again) Size() int { return 1 }

// MarshalToSizedBuffer writes the last byte of b.
func (a *Again) MarshalToSizedBuffer(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, io.ErrShortBuffer
	}
	b[len(b)-1] = byte(*a)
	return 1, nil
}

// Unmarshal reads a head. The error wraps ErrKind if it is none.
func (a *Again) Unmarshal(head []byte) error {
	if len(head) != 1 || head[0] >= MaxRemembered {
		return fmt.Errorf("%w: again with head %x", ErrKind, head)
	}
	*a = Again(head[0])
	return nil
}
