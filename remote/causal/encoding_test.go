package causal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/topos-go/topos/actor"
)

// samples are stamps of every shape.
func samples() []Stamp {
	others := []actor.NodeID{node("c"), {Name: "d@host:1", Incarnation: actor.Incarnation{Boot: 1 << 63}}}
	return []Stamp{
		{Seq: 1},
		{Seq: makeSeq(maxEpoch-1, maxCount)},
		{Void: true},
		{Void: true, Seq: makeSeq(maxEpoch, 0)},
		{Void: true, Seq: 9, Gone: []Span{{1, 1}, {3, 9}}, Done: []Entry{{receiver, sender, 0}}},
		{Seq: makeSeq(7, 200), Gone: []Span{{makeSeq(7, 1), makeSeq(7, 5)}, {makeSeq(7, 6), makeSeq(7, 199)}}},
		{Seq: 300, Others: others, Needs: []Entry{{0, 2, 5}, {3, 1, makeSeq(3, 1)}}, Done: []Entry{{1, 0, makeSeq(2, 0)}, {2, 3, 1}}},
	}
}

func TestAStampIsParsedAsItWasEncoded(t *testing.T) {
	for _, s := range samples() {
		b := s.Append([]byte("before"))
		got, err := ParseStamp(b[len("before"):])
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%+v is parsed as %+v, %v", s, got, err)
		}
		if string(b[:6]) != "before" {
			t.Errorf("%q was overwritten", b[:6])
		}
	}
}

func TestAPieceOfAStampIsNoStamp(t *testing.T) {
	for _, s := range samples() {
		b := s.Append(nil)
		for n := range len(b) {
			if got, err := ParseStamp(b[:n]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%d bytes of %x are %+v, %v", n, b, got, err)
			}
		}
		if got, err := ParseStamp(append(b, 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("one byte more than %x is %+v, %v", b, got, err)
		}
	}
}

func TestAParsedStampKeepsNothingOfTheBytes(t *testing.T) {
	s := samples()[6]
	b := s.Append(nil)
	got, err := ParseStamp(b)
	clear(b)
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestCountsAreCheckedBeforeMemoryIsTaken(t *testing.T) {
	for _, b := range [][]byte{
		{kindMessage, 0, 1, 64},                              // spans
		{kindMessage, 0, 1, 0, 62},                           // nodes
		{kindMessage, 0, 1, 0, 0, 0xbf, 0x1e},                // needs
		{kindMessage, 0, 1, 0, 0, 0, 0xbf, 0x1e},             // done
		{kindMessage, 0, 1, 0, 1, 0xff, 0x01, 'x', 0, 0},     // a name
		{kindMessage, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 7}, // more than there can be
	} {
		var err error
		allocated := testing.AllocsPerRun(1, func() { _, err = ParseStamp(b) })
		if !errors.Is(err, ErrMalformed) || allocated > 16 {
			t.Errorf("%x: %v, %v allocations", b, err, allocated)
		}
	}
}

func TestAnotherWayToWriteTheSameIsRefused(t *testing.T) {
	far := binary.AppendUvarint(nil, 1<<countBits+5) // of epoch 3, count 5, if one does not look
	for _, b := range [][]byte{
		{kindMessage, 0x80, 0x00, 1, 0, 0, 0, 0},
		{kindMessage, 0, 0x81, 0x00, 0, 0, 0, 0},
		slices.Concat([]byte{kindMessage, 3, 9, 1}, far, []byte{0, 0, 0, 0}),
	} {
		if s, err := ParseStamp(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%x: %+v, %v", b, s, err)
		}
	}
}

// FuzzStamp parses anything. What is accepted encodes to the same bytes, and a
// group takes it, whoever it is from.
func FuzzStamp(f *testing.F) {
	for _, s := range samples() {
		f.Add(s.Append(nil))
	}
	h := hostile{rand.New(rand.NewPCG(1, 2))}
	for range 20 {
		s := h.stamp()
		f.Add(s.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseStamp(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) || !reflect.DeepEqual(s, Stamp{}) {
				t.Fatalf("%+v, %v", s, err)
			}
			return
		}
		if again := s.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("%x is %+v, which is %x", b, s, again)
		}
		g, err := New[int](Config{Self: node("self"), MaxHeld: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range []string{"a", "b", "a"} {
			g.Receive(start, node(from), s, 0, 0)
			if err := g.valid(); err != nil {
				t.Fatal(err)
			}
		}
		g.Tick(start.Add(DefaultMaxWait))
		if err := g.valid(); err != nil || g.Stats().Waiting != 0 {
			t.Fatalf("%+v, %v", g.Stats(), err)
		}
	})
}
