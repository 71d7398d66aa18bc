package protoactor

import (
	"reflect"
	"testing"

	"github.com/topos-go/topos/remote/codec"
)

func newFrames(tb testing.TB) *Bridge {
	tb.Helper()
	known, err := codec.New(codec.Config{Types: codec.Types(frame{})})
	if err != nil {
		tb.Fatal(err)
	}
	return &Bridge{codec: known}
}

func TestFrameIsReadAsItWasWritten(t *testing.T) {
	b := newFrames(t)
	want := frame{
		Kind: frameUser, Node: "n", To: "x", SenderNode: "m", Sender: "y", Why: 2,
		Header: map[string]string{"k": "v"}, Encoding: 1, Type: "t", Data: []byte{1, 2},
	}
	data, err := b.encode(&want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.decode(data)
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("decoded %+v, %v; want %+v", got, err, want)
	}
}

// FuzzFrame sees that no bytes of another node make decode panic, and that what
// it accepts has a kind and a receiver.
func FuzzFrame(f *testing.F) {
	b := newFrames(f)
	for kind := frameKind(0); kind <= frameKinds; kind++ {
		data, err := b.encode(&frame{Kind: kind, Node: "n", To: "x", Sender: "y"})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := b.decode(data)
		if err != nil {
			return
		}
		if got.Kind == 0 || got.Kind >= frameKinds || got.To == "" {
			t.Errorf("accepted %+v", got)
		}
		if _, err := b.encode(got); err != nil {
			t.Errorf("cannot be encoded again: %v", err)
		}
	})
}
