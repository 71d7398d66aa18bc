package codec

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"

	gogo "github.com/gogo/protobuf/proto"
	"google.golang.org/protobuf/proto"
)

// plan is how values of one Go type are encoded, worked out when the first is.
type plan struct {
	encoding Encoding
	name     string // of CBOR and Gogo
	deep     bool   // they can be nested to any depth
	strange  bool   // not registered: only a reply may be of the type
	sized    sized  // of Gogo: any message of the type; nil if it does not know how large it is
}

// maxPlans bounds how many are kept: a program has fewer types.
const maxPlans = 4096

// plans are those worked out so far. They are replaced, not changed, so that
// finding one takes no lock.
type plans struct {
	byType atomic.Pointer[map[reflect.Type]plan]
	mu     sync.Mutex // held while byType is replaced
}

func (p *plans) find(t reflect.Type) (plan, bool) {
	if m := p.byType.Load(); m != nil {
		found, ok := (*m)[t]
		return found, ok
	}
	return plan{}, false
}

func (p *plans) add(t reflect.Type, is plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	bigger := make(map[reflect.Type]plan)
	if m := p.byType.Load(); m != nil {
		if len(*m) >= maxPlans {
			return
		}
		maps.Copy(bigger, *m)
	}
	bigger[t] = is
	p.byType.Store(&bigger)
}

// plan returns how v is encoded. If lenient, its type need not be registered.
// It is valid until s is used the next time.
func (c *Codec) plan(s *Scratch, v any, lenient bool) (*plan, error) {
	typ := (*words)(unsafe.Pointer(&v)).typ
	if s.codec == c && s.typ == typ && (lenient || !s.last.strange) {
		return &s.last, nil
	}
	t := reflect.TypeOf(v)
	p, ok := c.plans.find(t)
	if !ok || p.strange && !lenient {
		var err error
		if p, err = c.newPlan(t, v, lenient); err != nil {
			return nil, err
		}
	}
	s.codec, s.typ, s.last = c, typ, p
	return &s.last, nil
}

func (c *Codec) newPlan(t reflect.Type, v any, lenient bool) (plan, error) {
	var p plan
	switch m := v.(type) {
	case proto.Message:
		p.encoding = Protobuf
	case gogo.Message:
		if gogo.MessageName(m) == "" {
			return p, fmt.Errorf("%w: %T is not in the protobuf registry", ErrUnknownType, v)
		}
		p = plan{encoding: Gogo, name: gogo.MessageName(m)}
		if t.Kind() == reflect.Pointer { // which an interface holds itself
			p.sized, _ = reflect.Zero(t).Interface().(sized)
		}
	default:
		if _, ok := v.(error); ok && !c.names.has(t) {
			p.encoding = Error
			break
		}
		name, err := c.names.nameOf(t, false)
		strange := err != nil
		if strange && lenient {
			name, err = c.names.nameOf(t, true)
		}
		if err != nil {
			return p, fmt.Errorf("%w: %T cannot be sent: %w", ErrUnknownType, v, err)
		}
		p = plan{encoding: CBOR, name: name, deep: endless(t, nil), strange: strange}
	}
	c.plans.add(t, p)
	return p, nil
}

// Scratch is memory to encode in. A zero Scratch is ready for use; it is used by
// one goroutine at a time.
type Scratch struct {
	buf bytes.Buffer
	// last is the plan that codec made for the type it was used for last.
	codec *Codec
	typ   unsafe.Pointer // as an interface says it
	last  plan
}

// Reset forgets the memory, which then belongs to whoever has a [Value] in it.
func (s *Scratch) Reset() { s.buf = bytes.Buffer{} }

// EncodeIn is [Codec.Encode] into memory that is used again: but for a []byte,
// Data is valid until s is used the next time.
func (c *Codec) EncodeIn(s *Scratch, v any) (Value, error) { return c.encode(s, v, false) }

// EncodeReplyIn is [Codec.EncodeReply] into memory that is used again.
func (c *Codec) EncodeReplyIn(s *Scratch, v any) (Value, error) { return c.encode(s, v, true) }

func (c *Codec) encode(s *Scratch, v any, lenient bool) (Value, error) {
	switch v := v.(type) {
	case nil:
		return Value{Encoding: Nil}, nil
	case []byte:
		return Value{Encoding: Bytes, Data: v}, nil
	}
	p, err := c.plan(s, v, lenient)
	if err != nil {
		return Value{}, err
	}
	if p.deep {
		// A pointer is a step too, though it is no level of CBOR.
		if err := c.walk(reflect.ValueOf(v), 0, 0); err != nil {
			return Value{}, fmt.Errorf("%w: %T: %w", ErrEncode, v, err)
		}
	}
	s.buf.Reset()
	if p.sized != nil {
		m := p.sized
		(*words)(unsafe.Pointer(&m)).data = (*words)(unsafe.Pointer(&v)).data
		data, err := encodeSized(s, m)
		if err != nil {
			return Value{}, fmt.Errorf("%w: %T: %w", ErrEncode, v, err)
		}
		return Value{Encoding: p.encoding, Type: p.name, Data: data}, nil
	}
	value := Value{Encoding: p.encoding, Type: p.name}
	if err := c.encodeAs(&value, s, v); err != nil {
		return Value{}, fmt.Errorf("%w: %T: %w", ErrEncode, v, err)
	}
	return value, nil
}

// encodeAs encodes v as value says, and contains what a user's methods can do.
func (c *Codec) encodeAs(value *Value, s *Scratch, v any) (err error) {
	defer contain(&err)
	switch value.Encoding {
	case Protobuf:
		return encodeGoogle(value, s, v.(proto.Message))
	case Gogo:
		value.Data, err = gogo.Marshal(v.(gogo.Message))
		return err
	case Error:
		v = c.EncodeError(v.(error))
	}
	err = c.enc.MarshalToBuffer(v, &s.buf)
	value.Data = s.buf.Bytes()
	return err
}

// contain, deferred, makes an error of a panic.
func contain(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("panic: %v", r)
	}
}
