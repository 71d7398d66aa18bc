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

// encodeProto encodes protobuf messages. It reports false for other values.
func encodeProto(v any) (value Value, ok bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			value, ok, err = Value{}, true, fmt.Errorf("%w: %T: panic: %v", ErrEncode, v, r)
		}
	}()
	switch m := v.(type) {
	case proto.Message:
		value = Value{Encoding: Protobuf, Type: string(proto.MessageName(m))}
		value.Data, err = proto.Marshal(m)
	case gogo.Message:
		if value.Type = gogo.MessageName(m); value.Type == "" {
			return Value{}, true, fmt.Errorf("%w: %T is not in the protobuf registry", ErrUnknownType, v)
		}
		value.Encoding = Gogo
		value.Data, err = gogo.Marshal(m)
	default:
		return Value{}, false, nil
	}
	if err != nil {
		return Value{}, true, fmt.Errorf("%w: %T: %w", ErrEncode, v, err)
	}
	return value, true, nil
}

// decodeProto is the inverse of encodeProto. The message's type must be in the
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
