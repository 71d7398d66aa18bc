package mesh

import (
	"fmt"
	"math"
	"testing"
	"time"
	"unique"

	"github.com/Masterminds/semver/v3"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/internal/hash"
)

// crew makes n instances of equal weight.
func crew(n int) []*instance {
	list := make([]*instance, n)
	var seats tally
	for i := range list {
		node := unique.Make(actor.NodeID{Name: fmt.Sprintf("n%d@host:1", i), Incarnation: actor.Incarnation{Boot: 1, Unique: "u"}})
		d := Definition{Name: "x"}.withDefaults()
		list[i] = &instance{pid: actor.MakePID(node, 1<<36+1), definition: d, version: semver.MustParse(d.Version)}
		list[i].sit(seats.take())
		list[i].breaker = newBreaker(d.Breaker, func() time.Duration { return 0 }, nil)
	}
	return list
}

// shares picks n times and counts.
func shares(s *snapshot, c *chooser, n int, key func(i int) uint64) map[*instance]int {
	got := make(map[*instance]int)
	for i := range n {
		got[s.pick(c, key(i), true, new(tried), time.Second)]++
	}
	return got
}

func unkeyed(int) uint64 { return 0 }

func keyed(i int) uint64 { return hash.Of(fmt.Sprint("key ", i)) }

func TestSharesAreEvenWithEveryBalancing(t *testing.T) {
	const instances, picks = 10, 40_000
	for balancing, slack := range map[Balancing]float64{
		RoundRobin: 0.0001, LeastConnections: 0.06, Random: 0.06, Weighted: 0.001, PowerOfTwo: 0.06, ConsistentHash: 0.25,
	} {
		list := crew(instances)
		got := shares(newSnapshot(instances, list, balancing), new(chooser), picks, keyed)
		for _, in := range list {
			if share := float64(got[in]) * instances / picks; math.Abs(share-1) > slack {
				t.Errorf("%v: an instance has %.3f times its share", balancing, share)
			}
		}
	}
}

func TestLargestShareIsNearlyEvenAtEqualLatency(t *testing.T) {
	// Every call takes as long, give or take a third, and 16 are under way.
	for _, balancing := range []Balancing{RoundRobin, PowerOfTwo} {
		const instances, calls, width = 10, 40_000, 16
		list, c := crew(instances), new(chooser)
		s := newSnapshot(instances, list, balancing)
		got := make(map[*instance]int)
		type running struct {
			in         *instance
			began, end time.Duration
		}
		var under []running
		now := time.Second
		for range calls {
			if len(under) == width {
				first := 0
				for i, r := range under {
					if r.end < under[first].end {
						first = i
					}
				}
				r := under[first]
				now = max(now, r.end)
				r.in.end(r.began, now, true, false)
				under = append(under[:first], under[first+1:]...)
			}
			in := s.pick(c, 0, false, new(tried), now)
			in.inflight.Add(1)
			got[in]++
			took := 2*time.Millisecond/3 + time.Duration(below(c.next(), int(2*time.Millisecond/3)))
			under = append(under, running{in, now, now + took})
		}
		for _, in := range list {
			if share := float64(got[in]) * instances / calls; share > 1.1 {
				t.Errorf("%v: an instance has %.3f times its share", balancing, share)
			}
		}
	}
}

func TestWeightsAreKeptExactly(t *testing.T) {
	list := crew(4)
	for i, in := range list {
		in.definition.Weight = []int{1, 2, 3, 10}[i]
	}
	got := shares(newSnapshot(4, list, Weighted), new(chooser), 16_000, unkeyed)
	for _, in := range list {
		if want := in.definition.Weight * 1000; math.Abs(float64(got[in]-want)) > 20 {
			t.Errorf("weight %d: %d calls, want %d", in.definition.Weight, got[in], want)
		}
	}
}

func TestPowerOfTwoAvoidsTheSlowAndForgivesInTime(t *testing.T) {
	list, c := crew(10), new(chooser)
	now := time.Second
	for i, in := range list {
		in.inflight.Add(1)
		took := time.Millisecond
		if i == 4 {
			took = 50 * time.Millisecond // once
		}
		in.end(now, now+took, true, false)
	}
	s := newSnapshot(10, list, PowerOfTwo)
	count := func(now time.Duration) (n int) {
		for range 10_000 {
			if s.pick(c, 0, false, new(tried), now) == list[4] {
				n++
			}
		}
		return n
	}
	if n := count(2 * time.Second); n != 0 {
		t.Errorf("the slow one was taken %d times of 10000", n)
	}
	// The others go on answering, so that their latency does not fade.
	later := now + 6*decay
	for i, in := range list {
		if i != 4 {
			in.observe(float64(time.Millisecond), later)
		}
	}
	if n := count(later); n < 500 {
		t.Errorf("after a minute it was taken %d times of 10000", n)
	}
}

