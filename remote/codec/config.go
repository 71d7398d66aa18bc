package codec

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

// Defaults of [Config].
const (
	// DefaultMaxDepth is how deeply values may be nested: deeper than messages
	// are, shallow enough for the stack.
	DefaultMaxDepth = 32
	// DefaultMaxElements is how many elements one array or map may have: a
	// few bytes must not ask for gigabytes.
	DefaultMaxElements = 1 << 24
)

// Type registers one Go type under a name that all nodes agree on.
type Type struct {
	// Sample is any value of the type. Only its type counts.
	Sample any
	// Name stands for the type on the wire. Empty means the package path and
	// the type's name.
	Name string
}

// Types registers the types of samples under their own names.
func Types(samples ...any) []Type {
	types := make([]Type, len(samples))
	for i, s := range samples {
		types[i] = Type{Sample: s}
	}
	return types
}

// Named registers the type of sample under name.
func Named(name string, sample any) Type { return Type{Sample: sample, Name: name} }

// Config says what a [Codec] knows. The zero Config knows the basic types, the
// errors of package actor, and protobuf messages.
type Config struct {
	// Types are the Go types that may be sent as messages.
	Types []Type
	// Errors are the sentinels that keep their identity between nodes: an
	// error that wraps one is found by errors.Is on the other side. They are
	// known by their text, which must be unique. Package actor's are always
	// among them.
	Errors []error
	// MaxDepth and MaxElements bound what is decoded. Zero means the defaults.
	MaxDepth, MaxElements int
}

// New returns a Codec. Errors are those of cfg, all at once.
func New(cfg Config) (*Codec, error) {
	if cfg.MaxDepth == 0 {
		cfg.MaxDepth = DefaultMaxDepth
	}
	if cfg.MaxElements == 0 {
		cfg.MaxElements = DefaultMaxElements
	}
	enc, err1 := cbor.EncOptions{
		Time:          cbor.TimeRFC3339Nano,
		ShortestFloat: cbor.ShortestFloatNone,
		TextMarshaler: cbor.TextMarshalerTextString,
	}.UserBufferEncMode()
	dec, err2 := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:   cfg.MaxDepth,
		MaxArrayElements:  cfg.MaxElements,
		MaxMapPairs:       cfg.MaxElements,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		IntDec:            cbor.IntDecConvertSignedOrFail,
		DefaultMapType:    reflect.TypeFor[map[string]any](),
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		TextUnmarshaler:   cbor.TextUnmarshalerTextString,
	}.DecMode()
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("codec: %w", err)
	}
	c := &Codec{enc: enc, dec: dec, maxDepth: cfg.MaxDepth}
	c.names.init()
	var errs []error
	for _, t := range basicTypes() {
		errs = append(errs, c.names.add(t.Name, reflect.TypeOf(t.Sample)))
	}
	for _, t := range cfg.Types {
		errs = append(errs, c.register(t))
	}
	errs = append(errs, c.failures.init(cfg.Errors))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Codec) register(t Type) error {
	typ := reflect.TypeOf(t.Sample)
	if typ == nil {
		return errors.New("codec: Config.Types has a nil sample")
	}
	if isProto(typ) {
		return fmt.Errorf("codec: %v is a protobuf message, which needs no registration", typ)
	}
	name := t.Name
	if name == "" {
		if typ.PkgPath() == "" && typ.Kind() != reflect.Pointer {
			return nil // made of other types, such as []T: they are what counts
		}
		name = typeName(typ)
	}
	if err := encodable(typ, nil); err != nil {
		return fmt.Errorf("codec: %v cannot be sent: %w", typ, err)
	}
	return c.names.add(name, typ)
}

// encodable looks for what has no meaning on another node.
func encodable(t reflect.Type, seen []reflect.Type) error {
	for _, s := range seen {
		if s == t {
			return nil
		}
	}
	if t.Implements(textMarshaler) || reflect.PointerTo(t).Implements(textMarshaler) {
		return nil
	}
	seen = append(seen, t)
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return fmt.Errorf("it contains a %v", t)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return fmt.Errorf("it contains a %v, and the receiver could not tell what is in it", t)
		}
	case reflect.Slice, reflect.Array, reflect.Pointer:
		return encodable(t.Elem(), seen)
	case reflect.Map:
		return errors.Join(encodable(t.Key(), seen), encodable(t.Elem(), seen))
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && f.Tag.Get("cbor") != "-" {
				if err := encodable(f.Type, seen); err != nil {
					return fmt.Errorf("field %s: %w", f.Name, err)
				}
			}
		}
	}
	return nil
}
