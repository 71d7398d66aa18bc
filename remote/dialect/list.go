package dialect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// errLong is why a message with too long a list is malformed.
var errLong = errors.New("list too long")

// first returns the first of a list that may be long.
func first[A any](list []A, limit int) []A { return list[:min(len(list), limit)] }

// bounded says what keeps b from being a message in which the list in the given
// field has at most limit elements. It is asked before the list is made, whose
// elements take many times the memory of the two bytes that an empty one has in b.
func bounded(b []byte, field int32, limit int) error {
	for n := 0; len(b) > 0; {
		tag, read := binary.Uvarint(b)
		if read <= 0 {
			return io.ErrUnexpectedEOF
		}
		if int32(tag>>3) == field { // as Unmarshal does: not all bits of it count
			if n++; n > limit {
				return fmt.Errorf("%w: more than %d", errLong, limit)
			}
		}
		size, err := skipDialect(b)
		if err != nil {
			return err
		}
		if size > len(b) {
			return io.ErrUnexpectedEOF
		}
		b = b[size:]
	}
	return nil
}

// valid says what keeps one of list from being what a protocol takes.
func valid[A any](list []A, check func(A) error) error {
	for _, a := range list {
		if err := check(a); err != nil {
			return err
		}
	}
	return nil
}