func TestNewInstanceGetsOneCallToProveItself(t *testing.T) {
	list, c := crew(2), new(chooser)
	list[0].inflight.Add(1)
	list[0].end(0, time.Millisecond, true, false)
	s := newSnapshot(2, list, PowerOfTwo)
	if in := s.pick(c, 0, false, new(tried), time.Second); in != list[1] {
		t.Error("the new one was not tried")
	}
	list[1].inflight.Add(1)
	for range 100 {
		if in := s.pick(c, 0, false, new(tried), time.Second); in != list[0] {
			t.Fatal("the new one was flooded before it had answered")
		}
	}
}

func TestConsistentHashMovesFewKeysWhenOneLeaves(t *testing.T) {
	const keys = 15_000
	for _, n := range []int{2, 5, 20, 100} {
		list, c := crew(n), new(chooser)
		owner := func(s *snapshot, i int) *instance { return s.pick(c, keyed(i), true, new(tried), 0) }
		before := newSnapshot(n, list, ConsistentHash)
		for _, leaver := range []int{0, n / 2, n - 1} {
			rest := append(append([]*instance{}, list[:leaver]...), list[leaver+1:]...)
			after := newSnapshot(n-1, rest, ConsistentHash)
			moved := 0
			for i := range keys {
				a, b := owner(before, i), owner(after, i)
				if a != b {
					moved++
				}
				if a != b && a != list[leaver] {
					t.Fatalf("n=%d: a key moved between two that stay", n)
				}
			}
			if limit := 1.3 * keys / float64(n); float64(moved) > limit {
				t.Errorf("n=%d: %d of %d keys moved, at most %.0f may", n, moved, keys, limit)
			}
		}
	}
}

func TestBoundedLoadsPassOnWhatIsTooMuch(t *testing.T) {
	list, c := crew(10), new(chooser)
	s := newSnapshot(10, list, ConsistentHash)
	hot := keyed(1) // all calls have one key, and none ends
	for range 1000 {
		in := s.pick(c, hot, true, new(tried), 0)
		in.inflight.Add(1)
		c.inflight.Add(1)
	}
	for i, in := range list {
		// Mirrokni et al.: at most ceil(1.25 times the mean).
		if n := in.inflight.Load(); n > 125 {
			t.Errorf("instance %d has %d of 1000 calls", i, n)
		}
	}
	first := s.pick(c, hot, true, new(tried), 0)
	for _, in := range list {
		in.inflight.Store(0)
	}
	c.inflight.Store(0)
	if again := s.pick(c, hot, true, new(tried), 0); again == first && first.inflight.Load() != 0 {
		t.Error("load is not looked at")
	}
}

func TestWhatIsNotFreeIsNeverChosen(t *testing.T) {
	for balancing := range Balancing(len(balancings)) {
		list, c := crew(8), new(chooser)
		s := newSnapshot(8, list, balancing)
		var asked tried
		asked.add(list[1])
		list[2].gone.Store(true)
		for range 5 {
			p, _ := list[3].breaker.admit(0)
			list[3].breaker.ended(p, errCounted)
		}
		got := make(map[*instance]int)
		for i := range 10_000 {
			got[s.pick(c, keyed(i), true, &asked, 0)]++
		}
		if got[nil]+got[list[1]]+got[list[2]]+got[list[3]] > 0 || len(got) != 5 {
			t.Errorf("%v: %d, %d, %d and %d times nobody, of %d", balancing, got[list[1]], got[list[2]], got[list[3]], got[nil], len(got))
		}
		for _, in := range list { // what the others would have had is spread
			if n := got[in]; n > 3600 {
				t.Errorf("%v: one of five has %d of 10000", balancing, n)
			}
			asked.add(in)
		}
		if in := s.pick(c, 0, true, &asked, 0); in != nil {
			t.Errorf("%v: one was chosen although all have been asked", balancing)
		}
	}
}

func TestPickingDoesNotAllocate(t *testing.T) {
	for balancing := range Balancing(len(balancings)) {
		s, c := newSnapshot(100, crew(100), balancing), new(chooser)
		var asked tried
		if n := testing.AllocsPerRun(1000, func() { s.pick(c, c.next(), true, &asked, time.Second) }); n != 0 {
			t.Errorf("%v: %v allocations", balancing, n)
		}
	}
}

// BenchmarkPick is the choice among 100 instances that have calls under way.
func BenchmarkPick(b *testing.B) {
	for balancing := range Balancing(len(balancings)) {
		b.Run(balancing.String(), func(b *testing.B) {
			list, c := crew(100), new(chooser)
			for i, in := range list {
				in.inflight.Store(int64(1 + i%7))
				c.inflight.Add(int64(1 + i%7))
				in.observe(float64(time.Millisecond), time.Second)
			}
			s := newSnapshot(100, list, balancing)
			b.ReportAllocs()
			var asked tried
			for i := uint64(0); b.Loop(); i++ {
				if s.pick(c, hash.Mix(i), true, &asked, 2*time.Second) == nil {
					b.Fatal("nobody")
				}
			}
		})
	}
}
