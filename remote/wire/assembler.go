package wire

import (
	"errors"
	"fmt"
)

// ErrParcel is returned for a part that belongs to no frame, or does not fit
// the one it belongs to.
var ErrParcel = errors.New("wire: part without its frame")

// MaxParcels bounds how many frames may be under way in parts on one lane at once.
const MaxParcels = 1024

// Assembler puts frames together that come in parts, interleaved with others.
// A payload is read into the memory it is given out in. An Assembler belongs
// to a lane and outlives its connections: the part that one of them cuts off
// comes again, whole, over the next.
//
// Invariants:
//  1. taken is the sum of the lengths of the open payloads, and at most
//     Limits.Payload unless there is only one.
//  2. A parcel's have counts whole parts only.
//
// An Assembler is for one goroutine at a time. Its zero value is ready for use.
type Assembler struct {
	open  map[uint64]*parcel
	taken int
	// The part in hand: its parcel's number and its length.
	current uint64
	length  int
}

type parcel struct {
	frame Frame
	have  int
}

// Open returns how many frames are under way, and the memory they have.
func (a *Assembler) Open() (frames, bytes int) { return len(a.open), a.taken }

// place returns where the n bytes of payload go that follow a part's head.
func (a *Assembler) place(head []byte, n int, l Limits, where Memory) ([]byte, error) {
	var m Part
	if err := m.Unmarshal(head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParcel, err)
	}
	p := a.open[m.Parcel]
	// The first part comes again if the connection broke within it.
	if m.Total != 0 && (p == nil || p.have == 0) {
		var err error
		if p, err = a.begin(&m, p, l, where); err != nil {
			return nil, err
		}
	}
	switch {
	case p == nil || m.Total != 0 && p.have > 0:
		return nil, fmt.Errorf("%w: parcel %d", ErrParcel, m.Parcel)
	case n == 0 || n > len(p.frame.Payload)-p.have:
		return nil, fmt.Errorf("%w: parcel %d has %d of %d bytes, and %d come", ErrParcel, m.Parcel, p.have, len(p.frame.Payload), n)
	}
	a.current, a.length = m.Parcel, n
	return p.frame.Payload[p.have : p.have+n : p.have+n], nil
}

// begin takes memory for a frame, in place of old if that is not nil.
func (a *Assembler) begin(m *Part, old *parcel, l Limits, where Memory) (*parcel, error) {
	if old != nil {
		a.taken -= len(old.frame.Payload)
		delete(a.open, m.Parcel)
	}
	kind := Kind(m.Kind)
	switch {
	case m.Kind >= uint32(kindEnd) || kind != KindSignal && kind != KindControl:
		return nil, fmt.Errorf("%w: %v in parts", ErrKind, kind)
	case m.Total > uint64(l.Payload) || len(m.Head) > l.Head:
		return nil, fmt.Errorf("%w: parts of %d bytes and a head of %d, at most %d and %d", ErrTooLarge, m.Total, len(m.Head), l.Payload, l.Head)
	case len(a.open) >= MaxParcels || len(a.open) > 0 && a.taken+int(m.Total) > l.Payload:
		return nil, fmt.Errorf("%w: %d frames in parts with %d bytes", ErrTooLarge, len(a.open), a.taken)
	}
	if a.open == nil {
		a.open = make(map[uint64]*parcel)
	}
	p := &parcel{frame: Frame{Kind: kind, Head: m.Head, Fresh: true}}
	p.frame.Payload, p.frame.Loan = memory(int(m.Total), where)
	a.open[m.Parcel] = p
	a.taken += len(p.frame.Payload)
	return p, nil
}

// filled says that the part in hand is there. It returns the frame if it is
// complete now.
func (a *Assembler) filled() *Frame {
	p := a.open[a.current]
	if p.have += a.length; p.have < len(p.frame.Payload) {
		return nil
	}
	delete(a.open, a.current)
	a.taken -= len(p.frame.Payload)
	return &p.frame
}
