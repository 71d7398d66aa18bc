package wire_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"

	"github.com/topos-go/topos/remote/wire"
)

// sample is one frame of version 1.
type sample struct {
	kind    wire.Kind
	message wire.Message
	empty   func() wire.Message
	payload string
}

func made[M any, P interface {
	*M
	wire.Message
}](kind wire.Kind, m M, payload ...string) sample {
	return sample{kind, P(&m), func() wire.Message { return P(new(M)) }, strings.Join(payload, "")}
}

var node = &wire.Node{Name: "a@10.0.0.7:4000", Boot: 1700000000000000, Unique: "Xy12"}

// samples has every kind of frame, with every field, by name.
func samples() map[string]sample {
	nonce := []byte("0123456789abcdef0123456789abcdef")
	attach := wire.Attach{Channel: "default", Lane: 2, Association: 3, Known: 4, Epoch: 5, Received: 6, Compression: 1}
	encoded, err := attach.Marshal()
	if err != nil {
		panic(err)
	}
	return map[string]sample{
		"hello": made(wire.KindHello, wire.Hello{
			MinVersion: 1, MaxVersion: 1, Cluster: "topos", Node: node, Nonce: nonce, Features: 5, MaxPayload: 64 << 20, Probe: true,
		}),
		"proof":   made(wire.KindProof, wire.Proof{Mac: nonce, Attach: encoded}),
		"refusal": made(wire.KindRefusal, wire.Refusal{Code: 3, Detail: "another secret"}),
		"message": made(wire.KindSignal, wire.Signal{
			Kind: 1, From: 1 << 28, To: 2<<28 | 7, Encoding: 2, TypeRef: 1, Type: "main.Add", Shard: 256, Trace: []byte("00-ab-cd-01"), Key: "cart 7",
		}, "\xa1aN\x02"),
		"message in words":    made(wire.KindSignal, wire.Signal{Kind: 1, From: 1 << 28, To: 7, Encoding: 2, TypeRef: 1, Shard: 1}, "\xa1aN\x02"),
		"message to remember": made(wire.KindSignal, wire.Signal{Kind: 1, From: 1 << 28, To: 7, Encoding: 1, Shard: 1, Remember: 64}, "raw"),
		"message to name":     made(wire.KindSignal, wire.Signal{Kind: 1, NameRef: 2, Name: "counter", Encoding: 1, Shard: 9}, "raw"),
		"acknowledged":        made(wire.KindSignal, wire.Signal{Kind: 1, From: 1, To: 2, Encoding: 1, Seq: 7, Oldest: 5, Shard: 3}, "raw"),
		"causal":              made(wire.KindSignal, wire.Signal{Kind: 1, From: 1, To: 2, Encoding: 1, Seq: 7, Label: "talk", Stamp: []byte{1, 2}}, "raw"),
		"call": made(wire.KindSignal, wire.Signal{
			Kind: 2, From: 1, To: 2, Ref: 300, Encoding: 2, Type: "main.Get", Timeout: 5e9, FromNode: node,
		}, "\xa0"),
		"reply":      made(wire.KindSignal, wire.Signal{Kind: 3, From: 2, To: 1, Ref: 300, Encoding: 2, Type: "int"}, "\x07"),
		"refused":    made(wire.KindSignal, wire.Signal{Kind: 3, From: 2, To: 1, Ref: 300, Failed: true, Errors: []string{"actor: timeout"}, Text: "too late"}),
		"link":       made(wire.KindSignal, wire.Signal{Kind: 4, From: 1, To: 2, Shard: 8}),
		"unlink":     made(wire.KindSignal, wire.Signal{Kind: 5, From: 1, To: 2, Shard: 8}),
		"exit":       made(wire.KindSignal, wire.Signal{Kind: 6, From: 1, To: 2, Shard: 8, Link: true, Failed: true, Text: "broken"}),
		"monitor":    made(wire.KindSignal, wire.Signal{Kind: 7, From: 1, To: 2, Shard: 8, Ref: 9}),
		"demonitor":  made(wire.KindSignal, wire.Signal{Kind: 8, From: 1, To: 2, Shard: 8, Ref: 9}),
		"down":       made(wire.KindSignal, wire.Signal{Kind: 9, From: 1, To: 2, Shard: 8, Ref: 9, Failed: true, Errors: []string{"actor: normal"}, Text: "actor: normal"}),
		"spawn":      made(wire.KindSignal, wire.Signal{Kind: 10, From: 1, Name: "worker", Shard: 8, Ref: 9, Timeout: 5e9, Link: true, Watch: true, Encoding: 1}, "args"),
		"spawned":    made(wire.KindSignal, wire.Signal{Kind: 11, From: 2, To: 1, Shard: 8, Ref: 9, Link: true, Watch: true}),
		"control":    made(wire.KindControl, wire.Control{Topic: "topos.names"}, "names"),
		"ack":        made(wire.KindAck, wire.Ack{Received: 1 << 40, Known: []uint32{1, 2, 300}}),
		"membership": made(wire.KindMembership, wire.Membership{Kind: 2, Seq: 77, Nodes: []*wire.Node{node}, Channel: "bulk", Lane: 3}),
		"void":       made(wire.KindVoid, wire.After{Shard: 17}),
		"first part": made(wire.KindPart, wire.Part{Parcel: 4, Total: 1 << 20, Kind: uint32(wire.KindSignal), Head: []byte{8, 1}}, "piece"),
		"other part": made(wire.KindPart, wire.Part{Parcel: 4}, "piece"),
		"after":      made(wire.KindAfter, wire.After{Shard: 17, Marks: []*wire.Mark{{Channel: "bulk", Shard: 3, Seq: 1 << 33}}}),
		"throttle":   made(wire.KindThrottle, wire.Throttle{Process: 9, Name: "slow", Stop: true}),
		"again":      made(wire.KindAgain, wire.Again(63), "raw"),
		"receipt":    made(wire.KindReceipt, wire.Receipt{Channel: "default", Shard: 3, Cumulative: 8, Ranges: []uint64{10, 12}, Skip: 4}),
	}
}

