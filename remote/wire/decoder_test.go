package wire

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// feed gives b to d in pieces of at most step bytes and returns copies of the
// frames that come out.
func feed(d *Decoder, b []byte, step int) (frames []Frame, err error) {
	return feedAsking(d, b, step, 0)
}

func sameFrame(a, b Frame) bool {
	return a.Kind == b.Kind && bytes.Equal(a.Head, b.Head) && bytes.Equal(a.Payload, b.Payload)
}

// feedAsking is feed, with up to atOnce frames taken by Repeats at a time.
func feedAsking(d *Decoder, b []byte, step, atOnce int) (frames []Frame, err error) {
	into := make([]Repeat, atOnce)
	for {
		for {
			for _, r := range d.Repeats(into) {
				frames = append(frames, Frame{Kind: KindAgain, Head: []byte{byte(r.Number)}, Payload: bytes.Clone(r.Payload)})
			}
			f, ok, err := d.Next()
			if err != nil {
				return frames, err
			}
			if !ok {
				break
			}
			f.Head = bytes.Clone(f.Head)
			if !f.Fresh {
				f.Payload = bytes.Clone(f.Payload)
			}
			frames = append(frames, f)
		}
		if len(b) == 0 {
			return frames, nil
		}
		n := copy(d.Space(), b[:min(step, len(b))])
		d.Advance(n)
		b = b[n:]
	}
}

func TestFramesComeOutAsTheyWentIn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	sizes := []int{0, 1, 100, freshPayload - 1, freshPayload, freshPayload + 1, 3 * bufferSize}
	var stream []byte
	var want []Frame
	for i := range 50 {
		payload := make([]byte, sizes[rng.IntN(len(sizes))])
		for j := range payload {
			payload[j] = byte(rng.Uint32())
		}
		m := &Control{Topic: string(make([]byte, rng.IntN(300)))}
		head, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 {
			m, head = &Control{}, nil
		}
		stream = append(Append(stream, KindControl, m, len(payload)), payload...)
		want = append(want, Frame{Kind: KindControl, Head: head, Payload: payload})
	}
	for _, step := range []int{1, 7, 1000, len(stream)} {
		d := NewDecoder(Session(1 << 20))
		got, err := feed(d, stream, step)
		if err != nil || len(got) != len(want) {
			t.Fatalf("pieces of %d: %d frames, %v", step, len(got), err)
		}
		for i, f := range got {
			if f.Kind != want[i].Kind || !bytes.Equal(f.Head, want[i].Head) || !bytes.Equal(f.Payload, want[i].Payload) {
				t.Fatalf("pieces of %d: frame %d differs", step, i)
			}
			if f.Fresh != (len(f.Payload) >= freshPayload) {
				t.Errorf("frame of %d bytes: fresh is %v", len(f.Payload), f.Fresh)
			}
		}
		if n := d.Buffered(); n != 0 {
			t.Errorf("%d bytes are left over", n)
		}
	}
}

func TestFreshPayloadIsNotOverwritten(t *testing.T) {
	d := NewDecoder(Session(1 << 20))
	one := append(Append(nil, KindControl, nil, freshPayload), bytes.Repeat([]byte{1}, freshPayload)...)
	two := append(Append(nil, KindControl, nil, freshPayload), bytes.Repeat([]byte{2}, freshPayload)...)
	frames, err := feed(d, append(one, two...), 1000)
	if err != nil || len(frames) != 2 {
		t.Fatal(len(frames), err)
	}
	if frames[0].Payload[0] != 1 || frames[1].Payload[0] != 2 {
		t.Error("the payloads share memory")
	}
}

