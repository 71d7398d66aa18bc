package dialect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/clientserver"
	"github.com/topos-go/topos/overlay/gossip"
)

// long returns n nodes, and a claim of each.
func long(n int) (nodes []overlay.Node, claims []clientserver.Claim) {
	for i := range n {
		node := overlay.Node{Name: fmt.Sprintf("n%d@h", i)}
		nodes = append(nodes, node)
		claims = append(claims, clientserver.Claim{Node: node, Number: 1})
	}
	return nodes, claims
}

func TestListsAreAsLongAsCoresTakeByDefaultAndMore(t *testing.T) {
	if maxClaims < clientserver.DefaultMaxClaims || maxSample < gossip.DefaultSample {
		t.Error("a node that is configured by default cannot say all that it has to")
	}
	nodes, claims := long(2 * maxClaims)
	for _, c := range []struct{ said, heard overlay.Message }{
		{clientserver.Ask{Claims: claims}, clientserver.Ask{Claims: claims[:maxClaims]}},
		{clientserver.Agree{Claims: claims}, clientserver.Agree{Claims: claims[:maxClaims]}},
		{clientserver.Refuse{Claims: claims}, clientserver.Refuse{Claims: claims[:maxClaims]}},
		{clientserver.News{Claims: claims[:maxClaims+1]}, clientserver.News{Claims: claims[:maxClaims]}},
		{gossip.Agree{Nodes: nodes}, gossip.Agree{Nodes: nodes[:maxSample]}},
		{gossip.Refuse{Nodes: nodes}, gossip.Refuse{Nodes: nodes[:maxSample]}},
		{gossip.Sample{Nodes: nodes[:maxSample+1]}, gossip.Sample{Nodes: nodes[:maxSample]}},
	} {
		enc, err := Append(nil, c.said)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Parse(enc); err != nil || !reflect.DeepEqual(got, c.heard) {
			t.Errorf("%T: %v", c.said, err)
		}
		// One element more, well-formed, is too much.
		last := []byte("\x12\x09\x0a\x05\x0a\x03x@h\x10\x01")
		if kind(enc[0]) >= kindSampleAsk {
			last = []byte("\x12\x05\x0a\x03x@h")
		}
		alone := append([]byte{enc[0]}, last...)
		if _, err := Parse(alone); err != nil {
			t.Fatalf("%x: %v", alone, err)
		}
		if m, err := Parse(append(enc, last...)); m != nil || !errors.Is(err, ErrMalformed) || !errors.Is(err, errLong) {
			t.Errorf("%T: %v", c.said, err)
		}
	}
}

// allocated returns how many bytes f takes, those given back again included.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A megabyte of elements of two bytes each must not become the hundred that they
// would be in memory, whichever way their field is spelled.
func TestAListThatIsTooLongTakesNoMemory(t *testing.T) {
	const size = 1 << 20
	spellings := map[string][]byte{
		"as it is":             {0x12, 0},
		"with a redundant tag": {0x92, 0x80, 0x00, 0},
		"with a tag of more bits than a field number has": append(binary.AppendUvarint(nil, (1<<32+2)<<3|2), 0),
		"with a redundant length":                         {0x12, 0x80, 0x00},
		"as a number":                                     {0x10, 1},
		"after another field":                             {0x08, 1, 0x12, 0},
	}
	for how, one := range spellings {
		for k := kindServerAsk; k <= kindSampleLeave; k++ {
			if kindServerLeave < k && k < kindSampleAsk {
				continue
			}
			b := append([]byte{byte(k)}, bytes.Repeat(one, size/len(one))...)
			var err error
			took := allocated(func() { _, err = Parse(b) })
			if !errors.Is(err, ErrMalformed) || !errors.Is(err, errLong) || took > 16<<10 {
				t.Errorf("kind %d, %s: %d bytes, %v", k, how, took, err)
			}
		}
	}
}

// What is no list takes a small multiple of its bytes, and a list besides that what
// its bounds let it.
func TestMemoryIsASmallMultipleOfWhatCame(t *testing.T) {
	claim := "\x12\x09\x0a\x05\x0a\x03x@h\x10\x01"
	for how, b := range map[string]string{
		"claims":                  "\x50" + strings.Repeat(claim, maxClaims),
		"empty claims":            "\x50" + strings.Repeat("\x12\x00", maxClaims),
		"nodes":                   "\x61" + strings.Repeat("\x12\x05\x0a\x03x@h", maxSample),
		"a node again and again":  "\x50" + string(binary.AppendUvarint([]byte{0x12}, 1<<20)) + strings.Repeat("\x0a\x06\x0a\x04ab@c", 1<<17),
		"a name again and again":  "\x61" + string(binary.AppendUvarint([]byte{0x12}, 1<<20)) + strings.Repeat("\x0a\x02a@", 1<<18),
		"a long name":             "\x61" + string(binary.AppendUvarint([]byte{0x12}, 1<<20+4)) + string(binary.AppendUvarint([]byte{0x0a}, 1<<20)) + strings.Repeat("@", 1<<20),
		"groups in groups":        "\x70" + strings.Repeat("\x1b", 1<<19) + strings.Repeat("\x1c", 1<<19),
		"fields that nobody has":  "\x70" + strings.Repeat("\x7a\x00", 1<<19),
		"flags again and again":   "\x52" + strings.Repeat("\x08\x01", 1<<19),
		"numbers again and again": "\x50" + string(binary.AppendUvarint([]byte{0x12}, 1<<20)) + strings.Repeat("\x10\x01", 1<<19),
	} {
		if took := allocated(func() { _, _ = Parse([]byte(b)) }); took > uint64(16*len(b)+128*maxClaims) {
			t.Errorf("%s: %d bytes for %d", how, took, len(b))
		}
	}
}

