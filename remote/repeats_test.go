package remote_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	gogotypes "github.com/gogo/protobuf/types"

	"github.com/topos-go/topos/actor"
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
