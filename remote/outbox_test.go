package remote

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/remote/wire"
)

// valid checks the invariants of the outbox and its queue.
func (o *outbox) valid() string {
	if !(o.acked < o.written && o.written <= o.taken && o.taken <= o.next) {
		return "counters out of order"
	}
	logged, number := 0, uint64(0)
	for i, s := range o.segs {
		if i > 0 && s.base != number {
			return "segments do not follow each other"
		}
		number = s.base + uint64(s.frames)
		logged += s.size()
	}
	if logged != o.logged {
		return "logged is not the sum of the segments"
	}
	if len(o.segs) > 0 && (o.segs[0].base > o.acked+1 || number != o.next) {
		return "segments do not hold what is not confirmed"
	}
	if o.seg > 0 && o.seg >= len(o.segs) || len(o.segs) > 0 && o.off > o.segs[o.seg].size() {
		return "cursor outside"
	}
	if wrong := o.queue.memory.valid(append(slices.Clone(o.segs), o.queue.small...)); wrong != "" {
		return wrong
	}
	return o.queue.valid()
}

func (q *queue) valid() string {
	size, frames, opened := 0, 0, 0
	for _, s := range q.small {
		size, frames = size+len(s.data), frames+s.frames
	}
	for _, l := range q.lines {
		if len(l.items) == 0 {
			return "an empty line"
		}
		for i, it := range l.items {
			size, frames = size+it.size(), frames+1
			if it.off == 0 {
				continue
			}
			size -= len(it.frame)
			if opened += len(it.payload); i > 0 {
				return "begun before its turn"
			}
		}
	}
	switch {
	case size != q.bytes || frames != q.frames:
		return "bytes or frames is not the sum"
	case opened != q.opened:
		return "opened is not the sum of what has been begun"
	case len(q.turns) != len(q.lines):
		return "not every line has a turn"
	}
	return ""
}

// sample is a frame of a test: what it says of itself is what is checked.
type sample struct {
	shard, number uint32
	size          int
}

func (s sample) push(o *outbox) {
	payload := bytes.Repeat([]byte{byte(s.number)}, s.size)
	head := binary.BigEndian.AppendUint32(nil, s.number)
	frame := append(wire.Header{Kind: wire.KindSignal, Head: 4, Payload: s.size}.Append(nil), head...)
	o.push(s.shard, frame, payload)
}

// far is the other side of a lane: it gets a stream of bytes.
type far struct {
	dec    *wire.Decoder
	parts  wire.Assembler
	frames uint64   // over all connections
	got    []uint32 // the numbers of what has arrived
}

func (f *far) connect(limit int) {
	f.dec = wire.NewDecoder(wire.Handshake())
	f.dec.Relax(wire.Session(limit), &f.parts, nil)
}

func (f *far) get(t *rapid.T, b []byte) {
	for len(b) > 0 {
		n := copy(f.dec.Space(), b)
		f.dec.Advance(n)
		b = b[n:]
		for {
			frame, ok, err := f.dec.Next()
			if err != nil {
				t.Fatalf("the stream is broken: %v", err)
			}
			if !ok {
				break
			}
			f.frames++
			if frame.Kind == wire.KindPart {
				if frame.Whole == nil {
					continue
				}
				frame = *frame.Whole
			}
			number := binary.BigEndian.Uint32(frame.Head)
			for _, c := range frame.Payload {
				if c != byte(number) {
					t.Fatal("a payload has been overwritten")
				}
			}
			f.got = append(f.got, number)
		}
	}
}

// inOrder checks that what has arrived of each shard is what was first pushed.
func inOrder(t *rapid.T, pushed []sample, got []uint32) {
	next := make(map[uint32][]uint32)
	for _, s := range pushed {
		next[s.shard] = append(next[s.shard], s.number)
	}
	for _, number := range got {
		shard := pushed[number].shard
		if len(next[shard]) == 0 || next[shard][0] != number {
			t.Fatalf("%d of shard %d arrived instead of %v", number, shard, next[shard])
		}
		next[shard] = next[shard][1:]
	}
}

