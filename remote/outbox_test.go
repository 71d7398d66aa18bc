package remote

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/remote/wire"
)

// valid checks the outbox's invariants.
func (o *outbox) valid() string {
	if !(o.acked < o.written && o.written <= o.taken && o.taken <= o.next) {
		return "counters out of order"
	}
	bytes, number := 0, uint64(0)
	for i, s := range o.segs {
		if i > 0 && s.base != number {
			return "segments do not follow each other"
		}
		number = s.base + uint64(s.frames)
		bytes += s.size()
	}
	if bytes != o.bytes {
		return "bytes is not the sum of the segments"
	}
	if len(o.segs) > 0 && (o.segs[0].base > o.acked+1 || number != o.next) {
		return "segments do not hold what is not confirmed"
	}
	if o.seg > 0 && o.seg >= len(o.segs) || len(o.segs) > 0 && o.off > o.segs[o.seg].size() {
		return "cursor outside"
	}
	return ""
}

// far is the other side of a connection: it gets a stream of bytes.
type far struct {
	dec      *wire.Decoder
	received []byte // the first byte of every payload, over all connections
}

func (f *far) connect() { f.dec = wire.NewDecoder(wire.Session(1 << 20)) }

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
			for _, c := range frame.Payload {
				if c != frame.Payload[0] {
					t.Fatal("a payload has been overwritten")
				}
			}
			f.received = append(f.received, frame.Payload[0])
		}
	}
}

// Whatever is pushed arrives once and in order, through any number of broken
// connections, and what is confirmed is given up.
func TestOutboxDeliversOnceInOrderThroughBrokenConnections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o outbox
		o.init()
		other := new(far)
		other.connect()
		var pushed []byte
		var inFlight [][]byte // taken and not written yet
		var network []byte    // written and not arrived yet
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				size := rapid.SampledFrom([]int{1, 10, 300, 5000, apart, apart + 1, 100000}).Draw(t, "size")
				payload := bytes.Repeat([]byte{byte(len(pushed))}, size)
				o.push(wire.Append(nil, wire.KindSignal, nil, size), payload)
				pushed = append(pushed, byte(len(pushed)))
			},
			"take": func(t *rapid.T) {
				if inFlight == nil {
					inFlight = o.take(nil, rapid.SampledFrom([]int{1, 100, 10000, 1 << 20}).Draw(t, "limit"))
				}
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
				if !o.rewind(uint64(len(other.received))) {
					t.Fatalf("cannot go back to %d of %d", len(other.received), len(pushed))
				}
				other.connect()
			},
			"ack": func(t *rapid.T) {
				n := rapid.IntRange(int(o.acked), len(other.received)).Draw(t, "n")
				if !o.ack(uint64(n)) {
					t.Fatalf("%d is refused", n)
				}
			},
			"false claim": func(t *rapid.T) {
				if o.ack(o.taken) || o.rewind(o.taken) || o.acked > 0 && o.rewind(o.acked-1) {
					t.Fatal("an impossible claim is accepted")
				}
			},
			"": func(t *rapid.T) {
				if wrong := o.valid(); wrong != "" {
					t.Fatal(wrong)
				}
				if !bytes.HasPrefix(pushed, other.received) {
					t.Fatalf("got %v of %v", other.received, pushed)
				}
				if got, want := o.unconfirmed(), len(pushed)-int(o.acked); int(got) != want {
					t.Fatalf("%d unconfirmed, want %d", got, want)
				}
			},
		})
		// In the end everything gets through.
		other.connect()
		if !o.rewind(uint64(len(other.received))) {
			t.Fatal("cannot go back")
		}
		for o.unsent() {
			for _, b := range o.take(nil, 1000) {
				other.get(t, b)
			}
			o.wrote()
		}
		if !bytes.Equal(pushed, other.received) {
			t.Fatalf("got %v of %v", other.received, pushed)
		}
		if !o.ack(uint64(len(pushed))) && len(pushed) > 0 {
			t.Fatal("the last confirmation is refused")
		}
		if o.unconfirmed() != 0 || o.bytes != 0 {
			t.Fatalf("%d frames and %d bytes are left", o.unconfirmed(), o.bytes)
		}
	})
}

func TestOutboxReusesItsMemoryWhenAllIsConfirmed(t *testing.T) {
	var o outbox
	o.init()
	frame := wire.Append(nil, wire.KindSignal, nil, 0)
	round := func() {
		o.push(frame, nil)
		o.take(nil, 1000)
		o.wrote()
		o.ack(o.next - 1)
	}
	round()
	first := &o.segs[0].data[:1][0]
	for range 1000 {
		round()
	}
	if &o.segs[0].data[:1][0] != first || len(o.segs) != 1 {
		t.Error("it did not")
	}
}

func TestMemoryIsNotReusedWhileItIsBeingWritten(t *testing.T) {
	var o outbox
	o.init()
	o.push(wire.Append(nil, wire.KindSignal, nil, 1), []byte{1})
	taken := o.take(nil, 1000)
	before := bytes.Clone(taken[0])
	// A confirmation that overtakes the end of the write.
	if !o.ack(1) {
		t.Fatal("refused")
	}
	o.push(wire.Append(nil, wire.KindSignal, nil, 1), []byte{2})
	if !bytes.Equal(taken[0], before) {
		t.Error("what is being written has changed")
	}
	o.wrote()
	if o.unconfirmed() != 1 {
		t.Errorf("%d unconfirmed", o.unconfirmed())
	}
}
