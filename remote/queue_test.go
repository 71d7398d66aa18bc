package remote

import (
	"testing"

	"github.com/topos-go/topos/remote/wire"
)

func TestLargeMessageDoesNotOvertakeSmallOnesOfItsShard(t *testing.T) {
	for small := range 2000 {
		q := queue{limit: 1 << 20}
		for range small {
			q.push(7, make([]byte, 20), make([]byte, 100))
		}
		q.push(7, make([]byte, 20), make([]byte, apart))
		begun := 0
		s := q.next(true)
		for ; s != nil && s.payload == nil; s = q.next(true) {
			begun += s.frames
		}
		if s == nil || begun != small {
			t.Fatalf("it comes after %d of %d", begun, small)
		}
	}
}

// What is in no order stands in no line but, being large, its own.
func TestSmallMessagesInNoOrderDoNotWaitForLargeOnes(t *testing.T) {
	q := queue{limit: 1 << 30}
	for range 100 {
		q.push(loose, make([]byte, 20), make([]byte, 1<<20))
	}
	if len(q.lines) != 100 {
		t.Errorf("%d lines", len(q.lines))
	}
	q.push(loose, []byte("a throttle or a receipt"), nil)
	if s := q.next(true); s == nil || s.payload != nil {
		t.Error("the small one waits")
	}
}

// The other side takes so many at once, and no more.
func TestNoMoreMessagesAreUnderWayInPiecesThanTheOtherSideTakes(t *testing.T) {
	const all = wire.MaxParcels + 100
	q := queue{limit: 1 << 30}
	for range all {
		q.push(loose, make([]byte, wire.HeaderSize), make([]byte, pieceSize+1))
	}
	pieces := 0
	for s := q.next(true); s != nil; s = q.next(true) {
		if pieces++; q.begun > wire.MaxParcels {
			t.Fatalf("%d are under way", q.begun)
		}
	}
	if pieces != 2*all || !q.empty() || q.bytes != 0 || q.large != 0 || q.opened != 0 || q.begun != 0 {
		t.Errorf("%d pieces, %d frames, %d and %d bytes, %d open", pieces, q.frames, q.bytes, q.large, q.opened)
	}
}
