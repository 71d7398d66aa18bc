package directory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Whatever the order in which the other side lists what it has, and what it lists twice or
// from elsewhere: it is offered what it lacks of the range, and nothing else.
func TestComparingARangeOffersWhatTheOtherLacks(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		c := quiet(t, "self", Config{})
		some := func() Fact {
			f := Fact{Node: node(fmt.Sprint("n", rng.IntN(60))), Status: Alive, Version: rng.Uint64N(2)}
			if f.Version > 0 && rng.IntN(2) == 0 {
				f.Meta = "meta"
			}
			return f
		}
		for range 40 {
			c.learn(some(), fresh)
		}
		part := Part{}
		if rng.IntN(2) == 0 {
			part.Range = Range{}.part(rng.IntN(fan))
		}
		theirs := make(map[string]Fact)
		for range rng.IntN(60) {
			f := some()
			if known, ok := theirs[f.Node.Name]; ok {
				f = known // they say it twice, but no two things of one
			}
			theirs[f.Node.Name] = f
			part.Facts = append(part.Facts, f)
		}
		var want []string
		c.table.each(part.Range, func(e entry) {
			if f, ok := theirs[e.node.Name]; !ok || !f.Merge(e.fact()).Same(f) {
				want = append(want, e.node.Name)
			}
		})
		c.take()
		c.start(start.Add(time.Second))
		c.compare(part)
		if !slices.Equal(c.exchange.push, want) {
			t.Fatalf("seed %d: of %v they are offered %v, not %v", seed, describeFacts(part.Facts), c.exchange.push, want)
		}
	}
}
