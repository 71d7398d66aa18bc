package strong

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/raft"
	"pgregory.net/rapid"

	"github.com/topos-go/topos/actor"
)

var (
	header        = raft.RPCHeader{ProtocolVersion: 3, ID: []byte("id"), Addr: []byte("addr")}
	configuration = raft.EncodeConfiguration(raft.Configuration{Servers: []raft.Server{{ID: "a", Address: "b"}}})
)

// requests are one of each, with every field set.
func requests() []any {
	return []any{
		&raft.AppendEntriesRequest{RPCHeader: header, Term: 7, PrevLogEntry: 5, PrevLogTerm: 6, LeaderCommitIndex: 4, Entries: []*raft.Log{
			{Index: 6, Term: 7, Type: raft.LogCommand, Data: []byte("data"), Extensions: []byte("ext"), AppendedAt: time.Unix(3, 4)},
			{Index: 7, Term: 7, Type: raft.LogConfiguration, Data: configuration, Extensions: []byte{}},
			{Index: 8, Term: 7, Type: raft.LogNoop, Data: []byte{}, Extensions: []byte{}},
		}},
		&raft.AppendEntriesRequest{RPCHeader: header, Term: 7},
		&raft.RequestVoteRequest{RPCHeader: header, Term: 7, LastLogIndex: 5, LastLogTerm: 6, LeadershipTransfer: true},
		&raft.RequestPreVoteRequest{RPCHeader: header, Term: 7, LastLogIndex: 5, LastLogTerm: 6},
		&raft.InstallSnapshotRequest{RPCHeader: header, SnapshotVersion: 1, Term: 7, LastLogIndex: 5, LastLogTerm: 6,
			Configuration: configuration, ConfigurationIndex: 3, Size: 1 << 40},
		&raft.TimeoutNowRequest{RPCHeader: header},
	}
}

func TestRaftsMessagesSurviveTheirEncoding(t *testing.T) {
	for _, want := range requests() {
		k, body := encodeRequest(want)
		got, err := decodeRequest(k, body)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%T: %v\n%s", want, err, diff)
		}
		for n := range body {
			if got, err := decodeRequest(k, body[:n]); err == nil {
				t.Errorf("%T cut after %d bytes of %d became %+v", want, n, len(body), got)
			}
		}
		if _, err := decodeRequest(k, append(body, 0)); err == nil {
			t.Errorf("%T with a byte too many was taken", want)
		}
	}
	for _, c := range []struct{ want, got any }{
		{&raft.AppendEntriesResponse{RPCHeader: header, Term: 7, LastLog: 5, Success: true, NoRetryBackoff: true}, new(raft.AppendEntriesResponse)},
		{&raft.RequestVoteResponse{RPCHeader: header, Term: 7, Granted: true}, new(raft.RequestVoteResponse)},
		{&raft.RequestPreVoteResponse{RPCHeader: header, Term: 7, Granted: true}, new(raft.RequestPreVoteResponse)},
		{&raft.InstallSnapshotResponse{RPCHeader: header, Term: 7, Success: true}, new(raft.InstallSnapshotResponse)},
		{&raft.TimeoutNowResponse{RPCHeader: header}, new(raft.TimeoutNowResponse)},
	} {
		body := encodeResponse(c.want)
		err := decodeResponse(body, c.got)
		if diff := cmp.Diff(c.want, c.got); diff != "" || err != nil {
			t.Errorf("%T: %v\n%s", c.want, err, diff)
		}
		if err := decodeResponse(body[:len(body)-1], c.got); err == nil {
			t.Errorf("%T without its last byte was taken", c.want)
		}
	}
}

// What raft would end the program for does not reach it.
func TestEntriesOnWhichRaftWouldPanicAreRefused(t *testing.T) {
	for name, m := range map[string]any{
		"a gap":                     &raft.AppendEntriesRequest{PrevLogEntry: 5, Entries: []*raft.Log{{Index: 7}}},
		"an order of its own":       &raft.AppendEntriesRequest{Entries: []*raft.Log{{Index: 2}, {Index: 1}}},
		"an unknown type":           &raft.AppendEntriesRequest{Entries: []*raft.Log{{Index: 1, Type: 99}}},
		"a type of old":             &raft.AppendEntriesRequest{Entries: []*raft.Log{{Index: 1, Type: raft.LogRemovePeerDeprecated}}},
		"no configuration":          &raft.AppendEntriesRequest{Entries: []*raft.Log{{Index: 1, Type: raft.LogConfiguration, Data: []byte{1}}}},
		"no configuration at all":   &raft.InstallSnapshotRequest{SnapshotVersion: 1, Configuration: []byte{0xc1}},
		"a snapshot of another age": &raft.InstallSnapshotRequest{SnapshotVersion: 9, Configuration: configuration},
	} {
		k, body := encodeRequest(m)
		if got, err := decodeRequest(k, body); !errors.Is(err, errMalformed) {
			t.Errorf("%s became %+v, %v", name, got, err)
		}
	}
}