func TestLengthIsCheckedBeforeMemoryIsTaken(t *testing.T) {
	for name, c := range map[string]struct {
		limits Limits
		header Header
		want   error
	}{
		"head":           {Handshake(), Header{KindHello, 4<<10 + 1, 0}, ErrTooLarge},
		"payload":        {Handshake(), Header{KindHello, 0, 1}, ErrTooLarge},
		"session":        {Session(100), Header{KindSignal, 0, 101}, ErrTooLarge},
		"huge":           {Session(100), Header{KindSignal, 0, 1<<32 - 1}, ErrTooLarge},
		"too early":      {Handshake(), Header{KindSignal, 0, 0}, ErrKind},
		"too late":       {Session(100), Header{KindHello, 0, 0}, ErrKind},
		"no such kind":   {Session(100), Header{kindEnd, 0, 0}, ErrKind},
		"kind zero":      {Handshake(), Header{0, 0, 0}, ErrKind},
		"just fits":      {Session(100), Header{KindSignal, 0, 100}, nil},
		"just fits head": {Handshake(), Header{KindHello, 4 << 10, 0}, nil},
	} {
		d := NewDecoder(c.limits)
		b := c.header.Append(nil)
		allocated := testing.AllocsPerRun(1, func() { _, _ = ParseHeader(b, c.limits) })
		if c.want == nil && allocated > 0 {
			t.Errorf("%s: %v allocations", name, allocated)
		}
		if _, err := feed(d, b, 100); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestLimitsCanBeRelaxedBetweenFrames(t *testing.T) {
	d := NewDecoder(Handshake())
	stream := Append(nil, KindProof, &Proof{Mac: []byte{1}}, 0)
	signal := append(Append(nil, KindSignal, &Signal{Kind: 1}, 3), "abc"...)
	n := copy(d.Space(), append(stream, signal...))
	d.Advance(n)
	if f, ok, err := d.Next(); !ok || err != nil || f.Kind != KindProof {
		t.Fatal(f, ok, err)
	}
	d.Relax(Session(10), nil, nil)
	f, ok, err := d.Next()
	if diff := cmp.Diff(string(f.Payload), "abc"); !ok || err != nil || diff != "" {
		t.Fatal(ok, err, diff)
	}
}

func TestAppendOfWhatDoesNotFitPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it did not")
		}
	}()
	Header{Kind: KindSignal, Head: MaxHead + 1}.Append(nil)
}

func TestRepeatsAreWhatNextWouldGiveOut(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var stream []byte
	for range 2000 {
		n := []int{0, 1, 64, 300}[rng.IntN(4)]
		if rng.IntN(100) == 0 {
			n = freshPayload - 1 + rng.IntN(3)
		}
		if rng.IntN(10) == 0 {
			stream = Append(stream, KindControl, &Control{Topic: "t"}, n)
		} else {
			stream = AppendAgain(stream, Again(rng.IntN(MaxRemembered)), n)
		}
		for range n {
			stream = append(stream, byte(rng.Uint32()))
		}
	}
	want, err := feed(NewDecoder(Session(1<<20)), stream, len(stream))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []int{1, 9, 100, 5000, len(stream)} {
		for _, atOnce := range []int{1, 2, 32} {
			d := NewDecoder(Session(1 << 20))
			got, err := feedAsking(d, stream, step, atOnce)
			if err != nil || d.Buffered() != 0 {
				t.Fatalf("pieces of %d, %d at once: %v, %d bytes left over", step, atOnce, err, d.Buffered())
			}
			if !slices.EqualFunc(want, got, sameFrame) {
				t.Fatalf("pieces of %d, %d at once: %d frames differ from %d", step, atOnce, len(got), len(want))
			}
		}
	}
	d := NewDecoder(Session(1 << 20))
	d.Advance(copy(d.Space(), AppendAgain(AppendAgain(AppendAgain(nil, 1, 0), 2, 0), 3, 0)))
	if r := d.Repeats(make([]Repeat, 2)); len(r) != 2 || r[0].Number != 1 || r[1].Number != 2 {
		t.Errorf("the first two of three are %v", r)
	}
}

func TestRepeatsAreNotGivenOutWhereNextWouldRefuseThem(t *testing.T) {
	for name, test := range map[string]struct {
		limits Limits
		stream []byte
	}{
		"to a stranger":  {Handshake(), AppendAgain(nil, 1, 0)},
		"without a head": {Limits{Payload: 10, Last: KindAgain}, AppendAgain(nil, 1, 0)},
		"beyond memory":  {Session(1 << 20), AppendAgain(nil, MaxRemembered, 0)},
		"too large":      {Session(10), append(AppendAgain(nil, 1, 11), make([]byte, 11)...)},
		"another length": {Session(1 << 20), append(Header{Kind: KindAgain, Head: 2}.Append(nil), 1, 1)},
		"not whole":      {Session(1 << 20), append(AppendAgain(nil, 1, 3), 1, 2)},
	} {
		d := NewDecoder(test.limits)
		d.Advance(copy(d.Space(), test.stream))
		if r := d.Repeats(make([]Repeat, 3)); len(r) != 0 {
			t.Errorf("%s: %v", name, r)
		}
	}
}

