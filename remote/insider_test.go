package remote_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/wire"
)

// insider is someone who knows the secret and does not keep to the protocol.
type insider struct {
	net.Conn
	dec  *wire.Decoder
	id   actor.NodeID
	peer handshake.Peer // as the node presents itself
}

// infiltrate opens a lane to h.
func infiltrate(t *testing.T, h *host, lane uint32, association uint64) *insider {
	t.Helper()
	in, err := infiltrateAs(t, h, lane, association, handshake.Config{MinVersion: 1, MaxVersion: 1})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// infiltrateAs is infiltrate as what shake says of versions and features.
func infiltrateAs(t *testing.T, h *host, lane uint32, association uint64, shake handshake.Config) (*insider, error) {
	t.Helper()
	channel := []string{remote.MembershipChannel, remote.DefaultChannel, remote.ControlChannel}[lane]
	return infiltrateAt(t, h, handshake.Attach{Channel: channel, Association: association}, shake)
}

// infiltrateAt is infiltrateAs to any lane.
func infiltrateAt(t *testing.T, h *host, at handshake.Attach, shake handshake.Config) (*insider, error) {
	t.Helper()
	conn, err := net.Dial("tcp", h.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	// Nobody listens at its address, so it is never dialled back with success.
	id := actor.NodeID{Name: "insider@127.0.0.1:1", Incarnation: actor.Incarnation{Boot: 1, Unique: "u"}}
	shake.Self, shake.Cluster, shake.Secret, shake.MaxPayload = id, remote.DefaultCluster, []byte(config("").Secret), 1<<20
	in := &insider{Conn: conn, dec: wire.NewDecoder(wire.Handshake()), id: id}
	d := handshake.NewDialler(&shake, handshake.Nonce{1}, actor.NodeID{}, false)
	in.write(t, d.Hello())
	if in.peer, err = d.Greeted(in.frame(t)); err != nil {
		return nil, err
	}
	in.write(t, d.Prove(at))
	if _, err := d.Accepted(in.frame(t)); err != nil {
		t.Fatal(err)
	}
	in.dec.Relax(wire.Session(1<<20), nil, nil)
	return in, nil
}

func (in *insider) write(t *testing.T, b []byte) {
	t.Helper()
	if _, err := in.Write(b); err != nil {
		t.Fatal(err)
	}
}

// frame returns the next frame.
func (in *insider) frame(t *testing.T) wire.Frame {
	t.Helper()
	for {
		f, ok, err := in.dec.Next()
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			return f
		}
		n, err := in.Read(in.dec.Space())
		in.dec.Advance(n)
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestFrameThatBreaksTheProtocolCostsTheConnectionOnly(t *testing.T) {
	const membership, data, control = 0, 1, 2
	signal := func(m wire.Signal) []byte { return wire.Append(nil, wire.KindSignal, &m, 0) }
	for name, c := range map[string]struct {
		lane  uint32
		bytes []byte
	}{
		"garbage":                 {data, []byte("\xff\xff\xff\xff\xff\xff\xff\xff")},
		"oversized payload":       {data, wire.Header{Kind: wire.KindSignal, Payload: 1 << 31}.Append(nil)},
		"handshake again":         {data, wire.Append(nil, wire.KindHello, nil, 0)},
		"malformed signal":        {data, append(wire.Header{Kind: wire.KindSignal, Head: 1}.Append(nil), 0xff)},
		"kind zero":               {data, signal(wire.Signal{})},
		"kind that is not there":  {data, signal(wire.Signal{Kind: 99})},
		"exit without a reason":   {data, signal(wire.Signal{Kind: uint32(actor.SignalExit), To: 1})},
		"for another node":        {data, signal(wire.Signal{Kind: uint32(actor.SignalUnlink), From: 1, To: 1, FromNode: &wire.Node{Name: "x@y:1", Boot: 1, Unique: "u"}})},
		"for no node":             {data, signal(wire.Signal{Kind: uint32(actor.SignalUnlink), From: 1, To: 1, FromNode: &wire.Node{Name: "/"}})},
		"again what":              {data, wire.AppendAgain(nil, 3, 0)},
		"again beyond memory":     {data, wire.AppendAgain(nil, wire.MaxRemembered, 0)},
		"again without a number":  {data, wire.Header{Kind: wire.KindAgain}.Append(nil)},
		"again on control":        {control, wire.AppendAgain(nil, 0, 0)},
		"remember too much":       {data, signal(wire.Signal{Kind: 1, To: 1, Shard: 1, Encoding: 1, Remember: wire.MaxRemembered + 1})},
		"remember a call":         {data, signal(wire.Signal{Kind: 2, To: 1, Shard: 1, Encoding: 1, Remember: 1})},
		"remember a key":          {data, signal(wire.Signal{Kind: 1, To: 1, Shard: 1, Encoding: 1, Remember: 1, Key: "k"})},
		"remember a number":       {data, signal(wire.Signal{Kind: 1, To: 1, Shard: 1, Encoding: 1, Remember: 1, Seq: 1})},
		"remember no shard":       {data, signal(wire.Signal{Kind: 1, To: 1, Encoding: 1, Remember: 1})},
		"confirmed too much":      {data, wire.Append(nil, wire.KindAck, &wire.Ack{Received: 1000}, 0)},
		"signal on control":       {control, signal(wire.Signal{Kind: uint32(actor.SignalUnlink)})},
		"control on data":         {data, wire.Append(nil, wire.KindControl, &wire.Control{Topic: "t"}, 0)},
		"malformed membership":    {membership, append(wire.Header{Kind: wire.KindMembership, Head: 1}.Append(nil), 0xff)},
		"unknown membership":      {membership, wire.Append(nil, wire.KindMembership, &wire.Membership{Kind: 77}, 0)},
		"membership of no node":   {membership, wire.Append(nil, wire.KindMembership, &wire.Membership{Kind: 3, Nodes: []*wire.Node{{Name: "/"}}}, 0)},
		"confirmed on membership": {membership, wire.Append(nil, wire.KindAck, &wire.Ack{}, 0)},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			f := newFortress(t, nil)
			pid := f.spawn(t, &counter{n: 1})
			if c.lane != membership {
				infiltrate(t, f.host, membership, 1) // be a member
				<-f.news
			}
			in := infiltrate(t, f.host, c.lane, 1)
			in.write(t, c.bytes)
			_ = in.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.Copy(io.Discard, in); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Fatalf("the connection stays open: %v", err)
			}
			if n := f.Stats().BadFrames; n != 1 {
				t.Errorf("%d counted", n)
			}
			f.log.await(t, "bad frame")
			friend := start(t, config("friend"))
			if n, err := actor.Call[int](t.Context(), friend.sys, pid, Get{}); n != 1 || err != nil {
				t.Errorf("the node does not work any more: %d, %v", n, err)
			}
		})
	}
}

func TestMessageForAnEarlierStartOfThisNodeReachesNobody(t *testing.T) {
	// The number is that of a live process, but the sender means what had the
	// number in an earlier incarnation: it cannot even say so.
	a := start(t, config("a"))
	pid := a.spawn(t, &counter{n: 1})
	old, err := actor.ParsePID(strings.Replace(pid.String(), a.ID().Incarnation.String(), "1-old", 1))
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, config("b", a.Addr()))
	meet(t, a, b)
	if err := b.sys.Send(old, Add{5}); err == nil {
		t.Error("it was sent")
	}
	if n, err := actor.Call[int](t.Context(), b.sys, pid, Get{}); n != 1 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}
