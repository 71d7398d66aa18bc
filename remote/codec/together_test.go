package codec

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"weak"

	gogo "github.com/gogo/protobuf/proto"
	gogotypes "github.com/gogo/protobuf/types"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// byHand is a message whose methods nobody has generated.
type byHand struct {
	Value []byte `protobuf:"bytes,1,opt,name=value"`
}

func (*byHand) Reset()         {}
func (*byHand) String() string { return "by hand" }
func (*byHand) ProtoMessage()  {}

type (
	lookin struct {
		Value []byte `protobuf:"bytes,1,opt,name=value"`
	}
	fragile struct {
		Value []byte `protobuf:"bytes,1,opt,name=value"`
	}
	// measured and viewed do more than what was generated does.
	measured struct {
		Value  []byte `protobuf:"bytes,1,opt,name=value"`
		length int
	}
	viewed struct {
		Value []byte `protobuf:"bytes,1,opt,name=value"`
		begin []byte
	}
	// list is no struct.
	list []string
)

func (*lookin) Reset()           {}
func (*lookin) String() string   { return "looks" }
func (*lookin) ProtoMessage()    {}
func (*fragile) Reset()          {}
func (*fragile) String() string  { return "fragile" }
func (*fragile) ProtoMessage()   {}
func (*measured) Reset()         {}
func (*measured) String() string { return "measured" }
func (*measured) ProtoMessage()  {}
func (*viewed) Reset()           {}
func (*viewed) String() string   { return "viewed" }
func (*viewed) ProtoMessage()    {}
func (*list) Reset()             {}
func (*list) String() string     { return "list" }
func (*list) ProtoMessage()      {}

// XXX_Unmarshal adds to what is there.
func (m *byHand) XXX_Unmarshal(b []byte) error {
	m.Value = append(m.Value, b...)
	return nil
}

// XXX_Unmarshal would take room for a value.
func (m *lookin) XXX_Unmarshal(b []byte) error {
	if m.Value == nil {
		m.Value = bytes.Clone(b)
	}
	return nil
}

// XXX_Unmarshal panics at what it does not expect.
func (m *fragile) XXX_Unmarshal(b []byte) error {
	if m.Value != nil || len(b) == 0 || b[0] == '!' {
		panic("fragile")
	}
	m.Value = bytes.Clone(b)
	return nil
}

// readInRoom does what generated code does with a field of bytes.
func readInRoom(field *[]byte, b []byte) error {
	m := gogotypes.BytesValue{Value: *field}
	err := m.XXX_Unmarshal(b)
	*field = m.Value
	return err
}

// XXX_Unmarshal looks at what is there when everything has come.
func (m *measured) XXX_Unmarshal(b []byte) error {
	err := readInRoom(&m.Value, b)
	m.length = len(m.Value)
	return err
}

// XXX_Unmarshal has the same bytes in two fields.
func (m *viewed) XXX_Unmarshal(b []byte) error {
	err := readInRoom(&m.Value, b)
	m.begin = m.Value[:min(len(m.Value), 1)]
	return err
}

// XXX_Unmarshal reads one line.
func (m *list) XXX_Unmarshal(b []byte) error {
	*m = append(*m, string(b))
	return nil
}

// registerByHand puts them where generated code would.
func registerByHand(t *testing.T) {
	t.Helper()
	if gogo.MessageType("test.ByHand") == nil {
		gogo.RegisterType((*byHand)(nil), "test.ByHand")
		gogo.RegisterType((*lookin)(nil), "test.Lookin")
		gogo.RegisterType((*fragile)(nil), "test.Fragile")
		gogo.RegisterType((*measured)(nil), "test.Measured")
		gogo.RegisterType((*viewed)(nil), "test.Viewed")
		gogo.RegisterType((*list)(nil), "test.List")
	}
}

