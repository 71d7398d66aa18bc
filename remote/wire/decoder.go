package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Frame is one frame that a [Decoder] has found.
type Frame struct {
	Kind Kind
	// Head is the encoded message. It is valid until the next call of Space.
	Head []byte
	// Payload is what follows the message. If Fresh, it is a slice of its own
	// that the receiver may keep; else it is valid until the next call of
	// Space.
	Payload []byte
	Fresh   bool
	// Loan is what a fresh Payload lies in, if it was lent.
	Loan Loan
	// Whole is the frame of which this is the last part, if it is one.
	Whole *Frame
}

// Memory gives the memory that fresh payloads are read into.
type Memory interface {
	// Take returns n bytes, which may hold anything and are all written before
	// the frame is given out. A Loan is to be returned by who has used them;
	// without, they may be kept.
	Take(n int) ([]byte, Loan)
}

// Loan is memory that a [Memory] takes back. Who has it may keep it, or call
// Return once and use it no more.
type Loan interface {
	Return()
}

// memory returns n bytes, from where if that is not nil.
func memory(n int, where Memory) ([]byte, Loan) {
	if where == nil {
		return make([]byte, n), nil
	}
	return where.Take(n)
}

// freshPayload is the length from which a payload gets memory of its own, into
// which it is read directly, instead of being copied out of the buffer.
const freshPayload = 8 << 10

// bufferSize is how much is read at once at most while payloads are small, and
// betweenSize after a large one: the next is likely to be large too, and what is
// read into the buffer of its payload has to be copied out of it.
const (
	bufferSize  = 64 << 10
	betweenSize = 256
)

// Decoder cuts a stream of bytes into frames. It reads nothing itself: Space
// says where the next bytes go, Advance that they are there, and Next gives out
// the frames that are complete. An error of Next is final: where the next frame
// begins is not known any more.
//
// Invariants:
//  1. buf[start:end] are bytes that belong to no frame given out yet.
//  2. While a large payload is being filled, start == end.
//  3. Memory beyond the buffer is taken only for a payload whose header has
//     passed the limits, and for a head that has.
//
// A Decoder is for one goroutine. It is made with [NewDecoder].
type Decoder struct {
	limits     Limits
	buf        []byte
	start, end int

	large   Frame // a frame whose payload is being filled
	have    int   // how much of large.Payload is there
	between bool  // a large payload was the last thing to come
	parts   *Assembler
	memory  Memory // nil: fresh payloads are made
}

// NewDecoder returns a Decoder that takes what l allows. It takes a small
// buffer only; see [Decoder.Relax].
func NewDecoder(l Limits) *Decoder { return &Decoder{limits: l, buf: make([]byte, 1<<10)} }

// Relax changes the limits, from the next frame on, and lets a put frames
// together that come in parts. A nil a takes none. Fresh payloads lie in what m
// gives; with nil, each in memory of its own.
func (d *Decoder) Relax(l Limits, a *Assembler, m Memory) { d.limits, d.parts, d.memory = l, a, m }

// Rest takes out the bytes that belong to no frame given out yet, for when they
// turn out to be no frames. It must not be called within a large payload.
func (d *Decoder) Rest() []byte {
	rest := append([]byte(nil), d.buf[d.start:d.end]...)
	d.start, d.end = 0, 0
	return rest
}

// Buffered returns how many bytes belong to no frame given out yet.
func (d *Decoder) Buffered() int {
	n := d.end - d.start + d.have
	if d.large.Payload != nil {
		n += HeaderSize + len(d.large.Head)
	}
	return n
}

// Space returns where to put the next bytes: never empty. It invalidates the
// frames given out before.
func (d *Decoder) Space() []byte {
	if d.large.Payload != nil {
		return d.large.Payload[d.have:]
	}
	switch {
	case d.start == d.end:
		d.start, d.end = 0, 0
	case d.end == len(d.buf) || d.start > len(d.buf)/2:
		d.end = copy(d.buf, d.buf[d.start:d.end])
		d.start = 0
	}
	if d.end == len(d.buf) {
		// The frame in hand is longer than the buffer, but Next has let its
		// header pass.
		d.resize(2 * len(d.buf))
	}
	if d.between && d.end-d.start < betweenSize {
		return d.buf[d.end:min(d.end+betweenSize, len(d.buf))]
	}
	return d.buf[d.end:]
}