func FuzzDecoder(f *testing.F) {
	hello := Append(nil, KindHello, &Hello{Cluster: "c", Nonce: make([]byte, 32)}, 0)
	signal := append(Append(nil, KindSignal, &Signal{Kind: 1, To: 7}, 3), "abc"...)
	f.Add(hello, true, uint16(3))
	f.Add(append(signal, signal...), false, uint16(10))
	f.Add(append(Append(nil, KindControl, &Control{Topic: "t"}, freshPayload), make([]byte, freshPayload)...), false, uint16(999))
	f.Add(append(append(AppendAgain(AppendAgain(nil, 3, 0), 63, 3), "abc"...), signal...), false, uint16(30))
	f.Add(AppendAgain(nil, MaxRemembered, 0), false, uint16(30))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), true, uint16(100))
	f.Fuzz(func(t *testing.T, stream []byte, stranger bool, step uint16) {
		limits := Session(64 << 10)
		if stranger {
			limits = Handshake()
		}
		d := NewDecoder(limits)
		frames, err := feed(d, stream, int(step)+1)
		asked := NewDecoder(limits)
		same, sameErr := feedAsking(asked, stream, int(step)+1, 1+int(step)%5)
		if !slices.EqualFunc(frames, same, sameFrame) || (err == nil) != (sameErr == nil) {
			t.Fatalf("asked for repeats: %d frames, %v; else %d, %v", len(same), sameErr, len(frames), err)
		}
		// What came out, put together again, is what went in.
		var again []byte
		for _, fr := range frames {
			again = Header{fr.Kind, len(fr.Head), len(fr.Payload)}.Append(again)
			again = append(append(again, fr.Head...), fr.Payload...)
		}
		if !bytes.HasPrefix(stream, again) {
			t.Fatalf("%d frames differ from the %d bytes they came from", len(frames), len(stream))
		}
		if err == nil && len(again)+d.Buffered() != len(stream) {
			t.Fatalf("of %d bytes, %d came out and %d are kept", len(stream), len(again), d.Buffered())
		}
	})
}

func FuzzMessages(f *testing.F) {
	for kind, m := range []Message{
		&Hello{Cluster: "c", Node: &Node{Name: "a@b:1", Boot: 5, Unique: "u"}, Nonce: make([]byte, 32)}, &Proof{Mac: []byte{1}, Attach: []byte{2}},
		&Refusal{Code: 1}, &Signal{Kind: 2, Errors: []string{"a"}, Text: "b"}, &Control{Topic: "t"}, &Ack{Received: 1 << 60},
		&Membership{Kind: 3, Nodes: []*Node{{Name: "a@b:1"}}},
	} {
		b := make([]byte, m.Size())
		if _, err := m.MarshalToSizedBuffer(b); err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(kind), b)
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		messages := []func() Message{
			func() Message { return new(Hello) }, func() Message { return new(Proof) }, func() Message { return new(Refusal) },
			func() Message { return new(Signal) }, func() Message { return new(Control) }, func() Message { return new(Ack) },
			func() Message { return new(Membership) },
		}
		newMessage := messages[int(kind)%len(messages)]
		m := newMessage()
		if m.Unmarshal(b) != nil {
			return
		}
		once := make([]byte, m.Size())
		if _, err := m.MarshalToSizedBuffer(once); err != nil {
			t.Fatal(err)
		}
		again := newMessage()
		if err := again.Unmarshal(once); err != nil {
			t.Fatal(err)
		}
		// An empty field may be said on the wire; none is the same.
		if diff := cmp.Diff(m, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if h, ok := m.(*Hello); ok {
			if id, err := h.Node.NodeID(); err == nil && FromNodeID(id).Name != h.Node.Name {
				t.Fatal("the node's name changed")
			}
		}
	})
}
