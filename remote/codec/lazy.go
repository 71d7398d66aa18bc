package codec

import (
	"fmt"
	"reflect"
)

// Lazy is a reply that is decoded when the caller's type is known. It
// implements actor.Encoded.
type Lazy struct {
	codec *Codec
	value Value
}

// Lazy returns v to be decoded later. It keeps v.Data.
func (c *Codec) Lazy(v Value) *Lazy { return &Lazy{c, v} }

// DecodeInto stores the value in *target, which must be of the type that was
// encoded, or an interface that the type implements. It fails if target points
// to another type, as a reply on one node would.
func (l *Lazy) DecodeInto(target any) error {
	p := reflect.ValueOf(target)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("%w: the target is a %T, not a pointer", ErrDecode, target)
	}
	want := p.Type().Elem()
	if l.value.Encoding == Nil {
		p.Elem().SetZero()
		return nil
	}
	if l.value.Encoding == CBOR && want.Kind() != reflect.Interface {
		name, err := l.codec.names.nameOf(want, true)
		if err != nil || name != l.value.Type {
			return fmt.Errorf("%w: it is a %q, not a %v", ErrDecode, l.value.Type, want)
		}
		r := Reader{codec: l.codec, encoding: CBOR, name: name}
		return r.readInto(l.value.Data, target)
	}
	v, err := l.codec.Decode(l.value)
	if err != nil {
		return err
	}
	if t := reflect.TypeOf(v); !t.AssignableTo(want) {
		return fmt.Errorf("%w: it is a %v, not a %v", ErrDecode, t, want)
	}
	p.Elem().Set(reflect.ValueOf(v))
	return nil
}
