package dialect

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/pcbroadcast"
)

// causal are all messages of the broadcasts in causal order, with all their fields
// set, and some without.
func causal() []overlay.Message {
	marks := []pcbroadcast.Mark{{Origin: a, Seq: 1}, {Origin: b, Seq: 1 << 63}}
	var all []overlay.Message
	for _, body := range []pcbroadcast.Body{
		pcbroadcast.Data[[]byte]{Origin: a, Seq: 7, Payload: []byte("payload")},
		pcbroadcast.Data[[]byte]{Origin: b, Seq: 1},
		pcbroadcast.Skip{Marks: marks},
		pcbroadcast.Ping{From: a, To: b, Number: 3, Hops: 4},
		pcbroadcast.Open{Number: 5, Marks: marks, Adopt: true},
		pcbroadcast.Open{Number: 6},
		pcbroadcast.Shut{},
		pcbroadcast.Refuse{Number: 5, Full: true},
		pcbroadcast.Ask{Number: 8, Marks: marks[:1]},
		pcbroadcast.Pong{Number: 8},
		pcbroadcast.Adopt{},
	} {
		all = append(all, pcbroadcast.Message{Link: 1 << 40, Body: body})
	}
	return append(all,
		pcbroadcast.Message{Body: pcbroadcast.Hello{Mine: 2, Yours: 9}},
		pcbroadcast.Message{Body: pcbroadcast.Hello{Mine: 2}},
	)
}

// numbered reports whether a message of kind k is none without a number.
func numbered(k kind) bool {
	return slices.Contains([]kind{
		kindCausalData, kindCausalPing, kindCausalHello, kindCausalOpen, kindCausalRefuse, kindCausalAsk, kindCausalPong,
	}, k)
}

// manyMarks returns n marks.
func manyMarks(n int) (marks []pcbroadcast.Mark) {
	for i := range n {
		marks = append(marks, pcbroadcast.Mark{Origin: overlay.Node{Name: fmt.Sprintf("n%d@h", i)}, Seq: 1})
	}
	return marks
}

func TestMarksAreNeverCutOff(t *testing.T) {
	if maxMarks < pcbroadcast.DefaultMaxOrigins {
		t.Error("a node that is configured by default cannot say all that it has to")
	}
	marks := manyMarks(maxMarks + 1)
	for _, body := range []pcbroadcast.Body{
		pcbroadcast.Skip{Marks: marks}, pcbroadcast.Open{Number: 1, Marks: marks}, pcbroadcast.Ask{Number: 1, Marks: marks},
	} {
		m := pcbroadcast.Message{Link: 1, Body: body}
		if enc, err := Append(nil, m); !errors.Is(err, ErrUnknown) || !errors.Is(err, errLong) || len(enc) != 0 {
			t.Errorf("%T: %v", body, err)
		}
	}
	m := pcbroadcast.Message{Link: 1, Body: pcbroadcast.Skip{Marks: marks[:maxMarks]}}
	enc, err := Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Parse(enc); err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("as many as there may be: %v", err)
	}
	one := "\x3a\x09\x0a\x05\x0a\x03x@h\x10\x01"
	if _, err := Parse([]byte("\x81" + one)); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(append(enc, one...)); !errors.Is(err, ErrMalformed) || !errors.Is(err, errLong) {
		t.Errorf("one more: %v", err)
	}
}

func TestMarksThatAreTooManyTakeNoMemory(t *testing.T) {
	const size = 1 << 20
	for how, one := range map[string][]byte{
		"as it is": {0x3a, 0}, "with a redundant tag": {0xba, 0x80, 0x00, 0}, "with a redundant length": {0x3a, 0x80, 0x00},
	} {
		for k := kindCausalData; k <= kindCausalAdopt; k++ {
			body := append([]byte{byte(k)}, bytes.Repeat(one, size/len(one))...)
			var err error
			took := allocated(func() { _, err = Parse(body) })
			if !errors.Is(err, errLong) || took > 16<<10 {
				t.Errorf("kind %d, %s: %d bytes, %v", k, how, took, err)
			}
		}
	}
}

