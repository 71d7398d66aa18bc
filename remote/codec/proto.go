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

func encodeSized(value *Value, s *Scratch, m sized) error {
	size := m.Size()
	if s.buf.Available() < size {
		s.buf.Grow(size)
	}
	value.Data = s.buf.AvailableBuffer()[:size]
	n, err := m.MarshalToSizedBuffer(value.Data)
	value.Data = value.Data[size-n:]
	return err
}
