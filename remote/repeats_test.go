package remote_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	gogo "github.com/gogo/protobuf/proto"
	gogotypes "github.com/gogo/protobuf/types"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/wire"
)

// notes are what a process got, which it spoils, as its receiver may.
type notes struct {
	mu  sync.Mutex
	got []string
}

func (n *notes) Receive(_ *actor.Self, msg any) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := msg.(*gogotypes.BytesValue)
	n.got = append(n.got, string(m.Value))
	m.Value = m.Value[:cap(m.Value)]
	clear(m.Value)
	m.Value = append(m.Value, "overwritten"...)
	return nil
}

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.got)
}

// Messages of two pairs in one piece, some of which are no values of their type:
// each of the others reaches its process, in order and whole, whatever the
// process does with those before it.
func TestMessagesThatComeTogetherAreDeliveredOneByOne(t *testing.T) {
	f := newFortress(t, nil)
	to := [2]*notes{{}, {}}
	pids := [2]actor.PID{f.spawn(t, to[0]), f.spawn(t, to[1])}
	link := infiltrate(t, f.host, 0, 1)
	go link.keep() // ends with the connection
	<-f.news
	in := infiltrate(t, f.host, 1, 1)

	var stream []byte
	var want [2][]string
	say := func(i int, text string) {
		want[i] = append(want[i], text)
		stream = append(wire.AppendAgain(stream, wire.Again(i), len(text)+2), append([]byte{0x0a, byte(len(text))}, text...)...)
	}
	for i, pid := range pids {
		stream = wire.Append(stream, wire.KindSignal, &wire.Signal{
			Kind: 1, To: pid.ID(), Shard: uint32(i + 1), Encoding: 4, Type: "google.protobuf.BytesValue", Remember: uint32(i + 1),
		}, 0)
		want[i] = append(want[i], "")
	}
	before, bad := f.Stats(), 0
	for n := range 1000 {
		say(n/3%2, fmt.Sprintf("message %d of %d", n, n/3%2))
		if n%70 == 69 {
			stream = append(wire.AppendAgain(stream, wire.Again(n%2), 2), 0x0a, 9) // more than there is
			bad++
		}
	}
	in.pour(stream, 1)
	waitUntil(t, func() bool { return len(to[0].all()) == len(want[0]) && len(to[1].all()) == len(want[1]) })
	for i := range to {
		if got := to[i].all(); !slices.Equal(got, want[i]) {
			t.Errorf("process %d got %q, want %q", i, got, want[i])
		}
	}
	waitUntil(t, func() bool { return f.Stats().Undecodable == before.Undecodable+uint64(bad) })
	if got := f.Stats().Received - before.Received; got != uint64(1002+bad) {
		t.Errorf("%d are counted as received, want %d", got, 1002+bad)
	}
	if f.Stats().BadFrames != before.BadFrames {
		t.Error("the protocol was kept to, and a bad frame is counted")
	}
}

// slow is a message whose decoding may take as long as the test wants.
type slow struct{ N int }

func (*slow) Reset()         {}
func (*slow) String() string { return "slow" }
func (*slow) ProtoMessage()  {}

// hurdle is what is before messages that are slow.
type hurdle struct{ begun, let chan struct{} }

// hurdles are by the content of the messages behind them.
var hurdles sync.Map

func (m *slow) XXX_Unmarshal(b []byte) error {
	if h, ok := hurdles.Load(string(b)); ok {
		h.(*hurdle).begun <- struct{}{}
		<-h.(*hurdle).let
	}
	m.N = len(b)
	return nil
}

// While messages that have come together are decoded, something on another lane
// begins to wait for them. It goes on when they have been delivered.
func TestWhatBeginsToWaitForMessagesInHandGoesOnAfterThem(t *testing.T) {
	if gogo.MessageType("test.Slow") == nil {
		gogo.RegisterType((*slow)(nil), "test.Slow")
	}
	h := &hurdle{make(chan struct{}), make(chan struct{})}
	hurdles.Store("stop", h)
	defer hurdles.Delete("stop")
	f := newFortress(t, func(cfg *remote.Config) {
		cfg.Channels, cfg.Misses = []remote.Channel{{Name: remote.DefaultChannel, MaxLanes: 2}}, 1000
	})
	first, then, other := newProbe(false), newProbe(false), newProbe(false)
	firstPID, thenPID, otherPID := f.spawn(t, first), f.spawn(t, then), f.spawn(t, other)
	link := infiltrate(t, f.host, 0, 1)
	go link.keep() // ends with the connection
	<-f.news
	var lanes [2]*insider
	for i := range lanes {
		var err error
		at := handshake.Attach{Channel: remote.DefaultChannel, Lane: uint32(i), Association: 1}
		if lanes[i], err = infiltrateAt(t, f.host, at, handshake.Config{MinVersion: 1, MaxVersion: 1}); err != nil {
			t.Fatal(err)
		}
	}
	plain := func(b []byte, to actor.PID, shard uint32) []byte {
		return wire.Append(b, wire.KindSignal, &wire.Signal{Kind: 1, To: to.ID(), Shard: shard, Encoding: 1}, 0)
	}

	stream := wire.Append(nil, wire.KindSignal, &wire.Signal{
		Kind: 1, To: firstPID.ID(), Shard: 1, Encoding: 4, Type: "test.Slow", Remember: 1,
	}, 0)
	for _, text := range []string{"", "stop", "abc"} {
		stream = append(wire.AppendAgain(stream, 0, len(text)), text...)
	}
	lanes[0].write(t, stream)
	<-h.begun
	stream = wire.Append(nil, wire.KindAfter, &wire.After{Shard: 2, Marks: []*wire.Mark{{Shard: 0, Seq: 4}}}, 0)
	stream = plain(plain(stream, thenPID, 2), otherPID, 3)
	lanes[1].write(t, stream)
	next[[]byte](t, other)
	if len(then.got) > 0 {
		t.Error("it has not waited")
	}
	close(h.let)
	for _, want := range []int{0, 0, 4, 3} {
		if m := next[*slow](t, first); m.N != want {
			t.Errorf("got %d, want %d", m.N, want)
		}
	}
	select {
	case <-then.got:
	case <-time.After(5 * time.Second):
		t.Error("it waits for ever")
	}
}
