package dialect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// errLong is why a message with too long a list is malformed.
var errLong = errors.New("list too long")

// first returns the first of a list that may be long.
func first[A any](list []A, limit int) []A { return list[:min(len(list), limit)] }

// The most that lists may have which are no protocol's of their own: several times as
// many as its core makes of them by default. They are part of the protocol between
// nodes.
const (
	// maxShuffled is for the nodes of a shuffle, of which there are eight.
	maxShuffled = 256
	// maxAnnounced is for what plumtree announces, tells of and brings, 256 of each;
	// maxSpans for the holes in what a digest tells, 64 of each origin.
	maxAnnounced = 1 << 12
	maxSpans     = 1 << 15
	// maxRumors is for the facts of the failure detector, 16.
	maxRumors = 1 << 10
	// maxFacts is for those of the directory, which takes no more; maxRanges for what
	// it compares, 64, and maxSums for their parts, 16 of each; maxValues for
	// registers, 16.
	maxFacts  = 1 << 12
	maxRanges = 256
	maxSums   = 1 << 12
	maxValues = 64
)

// limit returns how many elements the list in a field may have, all together if that
// is within those of another list, in the field within, which is 0 otherwise; 0 for
// what is no list.
func limit(k kind, within, field int32) int {
	at := func(f int32, most int) int {
		if field == f {
			return most
		}
		return 0
	}
	switch {
	case k >= kindCausalData:
		return at(marksField, maxMarks)
	case k >= kindStaticAsk:
		return 0
	case k >= kindSampleAsk:
		return at(sampleField, maxSample)
	case k >= kindServerAsk:
		return at(claimsField, maxClaims)
	case k == kindAsk:
		return at(2, maxRanges) + at(3, maxFacts) + at(4, maxValues)
	case k == kindAnswer && within == 0:
		return at(3, maxRanges) + at(4, maxValues)
	case k == kindAnswer:
		return at(2, maxSums) + at(3, maxFacts)
	case k == kindTell:
		return at(1, maxFacts)
	case k == kindNews:
		return at(1, maxFacts) + at(3, maxValues)
	case k == kindSwim:
		return at(6, maxRumors)
	case k == kindIHave:
		return at(1, maxAnnounced)
	case k == kindRepair:
		return at(1, maxAnnounced) + at(2, maxAnnounced)
	case k == kindDigest && within == 0:
		return at(3, maxAnnounced)
	case k == kindDigest:
		return at(3, maxSpans)
	case k < kindGossip:
		return at(9, maxShuffled)
	}
	return 0
}

// nested reports whether the elements of the list in a field have lists themselves.
func nested(k kind, field int32) bool {
	return field == 3 && (k == kindDigest || k == kindAnswer)
}

// bounded says what keeps b from being a message of kind k whose lists are short
// enough. It is asked before the lists are made, whose elements take many times the
// memory of the two bytes that an empty one has in b.
func bounded(k kind, b []byte) error {
	var t tally
	return t.count(k, 0, b)
}

// tally has how many elements there were of the lists in each field, and of those
// within them.
type tally struct{ outer, inner [16]int }

func (t *tally) count(k kind, within int32, b []byte) error {
	elements := &t.outer
	if within != 0 {
		elements = &t.inner
	}
	for len(b) > 0 {
		tag, read := binary.Uvarint(b)
		if read <= 0 {
			return io.ErrUnexpectedEOF
		}
		size, err := skipDialect(b)
		if err != nil {
			return err
		}
		if size > len(b) {
			return io.ErrUnexpectedEOF
		}
		field := int32(tag >> 3) // as Unmarshal does: not all bits of it count
		if most := limit(k, within, field); most > 0 {
			if elements[field]++; elements[field] > most {
				return fmt.Errorf("%w: more than %d", errLong, most)
			}
			if within == 0 && nested(k, field) && tag&7 == 2 {
				_, length := binary.Uvarint(b[read:size])
				if err := t.count(k, field, b[read+max(length, 0):size]); err != nil {
					return err
				}
			}
		}
		b = b[size:]
	}
	return nil
}

// valid says what keeps one of list from being what a protocol takes.
func valid[A any](list []A, check func(A) error) error {
	for _, a := range list {
		if err := check(a); err != nil {
			return err
		}
	}
	return nil
}