// attack is what Append has not made, as bytes of a message of each kind in turn.
type attack struct{ kinds, body string }

var hostile = map[string]attack{
	"a claim without a node":       {"\x50\x51\x52\x53\x54\x55", "\x12\x02\x10\x01"},
	"a claim of nobody":            {"\x50\x51\x52\x53", "\x12\x04\x0a\x00\x10\x01"},
	"a claim of no address":        {"\x50\x51\x52\x53", "\x12\x08\x0a\x04\x0a\x02x@\x10\x01"},
	"a claim of no name":           {"\x50\x51\x52\x53", "\x12\x08\x0a\x04\x0a\x02@x\x10\x01"},
	"a claim without a number":     {"\x50\x51\x52\x53", "\x12\x07\x0a\x05\x0a\x03x@h"},
	"a claim with number 0":        {"\x50\x51\x52\x53", "\x12\x09\x0a\x05\x0a\x03x@h\x10\x00"},
	"a standing after the last":    {"\x50\x51\x52\x53", "\x12\x0b\x0a\x05\x0a\x03x@h\x10\x01\x18\x03"},
	"a standing of 256":            {"\x50\x51\x52\x53", "\x12\x0c\x0a\x05\x0a\x03x@h\x10\x01\x18\x80\x02"},
	"a good claim and none":        {"\x50\x51\x52\x53", "\x12\x09\x0a\x05\x0a\x03x@h\x10\x01\x12\x00"},
	"a node of no name":            {"\x60\x61\x62\x63\x64\x65", "\x12\x00"},
	"a node of no address":         {"\x61\x62\x64", "\x12\x03\x0a\x01x"},
	"a node with a boot only":      {"\x61\x62\x64", "\x12\x02\x10\x01"},
	"a good node and none":         {"\x61\x62\x64", "\x12\x05\x0a\x03x@h\x12\x00"},
	"a list that is a number":      {"\x50\x61", "\x10\x01"},
	"a claim that is cut off":      {"\x50\x53\x61\x64", "\x12\x09\x0a\x05"},
	"a length beyond all":          {"\x50\x53\x61\x64", "\x12\xff\xff\xff\xff\x0f"},
	"a length that is negative":    {"\x50\x61\x70", "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
	"a tag without an end":         {"\x50\x61\x70", "\x80"},
	"a tag that overflows":         {"\x50\x61\x70", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
	"a wire type that is none":     {"\x50\x61\x70", "\x17"},
	"field 0":                      {"\x50\x61\x70", "\x02\x00"},
	"the end of no group":          {"\x50\x61\x70", "\x14"},
	"a group without an end":       {"\x50\x61\x70", "\x1b\x08\x01"},
	"a fixed number that is short": {"\x50\x61\x70", "\x19\x01"},
	"bytes of no field":            {"\x70\x71\x72\x73", "\xff"},
	"a kind that is none":          {"\x56\x5f\x66\x6f\x74\x7f\xff", ""},
}

func TestWhatNoTopologyHasSaidIsMalformed(t *testing.T) {
	for what, h := range hostile {
		for _, k := range []byte(h.kinds) {
			if m, err := Parse(append([]byte{k}, h.body...)); m != nil || !errors.Is(err, ErrMalformed) {
				t.Errorf("%s, kind %d: %+v, %v", what, k, m, err)
			}
		}
	}
}

func TestWhatNoTopologySaysIsNotEncoded(t *testing.T) {
	claims := []clientserver.Claim{
		{}, {Node: a}, {Number: 1}, {Node: overlay.Node{Name: "x"}, Number: 1}, {Node: overlay.Node{Name: "@x"}, Number: 1},
		{Node: a, Number: 1, Standing: clientserver.Never + 1},
	}
	var all []overlay.Message
	for _, c := range claims {
		list := []clientserver.Claim{{Node: a, Number: 1}, c}
		all = append(all, clientserver.Ask{Claims: list}, clientserver.Agree{Claims: list},
			clientserver.Refuse{Claims: list}, clientserver.News{Claims: list})
		nodes := []overlay.Node{a, {Name: strings.TrimPrefix(c.Node.Name, "a@h:1"), Boot: 1}}
		all = append(all, gossip.Agree{Nodes: nodes}, gossip.Refuse{Nodes: nodes}, gossip.Sample{Nodes: nodes})
	}
	all = append(all, (*clientserver.Ask)(nil), &gossip.Ask{}, clientserver.Claim{Node: a, Number: 1})
	for _, m := range all {
		if b, err := Append([]byte{1}, m); !errors.Is(err, ErrUnknown) || len(b) != 1 {
			t.Errorf("%+v: %x, %v", m, b, err)
		}
	}
}

// A later version may say more of what this one knows.
func TestFieldsOfALaterVersionAreNoMistake(t *testing.T) {
	for _, m := range topologies() {
		enc, err := Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		enc = append(enc, "\x7a\x03abc\x78\x01\x7b\x12\x00\x7c"...)
		if got, err := Parse(enc); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%+v, with more: %+v, %v", m, got, err)
		}
	}
}
