package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unsafe"
)

// What values that came together may share of memory: so a value that is kept
// for long keeps no more of others than about twice maxShared.
const (
	maxTogether = 8
	maxShared   = 2 << 10
)

// ReadAll is [Reader.Read] of values that have come together, which it appends
// to into. If one cannot be decoded, it returns those before it, and the error.
// Nothing of data is kept: a []byte is copied.
//
// Taking memory once for several values is cheaper than for each. Neighbours in
// data may lie in the same memory, which is only freed when none of them is used
// any more: at most 8 values, which are not larger than 2 KiB, decoded from at
// most 2 KiB. Otherwise each is as if it were alone: no slice of one has room that
// reaches into another. A value must not be given a finalizer, as is true of all
// that do not begin their memory; [runtime.AddCleanup] serves. Code of messages
// that is written by hand is tried with a few samples when their Reader is made,
// and must not mind.
func (r *Reader) ReadAll(into []any, data [][]byte) (all []any, err error) {
	all = into
	if r.shape.size == 0 {
		return r.readEach(all, data)
	}
	// What a user's methods can do must not end the program.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %q: panic: %v", ErrDecode, r.name, p)
		}
	}()
	for len(data) > 0 {
		n, sum := r.together(data)
		s := slab{shape: &r.shape, memory: reflect.New(r.shape.several[n-1]).UnsafePointer()}
		if r.shape.hasRoom {
			s.room = make([]byte, sum+1)
		}
		for i, d := range data[:n] {
			v, err := r.readIn(&s, i, d)
			if err != nil {
				return all, fmt.Errorf("%w: %q: %w", ErrDecode, r.name, err)
			}
			all = append(all, v)
		}
		data = data[n:]
	}
	return all, nil
}

// readEach is ReadAll of values that do not share memory.
func (r *Reader) readEach(all []any, data [][]byte) ([]any, error) {
	for _, d := range data {
		if r.encoding == Bytes {
			d = append([]byte{}, d...)
		}
		v, err := r.Read(d)
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
	return all, nil
}

// together returns how many of data, from the first on, share memory, and how
// long they are.
func (r *Reader) together(data [][]byte) (n, sum int) {
	most := min(maxTogether, maxShared/int(r.shape.size), len(data))
	sum = len(data[0])
	for n = 1; n < most && sum+len(data[n]) <= maxShared; n++ {
		sum += len(data[n])
	}
	return n, sum
}

// shape is how the values of a type lie in memory that they share. A zero shape
// is that of values that do not.
type shape struct {
	several [maxTogether]reflect.Type // arrays of the values, or of what they point to, by length
	size    uintptr                   // of one
	// message is any message of the type; with another pointer it is another one.
	message generated
	// hasRoom says that there is a field of bytes, at offset room, that is
	// decoded into the memory that it has, if that is enough.
	hasRoom bool
	room    uintptr
}

// slab is memory for several values.
type slab struct {
	shape  *shape
	memory unsafe.Pointer // of as many as were asked for
	room   []byte         // for bytes: what has not been used
}

// readIn decodes the i-th value of s.
func (r *Reader) readIn(s *slab, i int, data []byte) (any, error) {
	at := unsafe.Add(s.memory, uintptr(i)*s.shape.size)
	if r.encoding == Bytes {
		n := copy(s.room, data)
		*(*[]byte)(at) = s.room[:n:n]
		s.room = s.room[n:]
		v := any([]byte(nil))
		(*words)(unsafe.Pointer(&v)).data = at
		return v, nil
	}
	m := s.shape.message
	(*words)(unsafe.Pointer(&m)).data = at
	if !s.shape.hasRoom {
		return m, m.XXX_Unmarshal(data)
	}
	// Longer than what can come, so that it can be told whether anything has.
	field, length := (*[]byte)(unsafe.Add(at, s.shape.room)), len(data)+1
	*field = s.room[:length:length]
	if err := m.XXX_Unmarshal(data); err != nil {
		return nil, err
	}
	switch b := *field; {
	case len(b) == length:
		*field = nil
	case unsafe.SliceData(b) == unsafe.SliceData(s.room):
		*field = b[:len(b):len(b)]
		s.room = s.room[len(b):]
	}
	return m, nil
}

// findShape finds out how r's values share memory, if they do.
func (r *Reader) findShape() {
	switch r.encoding {
	case Bytes:
		r.shape = shapeOf(reflect.TypeFor[[]byte]())
		r.shape.hasRoom = true
	case Gogo:
		m, ok := reflect.New(r.typ).Interface().(generated)
		if !ok || r.typ.Kind() != reflect.Struct || r.typ.Size() == 0 || r.typ.Size() > maxShared/2 {
			return // some messages are lists, of which the type may even be generated
		}
		r.shape = shapeOf(r.typ)
		r.shape.message = m
		for i := range r.typ.NumField() {
			if f := r.typ.Field(i); takesRoom(r.typ, f) {
				r.shape.hasRoom, r.shape.room = true, f.Offset
				return
			}
		}
	}
}

func shapeOf(t reflect.Type) shape {
	s := shape{size: t.Size()}
	for i := range s.several {
		s.several[i] = reflect.ArrayOf(i+1, t)
	}
	return s
}

// takesRoom reports whether a message of type t is decoded so that the bytes of
// a field are put where it has room for them, and stay as they are if there are
// none, and so that nothing else comes of the room: what is behind the bytes is
// not seen, and no other field lies in it. Code that gogo generates does so; other
// code need not.
func takesRoom(t reflect.Type, f reflect.StructField) (does bool) {
	tag := strings.Split(f.Tag.Get("protobuf"), ",")
	if f.Type != reflect.TypeFor[[]byte]() || !f.IsExported() || len(tag) < 3 || tag[0] != "bytes" || tag[2] != "opt" {
		return false
	}
	number, err := strconv.ParseUint(tag[1], 10, 29)
	if err != nil {
		return false
	}
	defer func() {
		if recover() != nil {
			does = false
		}
	}()
	for _, sample := range []string{"", "abc"} {
		key := binary.AppendUvarint(nil, number<<3|2)
		data := append(append(key, byte(len(sample))), sample...)
		if !staysInRoom(t, f, data, len(sample)) {
			return false
		}
	}
	return staysInRoom(t, f, nil, -1)
}

// staysInRoom reports whether the bytes of a field are put where it has room, and
// all else is as without room, when data is decoded, in which there are n of them:
// -1 if there are none, which leaves the field as it is.
func staysInRoom(t reflect.Type, f reflect.StructField, data []byte, n int) bool {
	room := make([]byte, 8)
	roomy, plain := reflect.New(t), reflect.New(t)
	field, want := roomy.Elem().FieldByIndex(f.Index), plain.Elem().FieldByIndex(f.Index)
	field.SetBytes(room)
	for _, v := range []reflect.Value{roomy, plain} {
		if v.Interface().(generated).XXX_Unmarshal(data) != nil {
			return false
		}
	}
	got := field.Bytes()
	if unsafe.SliceData(got) != unsafe.SliceData(room) || want.IsNil() != (n < 0) {
		return false
	}
	if n < 0 && len(got) != len(room) || n >= 0 && !bytes.Equal(got, want.Bytes()) {
		return false
	}
	for i := range room {
		room[i]++ // so it is seen who else has it
	}
	field.SetZero()
	want.SetZero()
	return reflect.DeepEqual(roomy.Interface(), plain.Interface())
}
