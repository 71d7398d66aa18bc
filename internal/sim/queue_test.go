package sim

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// A list that is sorted anew each time does the same as the wheel.
func TestQueueGivesEventsInTheOrderOfASortedList(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	q := newQueue(1 << minSlotBits)
	type one struct {
		at   int64
		name int32
	}
	var naive []one
	now, name := int64(0), int32(0)
	const horizon = slots << minSlotBits
	delays := []int64{1, 1000, 1 << minSlotBits, 1 << (minSlotBits + 6), horizon - 1, horizon, 3 * horizon}
	for range 20_000 {
		if rng.IntN(2) == 0 {
			at := now + rng.Int64N(delays[rng.IntN(len(delays))])
			name++
			q.push(event{at: at, to: name})
			naive = append(naive, one{at, name})
			continue
		}
		slices.SortStableFunc(naive, func(a, b one) int { return cmp.Compare(a.at, b.at) })
		until := now + rng.Int64N(horizon/8)
		for range 4 {
			e, ok := q.pop(until)
			if due := len(naive) > 0 && naive[0].at <= until; ok != due {
				t.Fatalf("pop until %d is %v, and %d wait", until, ok, len(naive))
			}
			if !ok {
				now = until
				break
			}
			if e.at != naive[0].at || e.to != naive[0].name {
				t.Fatalf("%d at %d comes, before %d at %d", e.to, e.at, naive[0].name, naive[0].at)
			}
			now, naive = e.at, naive[1:]
		}
	}
}

// What is taken out makes room for what comes: a queue does not grow with time.
func TestQueueUsesItsMemoryAgain(t *testing.T) {
	q := newQueue(1 << minSlotBits)
	for i := range int64(100_000) {
		q.push(event{at: i * 1000})
		if _, ok := q.pop(i * 1000); !ok {
			t.Fatal("nothing comes")
		}
	}
	if len(q.events) > 2 {
		t.Errorf("%d events are kept", len(q.events))
	}
}

func BenchmarkPushAndPopAmongMany(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	q := newQueue(1 << minSlotBits)
	for range 200_000 {
		q.push(event{at: rng.Int64N(10e9)})
	}
	b.ReportAllocs()
	for b.Loop() {
		e, _ := q.pop(1 << 62)
		e.at += rng.Int64N(10e9)
		q.push(e)
	}
}