// The file is what version 1 looks like, for good: a later version must read it
// too, and adds a file of its own. It is rewritten only as long as no version
// has been released.
func TestFramesOfVersion1AreAsTheyWere(t *testing.T) {
	all, seen := samples(), make(map[string]bool)
	kinds := make(map[wire.Kind]bool)
	datadriven.RunTest(t, "testdata/golden/version1", func(t *testing.T, d *datadriven.TestData) string {
		name := strings.TrimSpace(d.Input)
		s, ok := all[name]
		if !ok {
			d.Fatalf(t, "no sample is called %q", name)
		}
		seen[name], kinds[s.kind] = true, true
		frame := append(wire.Append(nil, s.kind, s.message, len(s.payload)), s.payload...)
		golden, err := hex.DecodeString(strings.Join(strings.Fields(d.Expected), ""))
		if err != nil {
			d.Fatalf(t, "the golden frame is not hexadecimal: %v", err)
		}
		if len(golden) > 0 {
			s.wantDecoded(t, name, golden)
		}
		return lines(frame)
	})
	for name := range all {
		if !seen[name] {
			t.Errorf("no golden frame for %q", name)
		}
	}
	for k := wire.KindHello; k <= wire.KindAgain; k++ {
		if !kinds[k] {
			t.Errorf("no golden frame of kind %v", k)
		}
	}
}

// wantDecoded checks that a golden frame is read as the sample.
func (s *sample) wantDecoded(t *testing.T, name string, golden []byte) {
	t.Helper()
	limits := wire.Session(1 << 20)
	if s.kind <= wire.KindRefusal {
		limits = wire.Handshake()
	}
	h, err := wire.ParseHeader(golden, limits)
	if err != nil || h.Kind != s.kind || h.Size() != len(golden) {
		t.Fatalf("%s: the header is %+v, %v", name, h, err)
	}
	got := s.empty()
	if err := got.Unmarshal(golden[wire.HeaderSize : wire.HeaderSize+h.Head]); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if diff := cmp.Diff(s.message, got); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
	if payload := string(golden[wire.HeaderSize+h.Head:]); payload != s.payload {
		t.Errorf("%s: payload %q", name, payload)
	}
}

// lines is a hex dump in lines of 32 bytes.
func lines(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		n := min(len(b), 32)
		fmt.Fprintf(&out, "%x\n", b[:n])
		b = b[n:]
	}
	return out.String()
}
