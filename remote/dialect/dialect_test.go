package dialect

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/hyparview"
	"github.com/topos-go/topos/overlay/plumtree"
	"github.com/topos-go/topos/overlay/swim"
)

var (
	a = overlay.Node{Name: "a@h:1", Boot: 1, Unique: "u"}
	b = overlay.Node{Name: "b@h:2", Boot: 1 << 60, Unique: "v"}
)

// messages are all there are, with all their fields set, and some without.
func messages() []overlay.Message {
	nodes := []overlay.Node{a, b}
	gossip := plumtree.Gossip{ID: plumtree.ID{Origin: a, Seq: 7}, Round: 3, Age: time.Second, Payload: []byte("payload")}
	sums := []directory.Sum{{Range: directory.Range{Prefix: 5 << 40, Bits: 24}, Sum: 1 << 63, Count: 17}}
	facts := []directory.Fact{
		{Node: a, Status: directory.Alive, Number: 1, Version: 2, Meta: "zone=1"},
		{Node: b, Status: directory.Left, Number: 9, Age: time.Hour},
	}
	values := []directory.Register{{Name: directory.Topology, Epoch: 3, Proposer: a, Value: "gossip"}}
	rumors := []swim.Fact{{State: swim.Suspect, Node: a, Incarnation: 4, By: b}, {State: swim.Confirm, Node: b, By: a, Refused: true}}
	return []overlay.Message{
		hyparview.Join{Number: 1},
		hyparview.ForwardJoin{Node: a, TTL: 6},
		hyparview.Neighbor{Number: 2, High: true},
		hyparview.Neighbor{},
		hyparview.NeighborReply{Of: 2, Number: 3, Accepted: true},
		hyparview.Disconnect{Of: 1, Number: 2, Wait: true},
		hyparview.Alive{Of: 1, Number: 1 << 31},
		hyparview.Leave{},
		hyparview.Shuffle{Origin: a, Number: 4, TTL: 5, Nodes: nodes},
		hyparview.ShuffleReply{Number: 4, Nodes: nodes},
		hyparview.Optimization{Number: 5, Old: b},
		hyparview.OptimizationReply{Of: 5, Number: 6, Accepted: true, Replaced: true},
		hyparview.Replace{Of: 1, Exchange: 2, Initiator: a, Old: b},
		hyparview.ReplaceReply{Of: 1, Exchange: 2, Accepted: true},
		hyparview.Switch{Number: 9, Initiator: a},
		hyparview.SwitchReply{Of: 9, Number: 10, Accepted: true},
		gossip,
		plumtree.IHave{Messages: []plumtree.Announcement{{ID: gossip.ID, Round: 2}}},
		plumtree.Graft{ID: gossip.ID, Once: true},
		plumtree.Prune{},
		plumtree.Prune{Origin: a},
		plumtree.Digest{After: a, Until: b, Origins: []plumtree.Have{{Origin: b, Low: 4, Above: []plumtree.Span{{First: 6, Last: 8}}}}, Partial: true},
		plumtree.Repair{Messages: []plumtree.Gossip{gossip}, Gone: []plumtree.Gone{{Origin: b, First: 1, Last: 5, Age: time.Minute}}, More: true},
		swim.Message{Incarnation: 3, Body: swim.Ping{Seq: 1}, Facts: rumors},
		swim.Message{Body: swim.Ack{Seq: 1}},
		swim.Message{Body: swim.PingReq{Seq: 2, Target: b}},
		swim.Message{Body: swim.PingReq{Seq: 2, Target: b, Reset: true}},
		swim.Message{Body: swim.Nack{Seq: 2, Refused: true}},
		swim.Message{Body: swim.Gossip{}},
		rumors[1],
		directory.Ask{ID: 1, Sums: sums, Facts: facts, Values: values, Registers: 5},
		directory.Answer{ID: 1, Done: 2, Parts: []directory.Part{{Range: sums[0].Range, Sums: sums, Facts: facts}}, Values: values},
		directory.Tell{Facts: facts},
		directory.Broadcast{Facts: facts, Hearsay: true, Values: values},
	}
}

func TestEveryMessageComesBackAsItWas(t *testing.T) {
	seen := make(map[byte]bool)
	for _, m := range slices.Concat(messages(), topologies(), causal()) {
		enc, err := Append([]byte("before"), m)
		if err != nil {
			t.Errorf("%T: %v", m, err)
			continue
		}
		enc = enc[len("before"):]
		seen[enc[0]] = true
		got, err := Parse(enc)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%T: %+v, %v, want %+v", m, got, err, m)
		}
		clear(enc)
		if !reflect.DeepEqual(got, m) {
			t.Errorf("%T refers to what it was parsed from", m)
		}
	}
	for k := range 256 {
		known := 0 < k && k < 16 || 32 <= k && k < 38 || 48 <= k && k < 50 || 64 <= k && k < 68 ||
			80 <= k && k < 86 || 96 <= k && k < 102 || 112 <= k && k < 116 || 128 <= k && k < 138
		if seen[byte(k)] != known {
			t.Errorf("kind %d: seen is %v", k, seen[byte(k)])
		}
		if _, err := Parse([]byte{byte(k)}); known != (err == nil) && k != int(kindSwim) && !numbered(kind(k)) {
			t.Errorf("kind %d alone: %v", k, err)
		}
	}
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	for _, m := range []overlay.Message{nil, 1, "x", overlay.Ping{}, swim.Message{}} {
		if b, err := Append([]byte{1}, m); !errors.Is(err, ErrUnknown) || len(b) != 1 {
			t.Errorf("%T: %x, %v", m, b, err)
		}
	}
	for _, b := range []string{"", "\x00", "\x10", "\xff", "\x01\xff", "\x30", "\x30\x10\x09", "\x20\x0a\xff\xff\xff\xff\x0f"} {
		if m, err := Parse([]byte(b)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%x: %+v, %v", b, m, err)
		}
	}
}

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// A later version must read what this one wrote.
func TestMessagesOfVersion1AreAsTheyWere(t *testing.T) {
	for file, all := range map[string][]overlay.Message{"version1": messages(), "version1-topologies": topologies(), "version1-causal": causal()} {
		var got strings.Builder
		for _, m := range all {
			b, err := Append(nil, m)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&got, "%T %s\n", m, hex.EncodeToString(b))
		}
		file = filepath.Join("testdata/golden", file)
		if *rewrite {
			if err := os.WriteFile(file, []byte(got.String()), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("the messages in %s have changed:\n%s", file, got.String())
		}
	}
}

// Any bytes are an error or a message that comes back as it is.
func FuzzParse(f *testing.F) {
	for _, m := range slices.Concat(messages(), topologies(), causal()) {
		b, err := Append(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, h := range append(slices.Collect(maps.Values(hostile)), slices.Collect(maps.Values(hostileCausal))...) {
		for _, k := range []byte(h.kinds) {
			f.Add(append([]byte{k}, h.body...))
		}
	}
	for _, b := range tooLong() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			if m != nil || !errors.Is(err, ErrMalformed) {
				t.Fatalf("%+v, %v", m, err)
			}
			return
		}
		enc, err := Append(nil, m)
		if err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		again, err := Parse(enc)
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
		if twice, err := Append(nil, again); err != nil || !bytes.Equal(twice, enc) {
			t.Fatalf("%x became %x, %v", enc, twice, err)
		}
	})
}
