package overlay_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/topos-go/topos/overlay"
)

// Values of few sums are kept and dropped: those that are kept are what they were, equal ones
// have one number if their sum is nobody else's, and nothing is left in the end.
func TestPoolKeepsWhatIsNotDropped(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var p overlay.Pool[string]
		type one struct {
			value  string
			number uint32
		}
		var held []one
		for range 5000 {
			if len(held) > 0 && rng.IntN(100) < 48 {
				i := rng.IntN(len(held))
				p.Drop(held[i].number)
				held[i] = held[len(held)-1]
				held = held[:len(held)-1]
			} else {
				n := rng.Uint64N(200)
				v := fmt.Sprint("v", n)
				held = append(held, one{v, p.Keep(v, 1+n%150)})
			}
			values := make(map[string]bool)
			for _, o := range held {
				if got := *p.At(o.number); got != o.value {
					t.Fatalf("seed %d: %q is kept as %q", seed, o.value, got)
				}
				values[o.value] = true
			}
			if p.Len() < len(values) || p.Len() > len(held) {
				t.Fatalf("seed %d: %d values, of which %d differ, are kept as %d", seed, len(held), len(values), p.Len())
			}
		}
		for _, o := range held {
			p.Drop(o.number)
		}
		if p.Len() != 0 {
			t.Errorf("seed %d: %d are left", seed, p.Len())
		}
	}
}

func TestPoolGivesEqualValuesOneNumber(t *testing.T) {
	var p overlay.NodePool
	var all []overlay.Node
	for i := range 1000 {
		all = append(all,
			overlay.Node{Name: fmt.Sprint(i)}, overlay.Node{Name: fmt.Sprint(i), Boot: 1}, overlay.Node{Name: fmt.Sprint(i), Unique: "u"})
	}
	numbers := make(map[uint32]overlay.Node)
	for _, n := range all {
		number := p.Keep(n)
		if other, taken := numbers[number]; taken {
			t.Fatalf("%v and %v have one number", other, n)
		}
		numbers[number] = n
	}
	for number, n := range numbers {
		if again := p.Keep(n); again != number || *p.At(number) != n || p.Pin(n) != p.At(number) {
			t.Fatalf("%v has numbers %d and %d", n, number, again)
		}
	}
}

func TestValuesApartHaveNumbersOfTheirOwn(t *testing.T) {
	p := overlay.Apart[string]()
	x, y := p.Keep("x", 1), p.Keep("x", 1)
	if x == y || *p.At(x) != "x" || *p.At(y) != "x" {
		t.Errorf("%d and %d", x, y)
	}
	p.Drop(x)
	if z := p.Keep("z", 1); z != x || *p.At(y) != "x" {
		t.Errorf("%d is not used again, or %d is not kept", x, y)
	}
	nodes := overlay.NodesApart()
	n := overlay.Node{Name: "n"}
	if one := nodes.Keep(n); nodes.Keep(n) == one {
		t.Error("nodes apart share a number")
	}
	var none *overlay.NodePool
	if *none.Pin(n) != n {
		t.Error("nothing is pinned")
	}
}

func TestPoolAllocatesNothingForWhatItHas(t *testing.T) {
	var p overlay.NodePool
	n, m := overlay.Node{Name: "a@1:1", Boot: 3, Unique: "u"}, overlay.Node{Name: "b@1:1", Boot: 3, Unique: "u"}
	p.Keep(n)
	p.Keep(m)
	if allocs := testing.AllocsPerRun(100, func() { p.Drop(p.Keep(n)); p.Drop(p.Keep(m)) }); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
