package wire

import (
	"fmt"
	"io"
)

// MaxRemembered is how many signals a lane's receiver remembers.
const MaxRemembered = 64

// Again heads a payload of a signal that the receiver remembers: it is the number
// that Signal.Remember gave it. It is one byte, less than [MaxRemembered].
type Again uint8

// AppendAgain is [Append] for an Again.
func AppendAgain(b []byte, number Again, payload int) []byte {
	return append(Header{Kind: KindAgain, Head: 1, Payload: payload}.Append(b), byte(number))
}

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
