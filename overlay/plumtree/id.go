package plumtree

import (
	"strconv"

	"github.com/topos-go/topos/overlay"
)

// maxSeq is the greatest number of a message, so that sums do not overflow.
const maxSeq = 1 << 62

// ID names one broadcast: the Seq-th of one incarnation of a node, from 1.
type ID struct {
	Origin overlay.Node
	Seq    uint64
}

// String formats id as "node#seq".
func (id ID) String() string { return id.Origin.String() + "#" + strconv.FormatUint(id.Seq, 10) }

// Span is the numbers from First to Last, both included.
type Span struct{ First, Last uint64 }

// Have is what its sender has settled of one origin, by delivering it or giving
// it up: everything up to Low, and the spans Above, which are in order, with
// holes below, between, and none empty.
type Have struct {
	Origin overlay.Node
	Low    uint64
	Above  []Span
}

func (h *Have) valid(maxHoles int) bool {
	if h.Origin.IsZero() || h.Low > maxSeq || len(h.Above) > maxHoles {
		return false
	}
	last := h.Low
	for _, v := range h.Above {
		if v.First > maxSeq || v.Last > maxSeq || v.First < last+2 || v.Last < v.First {
			return false
		}
		last = v.Last
	}
	return true
}
