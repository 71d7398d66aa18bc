package overlay_test

import (
	"fmt"
	"testing"

	"github.com/topos-go/topos/overlay"
)

// Two values of the same sum are taken for each other by nobody.
func TestPoolKeepsApartWhatHasTheSameSum(t *testing.T) {
	var p overlay.Pool[string]
	a, b := p.Of("a", 7), p.Of("b", 7)
	if *a != "a" || *b != "b" || p.Of("a", 7) != a || *p.Of("b", 7) != "b" {
		t.Errorf("%q and %q, then %q and %q", *a, *b, *p.Of("a", 7), *p.Of("b", 7))
	}
}

func TestNodePoolKeepsOneCopyOfEachIncarnation(t *testing.T) {
	var p overlay.NodePool
	copies := make(map[*overlay.Node]overlay.Node)
	for round := range 2 {
		for i := range 1000 {
			for _, n := range []overlay.Node{
				{Name: fmt.Sprint(i)}, {Name: fmt.Sprint(i), Boot: 1}, {Name: fmt.Sprint(i), Unique: "u"}, {Unique: fmt.Sprint(i)},
			} {
				kept := p.Of(n)
				if known, again := copies[kept]; *kept != n || again != (round == 1) || again && known != n {
					t.Fatalf("round %d: %v is kept as %v", round, n, *kept)
				}
				copies[kept] = n
			}
		}
	}
}

func TestPoolAllocatesNothingForWhatItHas(t *testing.T) {
	var p overlay.NodePool
	n := overlay.Node{Name: "a@1:1", Boot: 3, Unique: "u"}
	p.Of(n)
	if allocs := testing.AllocsPerRun(100, func() { p.Of(n) }); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
