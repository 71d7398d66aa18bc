package wire

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// part makes a frame with a piece of a parcel; total is zero unless it is the
// first.
func part(parcel uint64, total int, piece []byte) []byte {
	m := Part{Parcel: parcel}
	if total > 0 {
		m.Total, m.Kind, m.Head = uint64(total), uint32(KindSignal), []byte{byte(parcel)}
	}
	return append(Append(nil, KindPart, &m, len(piece)), piece...)
}

// take feeds a decoder and returns the frames that come out of it.
func take(d *Decoder, stream []byte, step int) ([]Frame, error) {
	var frames []Frame
	for len(stream) > 0 {
		n := copy(d.Space(), stream[:min(step, len(stream))])
		d.Advance(n)
		stream = stream[n:]
		for {
			f, ok, err := d.Next()
			if err != nil {
				return frames, err
			}
			if !ok {
				break
			}
			frames = append(frames, f)
		}
	}
	return frames, nil
}

func newPartDecoder(a *Assembler, limit int) *Decoder {
	d := NewDecoder(Limits{})
	d.Relax(Session(limit), a, nil)
	return d
}

func TestInterleavedPartsBecomeWholeFramesThroughBrokenConnections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a Assembler
		const limit = 1 << 20
		d := newPartDecoder(&a, limit)
		sizes := rapid.SliceOfN(rapid.IntRange(1, 60<<10), 1, 8).Draw(t, "sizes")
		offs := make([]int, len(sizes))
		done := 0
		for done < len(sizes) {
			i := rapid.IntRange(0, len(sizes)-1).Draw(t, "whose turn")
			left := sizes[i] - offs[i]
			if left == 0 {
				continue
			}
			n := min(left, rapid.IntRange(1, 30<<10).Draw(t, "piece"))
			piece := bytes.Repeat([]byte{byte(i)}, n)
			total := 0
			if offs[i] == 0 {
				total = sizes[i]
			}
			frame := part(uint64(i), total, piece)
			if rapid.Bool().Draw(t, "the connection breaks within it") {
				cut := rapid.IntRange(0, len(frame)-1).Draw(t, "cut")
				if got, err := take(d, frame[:cut], 1000); len(got) > 0 || err != nil {
					t.Fatal(got, err)
				}
				d = newPartDecoder(&a, limit)
			}
			got, err := take(d, frame, rapid.SampledFrom([]int{1, 7, 5000, 1 << 20}).Draw(t, "step"))
			if err != nil || len(got) != 1 || got[0].Kind != KindPart {
				t.Fatal(got, err)
			}
			offs[i] += n
			whole := got[0].Whole
			if (whole != nil) != (offs[i] == sizes[i]) {
				t.Fatalf("after %d of %d bytes: %v", offs[i], sizes[i], whole)
			}
			if whole == nil {
				continue
			}
			done++
			if whole.Kind != KindSignal || whole.Head[0] != byte(i) || !whole.Fresh ||
				!bytes.Equal(whole.Payload, bytes.Repeat([]byte{byte(i)}, sizes[i])) {
				t.Fatalf("parcel %d came out wrong", i)
			}
		}
		if frames, size := a.Open(); frames != 0 || size != 0 {
			t.Fatalf("%d frames and %d bytes are left", frames, size)
		}
	})
}

func TestLargePartIsReadIntoItsPlace(t *testing.T) {
	var a Assembler
	d := newPartDecoder(&a, 1<<20)
	frame := part(1, 200<<10, make([]byte, 100<<10))
	if _, err := take(d, frame[:100], 100); err != nil {
		t.Fatal(err)
	}
	if space := d.Space(); len(space) < 99<<10 {
		t.Errorf("the decoder asks for %d bytes at a time", len(space))
	}
}

func TestPartsThatCannotBeAreRefused(t *testing.T) {
	const limit = 100
	for name, stream := range map[string][]byte{
		"without a beginning":   part(1, 0, []byte("x")),
		"longer than announced": append(part(1, 2, []byte("x")), part(1, 0, []byte("xx"))...),
		"begun twice":           append(part(1, 3, []byte("x")), part(1, 3, []byte("x"))...),
		"empty":                 part(1, 3, nil),
		"too large":             part(1, limit+1, []byte("x")),
		"too large together":    append(part(1, limit, []byte("x")), part(2, 1, []byte("x"))...),
		"malformed":             append(Header{Kind: KindPart, Head: 1, Payload: 1}.Append(nil), 0xff, 'x'),
		"parts of parts":        append(Append(nil, KindPart, &Part{Parcel: 1, Total: 2, Kind: uint32(KindPart)}, 1), 'x'),
		"of a kind of its own":  append(Append(nil, KindPart, &Part{Parcel: 1, Total: 2, Kind: 300}, 1), 'x'),
	} {
		t.Run(name, func(t *testing.T) {
			var a Assembler
			_, err := take(newPartDecoder(&a, limit), stream, 1000)
			if !errors.Is(err, ErrParcel) && !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrKind) {
				t.Errorf("got %v", err)
			}
			if _, size := a.Open(); size > limit {
				t.Errorf("%d bytes are taken", size)
			}
		})
	}
	d := NewDecoder(Session(limit))
	if _, err := take(d, part(1, 2, []byte("x")), 100); !errors.Is(err, ErrKind) {
		t.Errorf("without an Assembler: %v", err)
	}
}

func TestNumberOfFramesInPartsIsBounded(t *testing.T) {
	var a Assembler
	d := newPartDecoder(&a, 1<<20)
	for i := range MaxParcels {
		if _, err := take(d, part(uint64(i), 2, []byte("x")), 100); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := take(d, part(MaxParcels, 2, []byte("x")), 100); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func FuzzAssembler(f *testing.F) {
	f.Add(append(part(1, 3, []byte("ab")), part(1, 0, []byte("c"))...), uint8(3))
	f.Add(append(part(1, 9000, make([]byte, 8500)), part(2, 2, []byte("x"))...), uint8(200))
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		var a Assembler
		const limit = 1 << 16
		frames, _ := take(newPartDecoder(&a, limit), stream, int(step)+1)
		for _, frame := range frames {
			if frame.Whole != nil && (len(frame.Whole.Payload) > limit || frame.Whole.Kind == KindPart) {
				t.Fatalf("out came %v with %d bytes", frame.Whole.Kind, len(frame.Whole.Payload))
			}
		}
		if n, size := a.Open(); n > MaxParcels || size > 2*limit {
			t.Fatalf("%d frames with %d bytes are open", n, size)
		}
	})
}