// Whatever is pushed arrives once and in the order of its shard, through any
// number of broken connections, and what is confirmed is given up.
func TestOutboxDeliversOnceInOrderThroughBrokenConnections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int{longPiece + 1, 1 << 20}).Draw(t, "limit")
		var o outbox
		o.init(limit)
		other := new(far)
		other.connect(limit)
		var pushed []sample
		var inFlight [][]byte // taken and not written yet
		var network []byte    // written and not arrived yet
		sizes := []int{1, 10, 300, 5000, apart - 1, apart, pieceSize, pieceSize + 1, 3*pieceSize + 7, longPiece, longPiece + 1}
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				s := sample{
					shard:  rapid.Uint32Range(0, 3).Draw(t, "shard"),
					number: uint32(len(pushed)),
					size:   rapid.SampledFrom(sizes).Draw(t, "size"),
				}
				s.push(&o)
				pushed = append(pushed, s)
			},
			"take": func(t *rapid.T) {
				if inFlight == nil {
					inFlight = o.take(nil, rapid.SampledFrom([]int{1, 100, 10000, 1 << 20}).Draw(t, "limit"))
				}
			},
			"small and large": func(t *rapid.T) {
				o.queue.pieces.fast = rapid.Bool().Draw(t, "fast")
				o.queue.pieces.large(rapid.IntRange(0, mixedBytes).Draw(t, "gone"))
			},
			"write": func(t *rapid.T) {
				network = append(network, bytes.Join(inFlight, nil)...)
				inFlight = nil
				o.wrote()
			},
			"arrive": func(t *rapid.T) {
				n := rapid.IntRange(0, len(network)).Draw(t, "bytes")
				other.get(t, network[:n])
				network = network[n:]
			},
			"break": func(t *rapid.T) {
				// Part of what is under way arrives.
				network = append(network, bytes.Join(inFlight, nil)...)
				other.get(t, network[:rapid.IntRange(0, len(network)).Draw(t, "bytes")])
				inFlight, network = nil, nil
				if !o.rewind(other.frames) {
					t.Fatalf("cannot go back to %d", other.frames)
				}
				other.connect(limit)
			},
			"ack": func(t *rapid.T) {
				n := rapid.Uint64Range(o.acked, other.frames).Draw(t, "n")
				if !o.ack(n, 0) {
					t.Fatalf("%d is refused", n)
				}
			},
			"false claim": func(t *rapid.T) {
				if o.ack(o.taken, 0) || o.rewind(o.taken) || o.acked > 0 && o.rewind(o.acked-1) {
					t.Fatal("an impossible claim is accepted")
				}
			},
			"": func(t *rapid.T) {
				if wrong := o.valid(); wrong != "" {
					t.Fatal(wrong)
				}
				inOrder(t, pushed, other.got)
			},
		})
		// In the end everything gets through.
		other.connect(limit)
		if !o.rewind(other.frames) {
			t.Fatal("cannot go back")
		}
		for o.unsent() {
			for _, b := range o.take(nil, 1000) {
				other.get(t, b)
			}
			o.wrote()
		}
		if inOrder(t, pushed, other.got); len(other.got) != len(pushed) {
			t.Fatalf("%d of %d arrived", len(other.got), len(pushed))
		}
		if !o.ack(other.frames, 0) {
			t.Fatal("the last confirmation is refused")
		}
		if open, size := other.parts.Open(); o.unconfirmed() != 0 || o.size() != 0 || open != 0 || size != 0 {
			t.Fatalf("%d frames and %d bytes are left, %d and %d at the other side", o.unconfirmed(), o.size(), open, size)
		}
	})
}

// taken returns the numbers of what an outbox sends, as they are completed.
func taken(t *testing.T, o *outbox, limit int) []uint32 {
	var got []uint32
	rapid.Check(t, func(t *rapid.T) {
		if got != nil {
			return
		}
		other := new(far)
		other.connect(1 << 30)
		for o.unsent() {
			for _, b := range o.take(nil, limit) {
				other.get(t, b)
			}
			o.wrote()
		}
		got = other.got
	})
	return got
}

func TestSmallMessageWaitsForOnePieceOfALargeOne(t *testing.T) {
	var o outbox
	o.init(1 << 30)
	sample{shard: 1, number: 0, size: 10 << 20}.push(&o)
	o.take(nil, 1) // it has begun
	sample{shard: 2, number: 1, size: 10}.push(&o)
	sent := 0
	for _, b := range o.take(nil, 1<<20) {
		if len(b) < 100 && bytes.Contains(b, []byte{0, 0, 0, 1}) {
			if sent > pieceSize {
				t.Errorf("%d bytes went first", sent)
			}
			return
		}
		sent += len(b)
	}
	t.Fatal("it was not sent")
}

