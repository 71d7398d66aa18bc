package remote_test

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/wire"
)

// A cluster is upgraded node by node: one of a later version, which still speaks
// this one, has features that nobody here has heard of, and says more in its
// messages than is understood here.
func TestNodeOfALaterVersionSpeaksThisOne(t *testing.T) {
	h := start(t, config("a"))
	h.spawn(t, &counter{}, actor.Name("echo"))
	later := handshake.Config{MinVersion: 1, MaxVersion: 9, Features: ^uint64(0)}
	if _, err := infiltrateAs(t, h, 0, 1, later); err != nil { // be a member
		t.Fatal(err)
	}
	<-h.news
	in, err := infiltrateAs(t, h, 1, 1, later)
	if err != nil {
		t.Fatal(err)
	}
	if in.peer.Version != wire.MaxVersion || in.peer.Features != 0 {
		t.Errorf("agreed on version %d, features %b", in.peer.Version, in.peer.Features)
	}
	call := wire.Signal{Kind: uint32(actor.SignalCall), Ref: 7, NameRef: 1, Name: "echo", Encoding: uint32(codec.Bytes), Shard: 1}
	head, err := call.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	head = protowire.AppendTag(head, 1000, protowire.BytesType)
	head = protowire.AppendBytes(head, []byte("what only later versions know"))
	frame := append(wire.Header{Kind: wire.KindSignal, Head: len(head), Payload: 4}.Append(nil), head...)
	in.write(t, append(frame, "ping"...))
	for {
		f := in.frame(t)
		if f.Kind != wire.KindSignal {
			continue // confirmations
		}
		var reply wire.Signal
		if err := reply.Unmarshal(f.Head); err != nil || reply.Ref != 7 || reply.Failed || string(f.Payload) != "ping" {
			t.Errorf("the reply is %v with %q, %v", &reply, f.Payload, err)
		}
		return
	}
}

func TestNodeThatSpeaksOnlyLaterVersionsIsRefused(t *testing.T) {
	h := start(t, config("a"))
	for _, later := range []handshake.Config{{MinVersion: 2, MaxVersion: 3}, {MinVersion: 2, MaxVersion: 2}} {
		if _, err := infiltrateAs(t, h, 0, 1, later); !errors.Is(err, handshake.ErrVersion) {
			t.Errorf("%+v: got %v", later, err)
		}
	}
	h.quiet(t)
	waitUntil(t, func() bool { return h.Stats().Refused == 2 })
}
