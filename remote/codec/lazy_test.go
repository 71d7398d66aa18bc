package codec

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func TestLazyValueIsDecodedAsTheCallerExpects(t *testing.T) {
	c := newCodec(t)
	reply := func(v any) *Lazy {
		enc, err := c.EncodeReply(v)
		if err != nil {
			t.Fatal(err)
		}
		return c.Lazy(enc)
	}
	var u unknown
	if err := reply(unknown{7}).DecodeInto(&u); err != nil || u.N != 7 {
		t.Errorf("unregistered: %v, %v", u, err)
	}
	var p *unknown
	if err := reply(&unknown{7}).DecodeInto(&p); err != nil || p.N != 7 {
		t.Errorf("pointer: %v, %v", p, err)
	}
	var anything any
	if err := reply(item{"a", 1}).DecodeInto(&anything); err != nil || anything != (item{"a", 1}) {
		t.Errorf("any: %v, %v", anything, err)
	}
	var e error
	if err := reply(fmt.Errorf("more: %w", errRegistered)).DecodeInto(&e); err != nil || !errors.Is(e, errRegistered) {
		t.Errorf("error: %v, %v", e, err)
	}
	var m proto.Message
	if err := reply(wrapperspb.String("x")).DecodeInto(&m); err != nil || m.(*wrapperspb.StringValue).Value != "x" {
		t.Errorf("message: %v, %v", m, err)
	}
	var b []byte
	if err := reply([]byte("x")).DecodeInto(&b); err != nil || string(b) != "x" {
		t.Errorf("bytes: %q, %v", b, err)
	}
	var named json.RawMessage
	if err := reply([]byte("x")).DecodeInto(&named); err != nil || string(named) != "x" {
		t.Errorf("bytes of another name: %q, %v", named, err)
	}
	if err := reply([]byte("x")).DecodeInto((*[]byte)(nil)); !errors.Is(err, ErrDecode) {
		t.Errorf("bytes, nil target: %v", err)
	}
	if err := reply([]byte("x")).DecodeInto(&anything); err != nil || string(anything.([]byte)) != "x" {
		t.Errorf("bytes as any: %v, %v", anything, err)
	}
	if err := reply(item{}).DecodeInto(&b); err == nil {
		t.Error("a struct was decoded into bytes")
	}
	n := 5
	if err := reply(nil).DecodeInto(&n); err != nil || n != 0 {
		t.Errorf("nil: %v, %v", n, err)
	}
	// A reply of another type is refused, as on one node.
	for _, c := range []struct {
		reply  any
		target any
	}{{"a", new(int)}, {1, new(int64)}, {item{}, new(unknown)}, {&item{}, new(item)}, {[]byte{1}, new(string)}, {unknown{}, new(any)}, {1, new(error)}} {
		if err := reply(c.reply).DecodeInto(c.target); err == nil {
			t.Errorf("a %T was decoded into a %T", c.reply, c.target)
		}
	}
	if err := reply(1).DecodeInto(nil); !errors.Is(err, ErrDecode) {
		t.Errorf("nil target: %v", err)
	}
	if err := reply(1).DecodeInto(5); !errors.Is(err, ErrDecode) {
		t.Errorf("no pointer: %v", err)
	}
}
