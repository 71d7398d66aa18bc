package codec

import (
	"reflect"

	gogo "github.com/gogo/protobuf/proto"
	"google.golang.org/protobuf/proto"
)

var (
	googleMessage = reflect.TypeFor[proto.Message]()
	gogoMessage   = reflect.TypeFor[gogo.Message]()
)

func isProto(t reflect.Type) bool {
	return t.Implements(googleMessage) || t.Implements(gogoMessage)
}

func encodeGoogle(value *Value, s *Scratch, m proto.Message) (err error) {
	value.Type = string(m.ProtoReflect().Descriptor().FullName())
	value.Data, err = proto.MarshalOptions{}.MarshalAppend(s.buf.AvailableBuffer(), m)
	s.buf.Write(value.Data) // in place, unless it had to move
	return err
}

// sized is what gogo generates for messages that know how large they are.
type sized interface {
	Size() int
	MarshalToSizedBuffer(b []byte) (int, error)
}

// encodeSized encodes m, and contains what a user's methods can do.
func encodeSized(s *Scratch, m sized) (data []byte, err error) {
	defer contain(&err)
	size := m.Size()
	room := s.buf.AvailableBuffer()
	if cap(room) < size {
		s.buf.Grow(size)
		room = s.buf.AvailableBuffer()
	}
	room = room[:size]
	n, err := m.MarshalToSizedBuffer(room)
	return room[size-n:], err
}