func (d *Decoder) resize(n int) {
	bigger := make([]byte, n)
	d.end = copy(bigger, d.buf[d.start:d.end])
	d.buf, d.start = bigger, 0
}

// Advance says that n bytes have been put where Space said.
func (d *Decoder) Advance(n int) {
	if d.large.Payload != nil {
		d.have += n
		return
	}
	d.end += n
	if d.end == len(d.buf) && len(d.buf) < bufferSize {
		// The stream is busy: read more at once from now on.
		d.resize(2 * len(d.buf))
	}
}

// Next returns the next frame that is complete. It reports false if there is
// none yet.
func (d *Decoder) Next() (Frame, bool, error) {
	if d.large.Payload != nil {
		if d.have < len(d.large.Payload) {
			return Frame{}, false, nil
		}
		f := d.large
		d.large, d.have, d.between = Frame{}, 0, true
		return d.complete(f)
	}
	rest := d.buf[d.start:d.end]
	if len(rest) < HeaderSize {
		return Frame{}, false, nil
	}
	h, err := ParseHeader(rest, d.limits)
	if err != nil {
		return Frame{}, false, err
	}
	if len(rest) < HeaderSize+h.Head {
		return Frame{}, false, nil
	}
	head := rest[HeaderSize : HeaderSize+h.Head : HeaderSize+h.Head]
	if h.Payload >= freshPayload {
		if err := d.begin(h, head, rest[HeaderSize+h.Head:]); err != nil {
			return Frame{}, false, err
		}
		return d.Next()
	}
	if len(rest) < h.Size() {
		return Frame{}, false, nil
	}
	d.start += h.Size()
	d.between = false
	f := Frame{Kind: h.Kind, Head: head, Payload: rest[HeaderSize+h.Head : h.Size() : h.Size()]}
	if h.Kind == KindPart {
		place, err := d.place(h, head)
		if err != nil {
			return Frame{}, false, err
		}
		copy(place, f.Payload)
	}
	return d.complete(f)
}

// Repeats fills into with the frames that come next, as long as they are complete,
// small, and of KindAgain, and returns those: the same that [Decoder.Next] would
// give out, at less cost. None says nothing about what comes next.
func (d *Decoder) Repeats(into []Repeat) []Repeat {
	if d.limits.First > KindAgain || d.limits.Last < KindAgain || d.limits.Head < 1 {
		return nil
	}
	found := 0
	for found < len(into) {
		b := d.buf[d.start:d.end]
		if len(b) <= HeaderSize {
			break
		}
		begin := binary.BigEndian.Uint64(b) // see Header
		if begin&^math.MaxUint32 != repeats || uint32(begin) >= freshPayload || b[HeaderSize] >= MaxRemembered {
			break
		}
		payload := int(uint32(begin))
		size := AgainSize + payload
		if len(b) < size || payload > d.limits.Payload {
			break
		}
		into[found] = Repeat{Number: Again(b[HeaderSize]), Payload: b[AgainSize:size:size]}
		d.start += size
		found++
	}
	if found > 0 {
		d.between = false
	}
	return into[:found]
}

// begin starts a frame with a large payload, of which some is there.
func (d *Decoder) begin(h Header, head, rest []byte) error {
	d.large = Frame{Kind: h.Kind, Head: append([]byte(nil), head...), Fresh: true}
	if h.Kind == KindPart {
		place, err := d.place(h, head)
		if err != nil {
			return err
		}
		d.large.Payload = place
	} else {
		d.large.Payload, d.large.Loan = memory(h.Payload, d.memory)
	}
	d.have = copy(d.large.Payload, rest)
	d.start += HeaderSize + h.Head + d.have
	return nil
}

// place returns where the payload of a part goes.
func (d *Decoder) place(h Header, head []byte) ([]byte, error) {
	if d.parts == nil {
		return nil, fmt.Errorf("%w: %v", ErrKind, h.Kind)
	}
	return d.parts.place(head, h.Payload, d.limits, d.memory)
}

// complete gives out a frame whose payload is there.
func (d *Decoder) complete(f Frame) (Frame, bool, error) {
	if f.Kind == KindPart {
		f.Whole = d.parts.filled()
	}
	return f, true, nil
}
