package remote

import (
	"math/rand/v2"
	"testing"
	"time"
)

// way is a network path: what is on its way beyond what it carries in a round
// trip waits.
type way struct {
	trip time.Duration
	rate float64 // bytes a second
}

// carry lets p fill the way for a number of windows, with small messages between or not,
// and returns the window and how long a small message would have to wait behind it. If it
// was idle before, the first piece is on its way alone.
func (w way) carry(p *pace, mixed, idle bool, rounds int) (window int, wait time.Duration) {
	now, frame := time.Unix(1000, 0), uint64(0)
	for i := range rounds {
		frame++
		size := p.limit(mixed)
		if idle && i == 0 {
			size = maxWrite
		}
		p.began(now, frame, true)
		now = now.Add(max(w.trip, w.time(size)))
		p.confirmed(now, frame, size)
	}
	return p.limit(mixed), max(0, w.time(p.limit(mixed))-w.trip)
}

// time is how long the way takes for so many bytes.
func (w way) time(bytes int) time.Duration {
	return time.Duration(float64(bytes) / w.rate * float64(time.Second))
}

func TestWindowFillsTheWayAndNotMuchMore(t *testing.T) {
	for name, w := range map[string]way{
		"loopback":              {50 * time.Microsecond, 1.5e9},
		"ten gigabit":           {200 * time.Microsecond, 1.2e9},
		"far and fast":          {100 * time.Millisecond, 1.2e9},
		"across the world":      {250 * time.Millisecond, 50e6},
		"slow":                  {20 * time.Millisecond, 1e6},
		"slower than a window":  {10 * time.Millisecond, 100e3},
		"a satellite at a time": {600 * time.Millisecond, 10e6},
	} {
		for mixed, least := range map[bool]int{true: mixedWindow, false: leastWindow} {
			p := newPace()
			window, wait := w.carry(&p, mixed, true, 200)
			full := int(w.rate * w.trip.Seconds())
			if window < min(max(full, least), mostWindow) {
				t.Errorf("%s: a window of %d does not fill the way, which takes %d", name, window, full)
			}
			if window > leastWindow && wait > 2*w.trip+4*time.Millisecond {
				t.Errorf("%s, mixed %v: %v wait behind a window of %d", name, mixed, wait, window)
			}
		}
	}
}

func TestSmallMessagesWaitForLittleOnAFastWay(t *testing.T) {
	for name, w := range map[string]way{
		"loopback":    {50 * time.Microsecond, 1.5e9},
		"ten gigabit": {100 * time.Microsecond, 1.2e9},
	} {
		p := newPace()
		mixed, _ := w.carry(&p, true, true, 200)
		if alone := p.limit(false); alone != leastWindow || mixed > alone*8/10 {
			t.Errorf("%s: a window of %d, and of %d without small messages", name, mixed, alone)
		}
	}
}

// The lane takes the window that is meant for what it sends.
func TestLaneThatHasSentSmallMessagesTakesTheSmallWindow(t *testing.T) {
	l := &lane{pace: pace{window: mixedWindow}}
	if n := l.windowLocked(); n != leastWindow {
		t.Errorf("%d without small messages", n)
	}
	l.out.queue.pieces.small()
	if n := l.windowLocked(); n != mixedWindow {
		t.Errorf("%d with small messages", n)
	}
	l.out.queue.pieces.large(mixedBytes)
	if n := l.windowLocked(); n != leastWindow {
		t.Errorf("%d when there have been none for a while", n)
	}
}

// The other side confirms at once what comes, or leaves it to a timer, which its first
// piece sets: see link.acknowledge. A full window is never left to that.
func TestFullWindowIsConfirmedAtOnce(t *testing.T) {
	for _, payload := range []int{8 << 10, 64 << 10, 100 << 10, 128 << 10, 200 << 10, 256 << 10, 512 << 10} {
		for _, window := range []int{mixedWindow, probeWindow, leastWindow} {
			way, unacked, armed := 0, 0, false
			for left := payload; way < window; {
				n := min(left, pieceSize)
				if left -= n; left == 0 {
					left = payload
				}
				way += n
				if unacked += n; unacked >= ackBytes {
					unacked, way = 0, -1 // confirmed
					break
				}
				if !armed {
					unacked, armed = 0, true
				}
			}
			if way >= 0 {
				t.Errorf("with payloads of %d a window of %d waits for the timer", payload, window)
			}
		}
	}
}

func TestWindowShrinksWhenTheWayGetsNarrow(t *testing.T) {
	p := newPace()
	fast, slow := way{10 * time.Millisecond, 1e9}, way{10 * time.Millisecond, 200e6}
	before, _ := fast.carry(&p, false, true, 100)
	after, _ := slow.carry(&p, false, false, 100)
	if after >= before {
		t.Errorf("from %d to %d", before, after)
	}
}

func TestWindowThatHoldsNothingBackDoesNotGrow(t *testing.T) {
	p, now := newPace(), time.Unix(1000, 0)
	for i := range uint64(100) {
		p.began(now, i+1, false)
		p.confirmed(now.Add(time.Microsecond), i+1, 1000)
	}
	if p.window != leastWindow {
		t.Errorf("it has grown to %d", p.window)
	}
}

// On a busy machine a piece takes long now and then: because the other side was
// not running, not because the way has grown longer. However often that is, the
// window does not grow by it.
func TestPausesOfTheOtherSideDoNotWidenTheWindow(t *testing.T) {
	w := way{100 * time.Microsecond, 1e9}
	rng := rand.New(rand.NewPCG(1, 2))
	p, now, widest := newPace(), time.Unix(1000, 0), 0
	for frame := range uint64(200_000) { // some minutes
		size := p.limit(false)
		p.began(now, frame+1, true)
		took := max(w.trip, w.time(size))
		if rng.IntN(4) == 0 {
			took += time.Duration(rng.Int64N(int64(8 * time.Millisecond)))
		}
		now = now.Add(took)
		p.confirmed(now, frame+1, size)
		widest = max(widest, p.window)
	}
	if widest > 2*leastWindow {
		t.Errorf("the window was %d", widest)
	}
}

// A way that grows longer is noticed, since its trip is measured anew.
func TestWindowGrowsWhenTheWayGrowsLonger(t *testing.T) {
	p := newPace()
	near, far := way{time.Millisecond, 1e9}, way{50 * time.Millisecond, 1e9}
	near.carry(&p, false, true, 100)
	if window, _ := far.carry(&p, false, false, 1000); window < int(far.rate*far.trip.Seconds()) {
		t.Errorf("a window of %d does not fill it", window)
	}
}