func reader(t testing.TB, c *Codec, encoding Encoding, name string) *Reader {
	t.Helper()
	r, err := c.Reader(encoding, name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// valuesOf returns the reader of some values, and their encodings.
func valuesOf(t testing.TB, c *Codec, values ...any) (*Reader, [][]byte) {
	t.Helper()
	var data [][]byte
	var first Value
	for i, v := range values {
		e, err := c.Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = e
		}
		data = append(data, bytes.Clone(e.Data))
	}
	return reader(t, c, first.Encoding, first.Type), data
}

func TestValuesReadTogetherAreWhatTheyAreAlone(t *testing.T) {
	c := newCodec(t)
	rng := rand.New(rand.NewPCG(3, 4))
	content := func() []byte {
		b := make([]byte, []int{0, 1, 8, 64, 100, 700, 3000}[rng.IntN(7)])
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	kinds := map[string]func() any{
		"bytes":       func() any { return content() },
		"gogo bytes":  func() any { return &gogotypes.BytesValue{Value: content()} },
		"gogo string": func() any { return &gogotypes.StringValue{Value: fmt.Sprint(content())} },
		"gogo any": func() any {
			return &gogotypes.Any{TypeUrl: "t", Value: content(), XXX_unrecognized: []byte{0x28, byte(rng.IntN(100))}}
		},
		"gogo empty": func() any { return &gogotypes.Empty{} },
		"google":     func() any { return wrapperspb.Bytes(content()) },
		"cbor":       func() any { return item{string(fmt.Sprint(content())), rng.IntN(100)} },
		"text":       func() any { return fmt.Sprint(content()) },
	}
	for name, next := range kinds {
		t.Run(name, func(t *testing.T) {
			var values []any
			for range 80 {
				values = append(values, next())
			}
			r, data := valuesOf(t, c, values...)
			var want []any
			for _, d := range data {
				v, err := r.Read(bytes.Clone(d))
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, v)
			}
			got, err := r.ReadAll([]any{"before"}, data)
			if err != nil || got[0] != "before" {
				t.Fatal(got[0], err)
			}
			for _, d := range data {
				clear(d) // nothing of it may be kept
			}
			if diff := cmp.Diff(want, got[1:], equal); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBytesThatAreAbsentAreToldFromEmptyOnesTogetherToo(t *testing.T) {
	r := reader(t, newCodec(t), Gogo, "google.protobuf.BytesValue")
	if !r.shape.hasRoom {
		t.Fatal("generated code does not take room")
	}
	got, err := r.ReadAll(nil, [][]byte{{}, {0x0a, 0}, {0x0a, 1, 'x'}, {0x0a, 2, 'a', 'b', 0x0a, 1, 'c'}, {}})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]byte{nil, {}, []byte("x"), []byte("c"), nil}
	for i, v := range got {
		b := v.(*gogotypes.BytesValue).Value
		if !bytes.Equal(b, want[i]) || (b == nil) != (want[i] == nil) || cap(b) != len(b) {
			t.Errorf("%d: %#v with room for %d, want %#v", i, b, cap(b), want[i])
		}
	}
}

func TestValuesReadTogetherCanBeChangedByThoseThatHaveThem(t *testing.T) {
	c := newCodec(t)
	bytesOf := map[string]func(v any) *[]byte{
		"gogo": func(v any) *[]byte { return &v.(*gogotypes.BytesValue).Value },
		"raw":  func(v any) *[]byte { b := v.([]byte); return &b },
	}
	for name, field := range bytesOf {
		t.Run(name, func(t *testing.T) {
			var values []any
			for i := range 64 {
				b := bytes.Repeat([]byte{byte(i)}, i)
				if values = append(values, any(b)); name == "gogo" {
					values[i] = &gogotypes.BytesValue{Value: b}
				}
			}
			r, data := valuesOf(t, c, values...)
			got, err := r.ReadAll(nil, data)
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for i := 1; i < len(got); i += 2 {
				wg.Go(func() {
					b := field(got[i])
					clear((*b)[:cap(*b)])
					*b = append(*b, "much more than there was"...)
				})
			}
			for i := 0; i < len(got); i += 2 {
				wg.Go(func() {
					if b := *field(got[i]); !bytes.Equal(b, bytes.Repeat([]byte{byte(i)}, i)) {
						t.Errorf("%d has become %v", i, b)
					}
				})
			}
			wg.Wait()
		})
	}
}

// What is kept alive by a value that is kept is counted: all others have been
// given up, and what shares memory with it is still there.
func TestKeptValueKeepsFewNeighboursAlive(t *testing.T) {
	c := newCodec(t)
	for _, size := range []int{0, 10, 64, 500, 1500, 3000} {
		const count, kept = 200, 77
		var values []any
		for range count {
			values = append(values, &gogotypes.BytesValue{Value: make([]byte, size)})
		}
		r, data := valuesOf(t, c, values...)
		got, err := r.ReadAll(nil, data)
		if err != nil {
			t.Fatal(err)
		}
		var messages []weak.Pointer[gogotypes.BytesValue]
		var contents []weak.Pointer[byte]
		for _, v := range got {
			m := v.(*gogotypes.BytesValue)
			messages = append(messages, weak.Make(m))
			if size > 0 {
				contents = append(contents, weak.Make(&m.Value[0]))
			}
		}
		keep := got[kept]
		clear(got)
		got = nil
		runtime.GC()
		runtime.GC()
		alive := 0
		for _, w := range messages {
			if w.Value() != nil {
				alive++
			}
		}
		held := 0
		for _, w := range contents {
			if w.Value() != nil {
				held += size
			}
		}
		if alive < 1 || alive > 8 || held > max(2<<10, size) {
			t.Errorf("%d bytes each: %d messages and %d bytes are kept alive", size, alive, held)
		}
		if size == 10 && alive < 8 {
			t.Errorf("only %d small messages share memory", alive)
		}
		runtime.KeepAlive(keep)
	}
}

func TestValueThatCannotBeDecodedStopsTheRest(t *testing.T) {
	c := newCodec(t)
	registerByHand(t)
	good := []byte{0x0a, 1, 'x'}
	for name, bad := range map[string][]byte{"google.protobuf.BytesValue": {0x0a, 9, 'x'}, "test.Fragile": []byte("!")} {
		r := reader(t, c, Gogo, name)
		for before := range 40 {
			var data [][]byte
			for range before {
				data = append(data, good)
			}
			got, err := r.ReadAll(nil, append(append(data, bad), good, good))
			if len(got) != before || !errors.Is(err, ErrDecode) {
				t.Fatalf("%s: %d of %d before it, %v", name, len(got), before, err)
			}
			for _, v := range got {
				if want, _ := r.Read(good); !cmp.Equal(v, want) {
					t.Fatalf("%s: %v", name, v)
				}
			}
		}
	}
}

func TestCodeByHandGetsNoRoomItDoesNotExpect(t *testing.T) {
	registerByHand(t)
	c := newCodec(t)
	for _, name := range []string{"test.ByHand", "test.Lookin", "test.Fragile"} {
		r := reader(t, c, Gogo, name)
		got, err := r.ReadAll(nil, [][]byte{[]byte("one"), []byte("two"), []byte("three")})
		if err != nil {
			t.Fatal(name, err)
		}
		for i, want := range []string{"one", "two", "three"} {
			var b []byte
			switch m := got[i].(type) {
			case *byHand:
				b = m.Value
			case *lookin:
				b = m.Value
			case *fragile:
				b = m.Value
			}
			if string(b) != want {
				t.Errorf("%s: %q, want %q", name, b, want)
			}
		}
	}
}

func TestCodeByHandSeesNoRoomBehindItsBytes(t *testing.T) {
	registerByHand(t)
	c := newCodec(t)
	data := [][]byte{{}, {0x0a, 2, 'a', 'b'}, {0x0a, 2, 'c', 'd'}, {}}
	got, err := reader(t, c, Gogo, "test.Measured").ReadAll(nil, data)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 2, 2, 0} {
		if m := got[i].(*measured); m.length != want {
			t.Errorf("%d: it has seen %d bytes, %d have come", i, m.length, want)
		}
	}
	if got, err = reader(t, c, Gogo, "test.Viewed").ReadAll(nil, data); err != nil {
		t.Fatal(err)
	}
	first, second := got[1].(*viewed), got[2].(*viewed)
	_ = append(first.begin, "1234"...)
	if string(second.Value) != "cd" {
		t.Errorf("what one has written is in another, which has become %q", second.Value)
	}
}

func TestMessagesThatAreListsAreReadTogether(t *testing.T) {
	registerByHand(t)
	got, err := reader(t, newCodec(t), Gogo, "test.List").ReadAll(nil, [][]byte{[]byte("a"), []byte("b")})
	if want := []any{&list{"a"}, &list{"b"}}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

func FuzzReadAll(f *testing.F) {
	c := newCodec(f)
	f.Add(uint8(0), []byte{0x0a, 1, 'x', 0x0a, 0, 0x0a, 2, 'a', 'b'}, uint8(3))
	f.Add(uint8(1), []byte{0x0a, 1, 't', 0x12, 2, 'a', 'b', 0x28, 1}, uint8(9))
	f.Add(uint8(2), []byte("anything"), uint8(2))
	f.Fuzz(func(t *testing.T, kind uint8, stream []byte, step uint8) {
		names := []string{"google.protobuf.BytesValue", "google.protobuf.Any", ""}
		encoding := []Encoding{Gogo, Gogo, Bytes}[int(kind)%3]
		r := reader(t, c, encoding, names[int(kind)%3])
		var data [][]byte
		for rest := stream; len(rest) > 0; {
			n := min(len(rest), int(step)+1)
			data, rest = append(data, rest[:n]), rest[n:]
		}
		got, err := r.ReadAll(nil, data)
		for i, d := range data {
			want, wantErr := r.Read(bytes.Clone(d))
			if wantErr != nil {
				if i != len(got) || !errors.Is(err, ErrDecode) {
					t.Fatalf("%d of %d before the bad one, %v", len(got), i, err)
				}
				return
			}
			if i >= len(got) {
				t.Fatalf("%d of %d, %v", len(got), len(data), err)
			}
			if diff := cmp.Diff(want, got[i]); diff != "" {
				t.Fatal(diff)
			}
		}
		if err != nil || len(got) != len(data) {
			t.Fatalf("%d of %d, %v", len(got), len(data), err)
		}
	})
}