func FuzzDecodeRequest(f *testing.F) {
	for _, m := range requests() {
		k, body := encodeRequest(m)
		f.Add(byte(k), body)
	}
	f.Fuzz(func(t *testing.T, k byte, body []byte) {
		m, err := decodeRequest(kind(k), body)
		if err != nil {
			return
		}
		// What was taken has one encoding, but for how its numbers are written.
		k2, again := encodeRequest(m)
		m2, err := decodeRequest(k2, again)
		if diff := cmp.Diff(m, m2); k2 != kind(k) || err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

func FuzzDecodeFrameAndCommand(f *testing.F) {
	c := command{op: opAcquire, session: 3, seq: 4, settled: 2, name: "n", value: "v", cond: condition{condToken, "c", Token{1, 2}},
		token: Token{3, 4}, ttl: time.Second, renewed: 9}
	f.Add((&frame{kind: kindCommand, epoch: 5, id: 6, to: "x", body: c.encode()}).encode())
	f.Fuzz(func(t *testing.T, payload []byte) {
		fr, err := decodeFrame(payload)
		if err != nil {
			return
		}
		if again, err := decodeFrame(fr.encode()); err != nil || cmp.Diff(fr, again, cmp.AllowUnexported(frame{})) != "" {
			t.Fatalf("%+v became %+v, %v", fr, again, err)
		}
		c, err := decodeCommand(fr.body)
		if err != nil {
			return
		}
		if again, err := decodeCommand(c.encode()); err != nil || again != c {
			t.Fatalf("%+v became %+v, %v", c, again, err)
		}
	})
}

func FuzzReadImage(f *testing.F) {
	m := newMachine()
	m.epoch = 1
	for range 3 {
		for _, c := range []command{{op: opOpen, value: "n"}, {op: opRegister, session: 1, name: "a", value: "b"}, {op: opAcquire, session: 1, seq: 1, name: "l", value: "v", ttl: 5}} {
			m.apply(c.encode())
		}
	}
	var b bytes.Buffer
	if err := m.image().write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		m, err := readImage(bytes.NewReader(snapshot))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := m.image().write(&out); err != nil {
			t.Fatal(err)
		}
		if again, err := readImage(&out); err != nil || cmp.Diff(m, again, cmp.AllowUnexported(machine{}, holding{}, lease{}, session{}, result{})) != "" {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
	})
}

func TestBatchesSurviveTheirEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.SliceOf(rapid.Byte())).Draw(t, "commands")
		got, err := decodeBatch(encodeBatch(want))
		if err != nil || len(got) != len(want) {
			t.Fatal(got, err)
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("%d: %v became %v", i, want[i], got[i])
			}
		}
	})
}

// A node that is sent nonsense, of every kind, goes on as if nothing were.
func TestMalformedMessagesHarmNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 70, 4, 3, Config{Standbys: 1}).startAll()
		defer w.close()
		ctx := wait(t)
		e, err := w.regs[0].Register(ctx, "name", w.process(0, 1), IfFree())
		if err != nil {
			t.Fatal(err)
		}
		stranger := w.net.join("stranger@x:1", 1)
		pass(time.Second)
		rnd := rand.New(rand.NewPCG(7, 7))
		leader := w.regs[w.leader()]
		expire := command{op: opExpire, name: "name", token: e.Token}
		for range 300 {
			for _, to := range w.regs {
				junk := make([]byte, rnd.IntN(60))
				for i := range junk {
					junk[i] = byte(rnd.Uint32())
				}
				for k := range kinds + 3 {
					f := frame{kind: k, epoch: rnd.Uint64N(2) * leader.replica.epoch.Load(), id: rnd.Uint64N(50), to: string(to.replica.id), body: junk}
					if k == kindCommand && rnd.IntN(2) == 0 {
						f.body = expire.encode() // only a leader's own
					}
					if k == kindView {
						continue // whoever says that it leads is asked, and says no
					}
					if err := stranger.SendControl(to.self, topic, f.encode()); err != nil {
						t.Fatal(err)
					}
				}
				if err := stranger.SendControl(to.self, topic, junk); err != nil {
					t.Fatal(err)
				}
			}
			pass(time.Millisecond)
		}
		pass(time.Second)
		if got, err := w.regs[3].LookupLinearizable(ctx, "name"); err != nil || got != e {
			t.Errorf("%v, %v", got, err)
		}
		for i, r := range w.regs {
			if n := len(entries(r.replica.transport, r.replica.transport.streams)); n > 0 {
				t.Errorf("node %d keeps %d streams", i, n)
			}
		}
	})
}

// A node that claims to lead, and does not answer, holds nobody up for ever.
func TestAFalseLeaderIsAskedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 71, 4, 3, Config{})
		defer w.close()
		for i := range 3 {
			w.start(i)
		}
		client := w.start(3, func(c *Config) { c.Client, c.Bootstrap = true, false })
		ctx := wait(t)
		if _, err := client.Register(ctx, "name", w.process(3, 1), IfFree()); err != nil {
			t.Fatal(err)
		}
		stranger := w.net.join("stranger@x:1", 1)
		stranger.HandleControl(topic, func(actor.NodeID, []byte) {})
		pass(time.Second)
		view := frame{kind: kindView, epoch: client.x.epoch.Load(), body: []byte{99}} // of a later term
		if err := stranger.SendControl(client.self, topic, view.encode()); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Millisecond)
		if _, err := client.LookupLinearizable(ctx, "name"); err != nil {
			t.Error(err)
		}
	})
}
