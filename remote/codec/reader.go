package codec

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"sync/atomic"

	gogo "github.com/gogo/protobuf/proto"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Reader decodes the values of one encoding and type. It is safe for concurrent
// use. It comes from [Codec.Reader].
type Reader struct {
	codec    *Codec
	encoding Encoding
	name     string
	typ      reflect.Type             // of CBOR; of Gogo, without the pointer
	google   protoreflect.MessageType // of Protobuf
	shape    shape                    // of values that come together
}

// maxReaders bounds how many are kept: a program has fewer types.
const maxReaders = 4096

// readers are those asked for so far. They are replaced, not changed, so that
// finding one takes no lock.
type readers struct {
	byName atomic.Pointer[map[readerKey]*Reader]
	mu     sync.Mutex // held while byName is replaced
}

type readerKey struct {
	encoding Encoding
	name     string
}

// Reader returns what decodes values whose Encoding and Type are these. The
// error wraps ErrUnknownType.
func (c *Codec) Reader(encoding Encoding, name string) (*Reader, error) {
	if encoding == Nil || encoding == Bytes || encoding == Error {
		name = "" // it is of no use
	}
	key := readerKey{encoding, name}
	if m := c.readers.byName.Load(); m != nil {
		if r := (*m)[key]; r != nil {
			return r, nil
		}
	}
	r := &Reader{codec: c, encoding: encoding, name: name}
	if err := r.find(); err != nil {
		return nil, err
	}
	r.findShape()
	c.readers.mu.Lock()
	defer c.readers.mu.Unlock()
	bigger := make(map[readerKey]*Reader)
	if m := c.readers.byName.Load(); m != nil {
		if len(*m) >= maxReaders {
			return r, nil
		}
		maps.Copy(bigger, *m)
	}
	bigger[key] = r
	c.readers.byName.Store(&bigger)
	return r, nil
}

// find looks up the type. Those of protobuf must be in the registry of their
// library, where generated code puts them.
func (r *Reader) find() error {
	switch r.encoding {
	case Nil, Bytes, Error:
		return nil
	case CBOR:
		t, ok := r.codec.names.typeOf(r.name)
		if !ok {
			return fmt.Errorf("%w: %q", ErrUnknownType, r.name)
		}
		r.typ = t
		return nil
	case Protobuf:
		t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(r.name))
		if errors.Is(err, protoregistry.NotFound) {
			return fmt.Errorf("%w: protobuf message %q", ErrUnknownType, r.name)
		} else if err != nil {
			return fmt.Errorf("%w: protobuf message %q: %w", ErrUnknownType, r.name, err)
		}
		r.google = t
		return nil
	case Gogo:
		t := gogo.MessageType(r.name)
		if t == nil || t.Kind() != reflect.Pointer {
			return fmt.Errorf("%w: protobuf message %q", ErrUnknownType, r.name)
		}
		r.typ = t.Elem()
		return nil
	}
	return fmt.Errorf("%w: encoding %d", ErrUnknownType, r.encoding)
}

// Read decodes a value. data is only kept by the result if it is a []byte. The
// error wraps ErrDecode.
func (r *Reader) Read(data []byte) (v any, err error) {
	switch r.encoding {
	case Nil:
		return nil, nil
	case Bytes:
		return data, nil
	}
	// What a user's methods can do must not end the program.
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, fmt.Errorf("%w: %q: panic: %v", ErrDecode, r.name, p)
		}
	}()
	switch r.encoding {
	case Error:
		var f Failure
		if err = r.codec.dec.Unmarshal(data, &f); err == nil {
			v = r.codec.DecodeError(f)
		}
	case CBOR:
		target := reflect.New(r.typ)
		if err = r.codec.dec.Unmarshal(data, target.Interface()); err == nil {
			v = boxed(target)
		}
	case Protobuf:
		m := r.google.New().Interface()
		v, err = m, proto.Unmarshal(data, m)
	case Gogo:
		v = reflect.New(r.typ).Interface()
		if m, ok := v.(generated); ok {
			err = m.XXX_Unmarshal(data)
		} else {
			err = gogo.Unmarshal(data, v.(gogo.Message))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrDecode, r.name, err)
	}
	return v, nil
}

// generated is what gogo's generators give messages. A fresh message can be
// decoded into without being reset.
type generated interface{ XXX_Unmarshal(b []byte) error }

// readInto decodes CBOR into *target.
func (r *Reader) readInto(data []byte, target any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %q: panic: %v", ErrDecode, r.name, p)
		}
	}()
	if err := r.codec.dec.Unmarshal(data, target); err != nil {
		return fmt.Errorf("%w: %q: %w", ErrDecode, r.name, err)
	}
	return nil
}

// Decode is the inverse of Encode. v.Data is only kept by the result if it is a
// []byte. The error wraps ErrUnknownType or ErrDecode.
func (c *Codec) Decode(v Value) (any, error) {
	r, err := c.Reader(v.Encoding, v.Type)
	if err != nil {
		return nil, err
	}
	return r.Read(v.Data)
}
