package causal

import (
	"encoding/binary"
	"fmt"

	"github.com/topos-go/topos/actor"
)

// A stamp is encoded as
//
//	kind     1 byte: message or void
//	number   epoch, count
//	gone     how many; each: distance from the end before, length
//	others   how many; each: length, name, boot, length, unique
//	needs    how many; each: from, to (a byte each), epoch, count
//	done     the same
//
// Numbers are varints in their shortest form, so that equal stamps are equal
// bytes and no byte is without meaning.
const (
	kindMessage byte = 1
	kindVoid    byte = 2

	minNode  = 3 // the shortest encodings, for checking counts before taking memory
	minEntry = 4
	minSpan  = 2
)

// Append appends s's encoding to b.
func (s *Stamp) Append(b []byte) []byte {
	kind := kindMessage
	if s.Void {
		kind = kindVoid
	}
	b = appendSeq(append(b, kind), s.Seq)
	b = binary.AppendUvarint(b, uint64(len(s.Gone)))
	end := uint64(0)
	for _, v := range s.Gone {
		b = binary.AppendUvarint(b, v.First.Count()-end)
		b = binary.AppendUvarint(b, uint64(v.Last-v.First))
		end = v.Last.Count()
	}
	b = binary.AppendUvarint(b, uint64(len(s.Others)))
	for _, id := range s.Others {
		b = appendText(b, id.Name)
		b = binary.AppendUvarint(b, id.Incarnation.Boot)
		b = appendText(b, id.Incarnation.Unique)
	}
	return appendEntries(appendEntries(b, s.Needs), s.Done)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendSeq(b []byte, s Seq) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, s.Epoch()), s.Count())
}

func appendEntries(b []byte, entries []Entry) []byte {
	b = binary.AppendUvarint(b, uint64(len(entries)))
	for _, e := range entries {
		b = appendSeq(append(b, e.From, e.To), e.Seq)
	}
	return b
}

// ParseStamp is the inverse of [Stamp.Append]. It takes all of b, keeps none of
// it, and takes no more memory than a small multiple of b's length. The error is
// [ErrMalformed].
func ParseStamp(b []byte) (Stamp, error) {
	// One copy of the bytes holds every text.
	p := parser{rest: b, text: string(b)}
	var s Stamp
	switch p.byte() {
	case kindMessage:
	case kindVoid:
		s.Void = true
	default:
		p.fail("kind")
	}
	s.Seq = p.seq()
	p.gone(&s)
	if n := p.count("nodes", MaxMembers-others, minNode); n > 0 {
		s.Others = make([]actor.NodeID, n)
		for i := range s.Others {
			s.Others[i] = actor.NodeID{Name: p.name(), Incarnation: actor.Incarnation{Boot: p.uint(), Unique: p.name()}}
		}
	}
	s.Needs = p.entries("needs")
	s.Done = p.entries("done")
	if p.err == nil && len(p.rest) > 0 {
		p.fail("end")
	}
	if p.err == nil {
		p.err = s.valid()
	}
	if p.err != nil {
		return Stamp{}, p.err
	}
	return s, nil
}

// parser reads what is left. After its first error it only returns zeros.
type parser struct {
	rest []byte
	text string // all there was, as text
	err  error
}

func (p *parser) fail(what string) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: %s at %d", ErrMalformed, what, len(p.text)-len(p.rest))
	}
	p.rest = nil
}

func (p *parser) byte() byte {
	if len(p.rest) == 0 {
		p.fail("length")
		return 0
	}
	c := p.rest[0]
	p.rest = p.rest[1:]
	return c
}

// uint reads a varint in its shortest form.
func (p *parser) uint() uint64 {
	v, n := binary.Uvarint(p.rest)
	if n <= 0 || n > 1 && p.rest[n-1] == 0 {
		p.fail("varint")
		return 0
	}
	p.rest = p.rest[n:]
	return v
}

func (p *parser) seq() Seq {
	epoch, count := p.uint(), p.uint()
	if epoch > maxEpoch || count > maxCount {
		p.fail("number")
	}
	return makeSeq(epoch, count)
}

// count reads how many of something follow, each of at least size bytes.
func (p *parser) count(what string, most, size int) int {
	n := p.uint()
	if n > uint64(most) || n > uint64(len(p.rest)/size) {
		p.fail(what)
		return 0
	}
	return int(n)
}

func (p *parser) name() string {
	n := p.count("name", maxName, 1)
	at := len(p.text) - len(p.rest)
	if p.err != nil {
		return ""
	}
	p.rest = p.rest[n:]
	return p.text[at : at+n]
}

func (p *parser) gone(s *Stamp) {
	n := p.count("spans", maxSpans, minSpan)
	if n == 0 {
		return
	}
	epoch := s.Seq.Epoch()
	s.Gone = make([]Span, n)
	end := uint64(0)
	for i := range s.Gone {
		skip, length := p.uint(), p.uint()
		if skip > maxCount || length > maxCount { // the rest is for valid
			p.fail("span")
			return
		}
		s.Gone[i] = Span{makeSeq(epoch, end+skip), makeSeq(epoch, end+skip+length)}
		end += skip + length
	}
}

func (p *parser) entries(what string) []Entry {
	n := p.count(what, maxEntries, minEntry)
	if n == 0 {
		return nil
	}
	entries := make([]Entry, n)
	for i := range entries {
		entries[i] = Entry{From: p.byte(), To: p.byte(), Seq: p.seq()}
	}
	return entries
}
