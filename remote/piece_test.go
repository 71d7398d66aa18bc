package remote

import (
	"testing"
	"time"
)

// fastQueue is that of a lane whose way is fast, with a message so large.
func fastQueue(size int) *queue {
	q := &queue{limit: 1 << 30, pieces: pieces{fast: true}}
	q.push(1, make([]byte, 20), make([]byte, size))
	return q
}

func TestALaneWithLargeMessagesOnlySendsThemInLongPieces(t *testing.T) {
	q := fastQueue(2 * longPiece)
	if s := q.next(true); len(s.payload) != longPiece {
		t.Errorf("a piece of %d bytes", len(s.payload))
	}
	if q.pieces.fast = false; len(q.next(true).payload) != pieceSize {
		t.Error("it is as long on a way that is not fast")
	}
}

// So it is one read into the receiver's memory, and no part.
func TestALargeMessageThatIsNoLongerThanAPieceIsSentWhole(t *testing.T) {
	q := fastQueue(longPiece)
	if s := q.next(true); len(s.payload) != longPiece || !q.empty() || q.begun != 0 {
		t.Errorf("%d bytes of it, %d parcels begun", len(s.payload), q.begun)
	}
}

func TestAMessageThatWasBegunInShortPiecesGoesOnInParts(t *testing.T) {
	q := fastQueue(longPiece)
	q.pieces.fast = false
	q.next(true)
	q.pieces.fast = true
	if s := q.next(true); len(s.payload) != longPiece-pieceSize || !q.empty() || q.begun != 0 || q.opened != 0 || q.bytes != 0 {
		t.Errorf("%d bytes, then %d frames, %d parcels of %d bytes, %d bytes", len(s.payload), q.frames, q.begun, q.opened, q.bytes)
	}
}

func TestPiecesAreShortForAWhileAfterASmallMessage(t *testing.T) {
	q := fastQueue(2 * mixedBytes)
	q.push(2, make([]byte, 20), make([]byte, 100))
	if s := q.next(true); s.payload != nil {
		t.Fatal("the small one waits")
	}
	short := 0
	for s := q.next(true); len(s.payload) == pieceSize; s = q.next(true) {
		short += len(s.payload)
	}
	if short != mixedBytes {
		t.Errorf("%d bytes went in short pieces", short)
	}
}

func TestOnlyAWayThatCarriesALongPieceInAMomentIsFast(t *testing.T) {
	for name, c := range map[string]struct {
		way
		fast bool
	}{
		"loopback":         {way{50 * time.Microsecond, 3e9}, true},
		"ten gigabit":      {way{200 * time.Microsecond, 1.2e9}, true},
		"a gigabit":        {way{200 * time.Microsecond, 120e6}, false},
		"across the world": {way{250 * time.Millisecond, 50e6}, false},
	} {
		p := newPace()
		c.carry(&p, false, true, probes-1)
		if p.fast() {
			t.Errorf("%s: fast before it is known", name)
		}
		if c.carry(&p, false, false, 100); p.fast() != c.fast {
			t.Errorf("%s: fast is %v", name, p.fast())
		}
	}
}

func TestALaneWritesMoreAtOnceWhileItsPiecesAreLong(t *testing.T) {
	var l lane
	for _, c := range []struct {
		slow, fast, mixed bool
		most              int
	}{
		{fast: true, most: longWrite},
		{fast: true, mixed: true, most: maxWrite},
		{most: maxWrite},
		{slow: true, most: slowWrite},
	} {
		l.slow, l.out.queue.pieces = c.slow, pieces{fast: c.fast}
		if c.mixed {
			l.out.queue.pieces.small()
		}
		if got := l.mostLocked(); got != c.most {
			t.Errorf("%+v: %d bytes", c, got)
		}
	}
}