// A window that is full holds something back only if something is there: else it says
// nothing of what the way carries.
func TestAFullWindowHoldsBackWhatWaitsOnly(t *testing.T) {
	var o outbox
	o.init(1 << 30)
	o.window = 100 << 10
	sample{shard: 1, number: 0, size: 100 << 10}.push(&o)
	o.take(nil, 1<<20)
	if !o.full() || o.held() {
		t.Errorf("with nothing behind it, full %v, held %v", o.full(), o.held())
	}
	sample{shard: 1, number: 1, size: 10}.push(&o)
	if o.held() {
		t.Error("a small message is held back")
	}
	sample{shard: 2, number: 2, size: 100 << 10}.push(&o)
	if !o.held() {
		t.Error("a large message is not")
	}
}

func TestSmallMessageOfTheSameShardStaysBehindTheLargeOne(t *testing.T) {
	var o outbox
	o.init(1 << 30)
	for n, s := range []sample{{shard: 1, size: 10}, {shard: 1, size: 1 << 20}, {shard: 1, size: 10}, {shard: 2, size: 10}} {
		s.number = uint32(n)
		s.push(&o)
	}
	if got := taken(t, &o, 64<<10); !bytes.Equal(u8(got), []byte{0, 3, 1, 2}) {
		t.Errorf("sent as %v", got)
	}
}

func TestFloodOfSmallMessagesDoesNotStarveALargeOne(t *testing.T) {
	var o outbox
	o.init(1 << 30)
	sample{shard: 1, number: 7, size: pieceSize}.push(&o)
	for range 100 {
		for range 200 {
			sample{shard: 2, number: 1, size: 1000}.push(&o)
		}
		for _, b := range o.take(nil, maxWrite) {
			if len(b) == pieceSize {
				return
			}
		}
		o.wrote()
		o.ack(o.taken-1, 0)
	}
	t.Fatal("it was never sent")
}

func TestNoMoreIsOpenAtOnceThanTheOtherSideTakes(t *testing.T) {
	var o outbox
	const limit = 1 << 20
	o.init(limit)
	for n := range 8 {
		sample{shard: uint32(n), number: uint32(n), size: limit - 10*n}.push(&o)
	}
	// The other side refuses more: see far.get.
	other := new(far)
	other.connect(limit)
	rapid.Check(t, func(t *rapid.T) {
		for o.unsent() {
			for _, b := range o.take(nil, 100<<10) {
				other.get(t, b)
			}
			o.wrote()
		}
	})
	if len(other.got) != 8 {
		t.Errorf("%d arrived", len(other.got))
	}
}

func u8(numbers []uint32) []byte {
	var b []byte
	for _, n := range numbers {
		b = append(b, byte(n))
	}
	return b
}

func TestOutboxReusesItsMemoryWhenAllIsConfirmed(t *testing.T) {
	var o outbox
	o.init(0)
	frame := wire.Append(nil, wire.KindSignal, nil, 0)
	var bufs [][]byte
	round := func() {
		o.push(0, frame, nil)
		bufs = o.take(bufs[:0], 1000)
		o.wrote()
		o.ack(o.next-1, 0)
	}
	round()
	first := &bufs[0][0]
	for range 1000 {
		round()
	}
	if &bufs[0][0] != first || len(o.segs) != 0 {
		t.Error("it did not")
	}
}

func TestMemoryIsNotReusedWhileItIsBeingWritten(t *testing.T) {
	var o outbox
	o.init(0)
	o.push(0, wire.Append(nil, wire.KindSignal, nil, 1), []byte{1})
	taken := o.take(nil, 1000)
	before := bytes.Clone(taken[0])
	// A confirmation that overtakes the end of the write.
	if !o.ack(1, 0) {
		t.Fatal("refused")
	}
	o.push(0, wire.Append(nil, wire.KindSignal, nil, 1), []byte{2})
	if !bytes.Equal(taken[0], before) {
		t.Error("what is being written has changed")
	}
	o.wrote()
	if o.unconfirmed() != 1 {
		t.Errorf("%d unconfirmed", o.unconfirmed())
	}
}
