package codec

import (
	"errors"
	"fmt"
	"reflect"

	gogo "github.com/gogo/protobuf/proto"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
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

func encodeGogo(value *Value, s *Scratch, m gogo.Message) (err error) {
	value.Type = gogo.MessageName(m)
	generated, ok := m.(sized)
	if !ok {
		value.Data, err = gogo.Marshal(m)
		return err
	}
	size := generated.Size()
	s.buf.Grow(size)
	value.Data = s.buf.AvailableBuffer()[:size]
	n, err := generated.MarshalToSizedBuffer(value.Data)
	value.Data = value.Data[size-n:]
	return err
}

// decodeProto is the inverse of encodeGoogle and encodeGogo. The message's type must be in the
// registry of its protobuf library, where its generated code puts it.
func decodeProto(v Value) (msg any, err error) {
	defer func() {
		if r := recover(); r != nil {
			msg, err = nil, fmt.Errorf("%w: %q: panic: %v", ErrDecode, v.Type, r)
		}
	}()
	if v.Encoding == Protobuf {
		t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(v.Type))
		if errors.Is(err, protoregistry.NotFound) {
			return nil, fmt.Errorf("%w: protobuf message %q", ErrUnknownType, v.Type)
		} else if err != nil {
			return nil, fmt.Errorf("%w: protobuf message %q: %w", ErrUnknownType, v.Type, err)
		}
		m := t.New().Interface()
		if err := proto.Unmarshal(v.Data, m); err != nil {
			return nil, fmt.Errorf("%w: %q: %w", ErrDecode, v.Type, err)
		}
		return m, nil
	}
	t := gogo.MessageType(v.Type)
	if t == nil || t.Kind() != reflect.Pointer {
		return nil, fmt.Errorf("%w: protobuf message %q", ErrUnknownType, v.Type)
	}
	m := reflect.New(t.Elem()).Interface().(gogo.Message)
	if err := gogo.Unmarshal(v.Data, m); err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrDecode, v.Type, err)
	}
	return m, nil
}
