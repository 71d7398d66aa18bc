package crdt

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// numbers is the naive twin of spans.
type numbers map[uint64]bool

func (n numbers) sorted() []uint64 {
	var list []uint64
	for v := range n {
		list = append(list, v)
	}
	slices.Sort(list)
	return list
}

func (s spans) sorted() []uint64 {
	var list []uint64
	for _, p := range s {
		for v := p.first; v <= p.last; v++ {
			list = append(list, v)
		}
	}
	return list
}

func drawSpans(t *rapid.T, label string) (spans, numbers) {
	var s spans
	n := numbers{}
	for range rapid.IntRange(0, 8).Draw(t, label+" spans") {
		first := rapid.Uint64Range(1, 24).Draw(t, "first")
		last := first + rapid.Uint64Range(0, 4).Draw(t, "width")
		fresh := false
		for v := first; v <= last; v++ {
			fresh = fresh || !n[v]
			n[v] = true
		}
		if got := s.add(first, last); got != fresh {
			t.Fatalf("add(%d, %d) = %v, want %v", first, last, got, fresh)
		}
	}
	return s, n
}

func requireSpans(t *rapid.T, what string, s spans, n numbers) {
	t.Helper()
	if !slices.Equal(s.sorted(), n.sorted()) {
		t.Fatalf("%s: got %v, want %v", what, s, n.sorted())
	}
	if len(s) == 0 {
		return
	}
	c := CausalContext{known: []known{{replica: "r", seqs: s}}}
	if err := c.valid(); err != nil {
		t.Fatalf("%s: %v: %v", what, s, err)
	}
}

func TestSpansAreASetOfNumbersInOneRepresentation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, inA := drawSpans(t, "a")
		b, inB := drawSpans(t, "b")
		requireSpans(t, "a", a, inA)

		both, left, either := numbers{}, numbers{}, numbers{}
		for v := range inA {
			either[v] = true
			if inB[v] {
				both[v] = true
			} else {
				left[v] = true
			}
		}
		for v := range inB {
			either[v] = true
		}
		requireSpans(t, "minus", a.minus(b), left)
		requireSpans(t, "and", a.and(b), both)
		for v := uint64(1); v < 32; v++ {
			if a.contains(v) != inA[v] {
				t.Fatalf("%v contains %d: %v", a, v, a.contains(v))
			}
		}
		if a.size() != uint64(len(inA)) {
			t.Fatalf("%v: size %d", a, a.size())
		}
		joined := slices.Clone(a)
		if got, want := joined.join(b), len(either) > len(inA); got != want {
			t.Fatalf("join reports %v, want %v", got, want)
		}
		requireSpans(t, "join", joined, either)
		requireSpans(t, "b after join", b, inB)
	})
}

func TestSpansReachTheLastNumber(t *testing.T) {
	var s spans
	s.add(maxSeq, maxSeq)
	s.add(1, 1)
	if got := s.minus(spans{{1, maxSeq - 1}}); !slices.Equal(got, spans{{maxSeq, maxSeq}}) {
		t.Errorf("minus: %v", got)
	}
	if !s.add(1, maxSeq) || !slices.Equal(s, spans{{1, maxSeq}}) {
		t.Errorf("all numbers: %v", s)
	}
}