// hostileCausal is what Append has not made.
var hostileCausal = map[string]attack{
	"a broadcast of nobody":           {"\x80", "\x10\x01"},
	"a broadcast of no address":       {"\x80", "\x10\x01\x1a\x04\x0a\x02x@"},
	"a broadcast without a number":    {"\x80", "\x1a\x05\x0a\x03x@h"},
	"a ping to nobody":                {"\x82", "\x10\x01\x1a\x05\x0a\x03x@h"},
	"a ping from nobody":              {"\x82", "\x10\x01\x22\x05\x0a\x03x@h"},
	"no number":                       {"\x80\x82\x83\x84\x86\x87\x88", "\x08\x01"},
	"a mark of nobody":                {"\x81\x84\x87", "\x10\x01\x3a\x02\x10\x01"},
	"a mark of no address":            {"\x81\x84\x87", "\x10\x01\x3a\x08\x0a\x04\x0a\x02x@\x10\x01"},
	"a mark without a number":         {"\x81\x84\x87", "\x10\x01\x3a\x07\x0a\x05\x0a\x03x@h"},
	"an empty mark":                   {"\x81\x84\x87", "\x10\x01\x3a\x00"},
	"a mark where there is none":      {"\x85\x88\x89", "\x10\x01\x3a\x00"},
	"a mark that is cut off":          {"\x81\x84\x87", "\x10\x01\x3a\x09\x0a\x05"},
	"marks that are a number":         {"\x81\x84\x87", "\x10\x01\x38\x01"},
	"a payload beyond all":            {"\x80", "\x10\x01\x1a\x05\x0a\x03x@h\x42\xff\xff\xff\xff\x0f"},
	"a group without an end":          {"\x85\x89", "\x1b\x08\x01"},
	"a kind that there is not":        {"\x8a\x8f\xff", ""},
	"a kind that there is not either": {"\x7f\x8a", "\x10\x01\x1a\x05\x0a\x03x@h"},
}

func TestWhatNoCausalBroadcastHasSaidIsMalformed(t *testing.T) {
	for what, h := range hostileCausal {
		for _, k := range []byte(h.kinds) {
			if m, err := Parse(append([]byte{k}, h.body...)); m != nil || !errors.Is(err, ErrMalformed) {
				t.Errorf("%s, kind %d: %+v, %v", what, k, m, err)
			}
		}
	}
}

func TestWhatNoCausalBroadcastSaysIsNotEncoded(t *testing.T) {
	nobody := overlay.Node{Name: "x@"}
	for _, body := range []pcbroadcast.Body{
		nil,
		pcbroadcast.Data[string]{Origin: a, Seq: 1},
		pcbroadcast.Data[[]byte]{Seq: 1}, pcbroadcast.Data[[]byte]{Origin: a}, pcbroadcast.Data[[]byte]{Origin: nobody, Seq: 1},
		pcbroadcast.Ping{From: a, Number: 1}, pcbroadcast.Ping{To: a, Number: 1}, pcbroadcast.Ping{From: a, To: b},
		pcbroadcast.Skip{Marks: []pcbroadcast.Mark{{}}}, pcbroadcast.Skip{Marks: []pcbroadcast.Mark{{Origin: a}}},
		pcbroadcast.Open{}, pcbroadcast.Ask{}, pcbroadcast.Pong{}, pcbroadcast.Hello{Yours: 1}, pcbroadcast.Refuse{},
	} {
		if enc, err := Append([]byte{1}, pcbroadcast.Message{Link: 1, Body: body}); !errors.Is(err, ErrUnknown) || len(enc) != 1 {
			t.Errorf("%+v: %x, %v", body, enc, err)
		}
	}
}

func TestHopsBeyondAllAreCut(t *testing.T) {
	enc := "\x82\x10\x01\x1a\x05\x0a\x03x@h\x22\x05\x0a\x03y@h\x28\xff\xff\xff\xff\x0f"
	m, err := Parse([]byte(enc))
	if err != nil || m.(pcbroadcast.Message).Body.(pcbroadcast.Ping).Hops != maxTTL {
		t.Errorf("%+v, %v", m, err)
	}
}

// A later version may say more of what this one knows.
func TestFieldsOfALaterVersionAreNoMistakeInCausalBroadcasts(t *testing.T) {
	for _, m := range causal() {
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

func TestCausalBroadcastsTakeASmallMultipleOfTheirMemory(t *testing.T) {
	for how, body := range map[string]string{
		"marks":               "\x81" + strings.Repeat("\x3a\x09\x0a\x05\x0a\x03x@h\x10\x01", maxMarks),
		"empty marks":         "\x81" + strings.Repeat("\x3a\x00", maxMarks),
		"a large payload":     "\x80\x10\x01\x1a\x05\x0a\x03x@h\x42\x80\x80\x40" + strings.Repeat("x", 1<<20),
		"an origin again":     "\x80\x10\x01" + strings.Repeat("\x1a\x05\x0a\x03x@h", 1<<17),
		"a payload again":     "\x80\x10\x01\x1a\x05\x0a\x03x@h" + strings.Repeat("\x42\x01x", 1<<18),
		"groups within those": "\x89" + strings.Repeat("\x1b", 1<<19) + strings.Repeat("\x1c", 1<<19),
	} {
		if took := allocated(func() { _, _ = Parse([]byte(body)) }); took > uint64(16*len(body)+128*maxMarks) {
			t.Errorf("%s: %d bytes for %d", how, took, len(body))
		}
	}
}
