package codec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	gogotypes "github.com/gogo/protobuf/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/topos-go/topos/actor"
)

type (
	item struct {
		Name  string
		Count int
	}
	order struct {
		actor.Returns[int]
		Items    []item
		Prices   map[string]float64
		From     actor.PID
		At       time.Time
		For      time.Duration
		Next     *order
		Raw      []byte
		Anything any
		hidden   int
	}
	colour  int
	unknown struct{ N int }
)

func (c colour) MarshalText() ([]byte, error) { return []byte{byte('a' + c)}, nil }
func (c *colour) UnmarshalText(b []byte) error {
	if len(b) != 1 {
		return errors.New("not a colour")
	}
	*c = colour(b[0] - 'a')
	return nil
}

var errRegistered = errors.New("test: registered")

func newCodec(t testing.TB) *Codec {
	t.Helper()
	c, err := New(Config{
		Types:  append(Types(item{}, order{}, &order{}, []item{}), Named("colour", colour(0))),
		Errors: []error{errRegistered},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pid(t testing.TB) actor.PID {
	t.Helper()
	p, err := actor.ParsePID("<a@b:1/1-u/3.4>")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var equal = cmp.Options{
	cmpopts.EquateErrors(), cmpopts.EquateNaNs(), cmp.AllowUnexported(order{}),
	cmp.Comparer(func(a, b actor.PID) bool { return a == b }),
	cmp.Comparer(func(a, b proto.Message) bool { return proto.Equal(a, b) }),
}

func TestWhatIsEncodedComesBack(t *testing.T) {
	c := newCodec(t)
	at := time.Date(2024, 2, 29, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	for _, v := range []any{
		nil, []byte("raw"), []byte{}, true, "text", "", 1, -1, math.MaxInt64, math.MinInt64,
		int8(-8), int16(-16), int32(-32), int64(-64), uint(1), uint8(8), uint16(16), uint32(32), uint64(math.MaxUint64),
		float32(1.5), 2.5, math.Inf(1), math.NaN(), at, time.Minute, pid(t), actor.PID{}, struct{}{},
		item{"a", 1}, colour(3), []item{{"a", 1}, {"b", 2}}, []string{"a"}, map[string]int{"a": 1}, map[int][]item{1: {{"a", 1}}},
		&item{"a", 1}, []any{int64(1), "a", nil, 2.5, true, []byte{1}, []any{}, map[string]any{"a": int64(-1)}},
		order{Items: []item{{"a", 1}}, Prices: map[string]float64{"a": 1.5}, From: pid(t), At: at, For: time.Hour, Raw: []byte{1}, Anything: "x"},
		&order{Next: &order{For: 1}},
		wrapperspb.String("google"), &gogotypes.StringValue{Value: "gogo"},
		errRegistered, actor.ErrNoProc, actor.ErrTimeout,
	} {
		enc, err := c.Encode(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
			continue
		}
		got, err := c.Decode(enc)
		if err != nil {
			t.Errorf("%T as %q: %v", v, enc.Type, err)
			continue
		}
		if reflect.TypeOf(got) != reflect.TypeOf(v) {
			t.Errorf("a %T came back as %T", v, got)
		}
		if diff := cmp.Diff(v, got, equal); diff != "" {
			t.Errorf("%T: %s", v, diff)
		}
	}
}

func TestUnexportedFieldsDoNotTravel(t *testing.T) {
	c := newCodec(t)
	v, err := c.Encode(order{hidden: 5})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Decode(v)
	if err != nil || got.(order).hidden != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestNamesOfTypes(t *testing.T) {
	c := newCodec(t)
	const pkg = "github.com/topos-go/topos/remote/codec."
	for _, test := range []struct {
		v    any
		want string
	}{
		{1, "int"},
		{item{}, pkg + "item"},
		{colour(1), "colour"},
		{(*order)(nil), "*" + pkg + "order"},
		{&map[string][]item{}, "*map[string][]" + pkg + "item"},
		{actor.PID{}, "actor.PID"},
		{&[]map[string]colour{}, "*[]map[string]colour"},
		{[2]*struct{}{}, ""},
		{struct{ A int }{}, ""},
		{func() {}, ""},
		{make(chan int), ""},
	} {
		v, want := test.v, test.want
		got, err := c.Encode(v)
		if want == "" {
			if !errors.Is(err, ErrUnknownType) {
				t.Errorf("%T: %q, %v", v, got.Type, err)
			}
			continue
		}
		if got.Type != want || err != nil {
			t.Errorf("%T: %q, %v", v, got.Type, err)
		}
		if typ, ok := c.names.typeOf(got.Type); !ok || typ != reflect.TypeOf(v) {
			t.Errorf("%q is %v", got.Type, typ)
		}
	}
}

func TestNamesThatAreNoTypesAreUnknown(t *testing.T) {
	c := newCodec(t)
	for _, name := range []string{
		"", "*", "[]", "map[]", "map[string]", "map[string", "map[[]int]int", "map[any]int", "any", "error", "int ", "[]int]",
		"no.such.Type", strings.Repeat("[]", 100) + "int", "[5]int", "map[map[string]int]int", "*any*",
	} {
		if _, err := c.Decode(Value{Encoding: CBOR, Type: name, Data: []byte{0xf6}}); !errors.Is(err, ErrUnknownType) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, v := range []Value{{Encoding: 99}, {Encoding: Protobuf, Type: "no.such.Message"}, {Encoding: Gogo, Type: "no.such.Message"}, {Encoding: Protobuf}} {
		if _, err := c.Decode(v); !errors.Is(err, ErrUnknownType) {
			t.Errorf("%+v: %v", v, err)
		}
	}
}

func TestPeerCannotFillTheTableOfTypes(t *testing.T) {
	c := newCodec(t)
	elems := []string{"int", "string", "bool", "uint", "int8", "int16", "int32", "int64"}
	refused := 0
	for i := range 8 * 8 * 8 * 8 * 8 {
		name := fmt.Sprintf("map[%s]map[%s]map[%s]map[%s]%s",
			elems[i%8], elems[i/8%8], elems[i/64%8], elems[i/512%8], elems[i/4096%8])
		if _, ok := c.names.typeOf(name); !ok {
			refused++
		}
	}
	if want := 8*8*8*8*8 - maxComposed; refused != want {
		t.Errorf("%d refused, want %d", refused, want)
	}
	// What is registered still works.
	if _, ok := c.names.typeOf("colour"); !ok {
		t.Error("a registered type is not found any more")
	}
}

func TestHostileBytesGiveAnError(t *testing.T) {
	c := newCodec(t)
	long := func(head byte, n uint32) []byte {
		return []byte{head | 26, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
	for name, v := range map[string]Value{
		"nothing":          {CBOR, "int", nil},
		"wrong type":       {CBOR, "int", []byte{0x61, 'a'}},
		"trailing":         {CBOR, "int", []byte{1, 1}},
		"deep":             {CBOR, "[]any", []byte(strings.Repeat("\x81", 1000) + "\x01")},
		"huge array":       {CBOR, "[]int", long(0x80, 1<<32-1)},
		"huge map":         {CBOR, "map[string]int", long(0xa0, 1<<32-1)},
		"huge string":      {CBOR, "string", long(0x60, 1<<32-1)},
		"duplicate key":    {CBOR, "map[string]int", []byte{0xa2, 0x61, 'a', 1, 0x61, 'a', 2}},
		"indefinite":       {CBOR, "[]int", []byte{0x9f, 1, 0xff}},
		"tag":              {CBOR, "[]any", []byte{0x81, 0xc2, 0x41, 1}},
		"bad PID":          {CBOR, "actor.PID", []byte{0x61, 'x'}},
		"bad text":         {CBOR, "colour", []byte{0x62, 'x', 'y'}},
		"too large":        {CBOR, "int8", []byte{0x19, 1, 0}},
		"invalid UTF-8":    {CBOR, "string", []byte{0x61, 0xff}},
		"protobuf garbage": {Protobuf, "google.protobuf.StringValue", []byte{0xff}},
		"gogo garbage":     {Gogo, "google.protobuf.StringValue", []byte{0xff}},
		"error garbage":    {Error, "", []byte{0xff}},
	} {
		if got, err := c.Decode(v); !errors.Is(err, ErrDecode) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// bomb panics where user code can.
type bomb struct{ N int }

func (bomb) MarshalText() ([]byte, error)  { panic("marshal") }
func (*bomb) UnmarshalText(_ []byte) error { panic("unmarshal") }
func (bomb) Error() string                 { panic("error") }
func (bomb) Is(error) bool                 { panic("is") }

func TestPanicInUserCodeIsAnError(t *testing.T) {
	c, err := New(Config{Types: Types(bomb{})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Encode(bomb{}); !errors.Is(err, ErrEncode) {
		t.Errorf("encoding: %v", err)
	}
	var scratch Scratch
	if _, err := c.EncodeIn(&scratch, (*gogotypes.BytesValue)(nil)); !errors.Is(err, ErrEncode) {
		t.Errorf("encoding a nil message: %v", err)
	}
	if v, err := c.EncodeIn(&scratch, &gogotypes.BytesValue{Value: []byte("x")}); err != nil || string(v.Data) != "\n\x01x" {
		t.Errorf("encoding after that: %q, %v", v.Data, err)
	}
	v := Value{Encoding: CBOR, Type: "github.com/topos-go/topos/remote/codec.bomb", Data: []byte{0x61, 'a'}}
	if _, err := c.Decode(v); !errors.Is(err, ErrDecode) {
		t.Errorf("decoding: %v", err)
	}
	if f := c.EncodeError(bomb{}); !strings.Contains(f.Text, "bomb") || len(f.Errors) != 0 {
		t.Errorf("as an error: %+v", f)
	}
}

func TestRegisteredErrorsKeepTheirIdentity(t *testing.T) {
	c := newCodec(t)
	back := func(err error) error { return c.DecodeError(c.EncodeError(err)) }
	for _, err := range append(kernelErrors(), errRegistered) {
		if got := back(err); got != err {
			t.Errorf("%v came back as %#v", err, got)
		}
	}
	wrapped := fmt.Errorf("cart 7: %w", fmt.Errorf("store: %w", errors.Join(errRegistered, io.EOF)))
	got := back(wrapped)
	if got.Error() != wrapped.Error() || !errors.Is(got, errRegistered) || !errors.Is(got, io.EOF) || errors.Is(got, actor.ErrNormal) {
		t.Errorf("got %v", got)
	}
	if again := back(got); !errors.Is(again, errRegistered) || again.Error() != wrapped.Error() {
		t.Errorf("the second hop: %v", again)
	}
	if got := back(fmt.Errorf("slow: %w", actor.ErrTimeout)); !errors.Is(got, context.DeadlineExceeded) {
		t.Errorf("a timeout: %v", got)
	}
	var r *RemoteError
	if got := back(errors.New("plain")); !errors.As(got, &r) || r.Text != "plain" || len(r.Unwrap()) != 0 {
		t.Errorf("got %#v", got)
	}
	if got := back(&actor.PanicError{Value: errRegistered}); !errors.As(got, &r) || !errors.Is(got, errRegistered) || got.Error() != "panic: test: registered" {
		t.Errorf("a panic: %v", got)
	}
}

func TestTextOfErrorsIsBoundedAndUTF8(t *testing.T) {
	c := newCodec(t)
	f := c.EncodeError(errors.New("\xff" + strings.Repeat("é", maxText)))
	if len(f.Text) > maxText+10 || strings.ToValidUTF8(f.Text, "") != f.Text {
		t.Errorf("%d bytes", len(f.Text))
	}
	if err := c.DecodeError(Failure{Errors: []string{"never heard of"}}); err == nil || err.Error() == "" {
		t.Errorf("got %v", err)
	}
}

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	other := errors.New(errRegistered.Error())
	_, err := New(Config{
		Types: []Type{
			{Sample: nil}, {Sample: make(chan int), Name: "chan"}, {Sample: struct{ F func() }{}, Name: "func"},
			{Sample: struct{ E error }{}, Name: "face"}, {Sample: item{}, Name: "x"}, {Sample: unknown{}, Name: "x"},
			{Sample: colour(1), Name: "y"}, {Sample: colour(1), Name: "z"}, {Sample: wrapperspb.String(""), Name: "proto"},
			{Sample: order{}, Name: "[]int"}, {Sample: struct{ M map[string][]complex64 }{}, Name: "complex"},
		},
		Errors: []error{nil, errRegistered, other},
	})
	for _, want := range []string{
		"nil sample", "chan int", "field F", "field E", `"x" names both`, `both as "y" and as "z"`, "needs no registration",
		`"[]int" cannot be`, "complex64", "nil error", "two registered errors",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in: %v", want, err)
		}
	}
}

func TestCyclicValueIsRefused(t *testing.T) {
	c := newCodec(t)
	o := &order{}
	o.Next = o
	if _, err := c.Encode(o); !errors.Is(err, ErrEncode) {
		t.Errorf("pointer: %v", err)
	}
	m := map[string]any{}
	m["m"] = []any{m}
	if _, err := c.Encode(m); !errors.Is(err, ErrEncode) {
		t.Errorf("map: %v", err)
	}
	// What is as deep as can be decoded is not refused.
	deep := any("end")
	for range DefaultMaxDepth {
		deep = []any{deep}
	}
	v, err := c.Encode(deep)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Decode(v); err != nil {
		t.Error(err)
	}
	if _, err := c.Encode([]any{deep}); !errors.Is(err, ErrEncode) {
		t.Errorf("one deeper: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	c := newCodec(f)
	for _, v := range []any{1, "a", 1.5, []string{"a"}, map[string]int{"a": 1}, item{"a", 1}, order{Items: []item{{"b", 2}}, Anything: []any{1}}, time.Now(), pid(f), errRegistered, &gogotypes.StringValue{Value: "x"}, wrapperspb.String("y")} {
		e, err := c.Encode(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint32(e.Encoding), e.Type, e.Data)
	}
	f.Fuzz(func(t *testing.T, encoding uint32, name string, data []byte) {
		v, err := c.Decode(Value{Encoding(encoding), name, data})
		if err != nil {
			if !errors.Is(err, ErrDecode) && !errors.Is(err, ErrUnknownType) {
				t.Fatalf("%v has no identity", err)
			}
			return
		}
		// What was decoded can be sent on, and then is the same.
		e, err := c.Encode(v)
		if err != nil {
			t.Fatalf("%T cannot be encoded again: %v", v, err)
		}
		again, err := c.Decode(e)
		if err != nil {
			t.Fatalf("%T cannot be decoded again: %v", v, err)
		}
		if _, isErr := v.(error); isErr {
			if fmt.Sprint(v) != fmt.Sprint(again) {
				t.Fatalf("%v became %v", v, again)
			}
			return
		}
		if diff := cmp.Diff(v, again, equal); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestScratchIsUsedAgainAndWhatIsInItIsRight(t *testing.T) {
	c := newCodec(t)
	var s Scratch
	values := []any{
		item{"a", 1}, wrapperspb.String("google"), &gogotypes.StringValue{Value: "gogo"}, "text", errRegistered,
		item{strings.Repeat("long", 5000), 2}, &gogotypes.BytesValue{Value: make([]byte, 100_000)}, item{"b", 3},
	}
	for range 3 {
		for _, v := range values {
			in, err := c.EncodeIn(&s, v)
			want, wantErr := c.Encode(v)
			if err != nil || wantErr != nil {
				t.Fatalf("%T: %v, %v", v, err, wantErr)
			}
			if diff := cmp.Diff(want, in); diff != "" {
				t.Errorf("%T: %s", v, diff)
			}
		}
	}
	small := &gogotypes.BytesValue{Value: make([]byte, 64)}
	var boxed any = item{"a", 1}
	for name, v := range map[string]any{"gogo": small, "struct": boxed} {
		if n := testing.AllocsPerRun(100, func() { _, _ = c.EncodeIn(&s, v) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	kept, _ := c.EncodeIn(&s, item{"kept", 1})
	s.Reset()
	_, _ = c.EncodeIn(&s, item{"other", 2})
	if got, err := c.Decode(kept); got != any(item{"kept", 1}) || err != nil {
		t.Errorf("after Reset: %v, %v", got, err)
	}
}

// What is decoded must not share memory with what was decoded before.
func TestDecodedValuesAreTheirOwn(t *testing.T) {
	c := newCodec(t)
	for _, pair := range [][2]any{{item{"a", 1}, item{"b", 2}}, {order{For: 1}, order{For: 2}}, {1, 2}, {"a", "b"}, {struct{}{}, struct{}{}}} {
		var got [2]any
		for i, v := range pair {
			enc, err := c.Encode(v)
			if err != nil {
				t.Fatal(err)
			}
			if got[i], err = c.Decode(enc); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(pair, got, equal); diff != "" {
			t.Error(diff)
		}
	}
}

func TestReplyOfAnUnregisteredTypeDoesNotRegisterIt(t *testing.T) {
	c := newCodec(t)
	for range 2 {
		if v, err := c.EncodeReply(unknown{1}); err != nil || v.Encoding != CBOR {
			t.Errorf("as a reply: %v, %v", v, err)
		}
		if _, err := c.Encode(unknown{1}); !errors.Is(err, ErrUnknownType) {
			t.Errorf("as a message: %v", err)
		}
	}
}
