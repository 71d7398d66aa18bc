package strong

import (
	"encoding/binary"
	"errors"
)

// errMalformed is why bytes from another node, or from a disk, are refused.
var errMalformed = errors.New("strong: malformed bytes")

// The encoding of everything here: unsigned varints, and bytes behind their
// length.

func appendBytes[T ~string | ~[]byte](b []byte, field T) []byte {
	b = binary.AppendUvarint(b, uint64(len(field)))
	return append(b, field...)
}

func appendBool(b []byte, yes bool) []byte {
	if yes {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendToken(b []byte, t Token) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, t.Epoch), t.Index)
}

// reader takes fields from the front of bytes. After the first that is not
// there, every field is zero and bad is set.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() {
	r.b, r.bad = nil, true
}

func (r *reader) uint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) octet() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) yes() bool {
	c := r.octet()
	if c > 1 {
		r.fail()
	}
	return c == 1
}

// bytes are part of what is read, not a copy.
func (r *reader) bytes() []byte {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	field := r.b[:n:n]
	r.b = r.b[n:]
	return field
}

func (r *reader) text() string { return string(r.bytes()) }

func (r *reader) token() Token {
	epoch := r.uint()
	return Token{Epoch: epoch, Index: r.uint()}
}

// count is the number of things that follow, each of at least size bytes: no
// more than there is room for.
func (r *reader) count(size int) int {
	n := r.uint()
	if n > uint64(len(r.b)/size) {
		r.fail()
		return 0
	}
	return int(n)
}

// end says whether everything was there, and nothing more.
func (r *reader) end() error {
	if r.bad || len(r.b) > 0 {
		return errMalformed
	}
	return nil
}
