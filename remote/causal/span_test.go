package causal

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSpansAreASetOfNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 40
		var s spans
		var model [limit]bool
		number := rapid.Uint64Range(1, limit-1)
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0, 1:
				first := number.Draw(t, "first")
				last := min(limit-1, first+rapid.Uint64Range(0, 4).Draw(t, "more")-1) // may be empty
				s.add(Span{Seq(first), Seq(last)})
				for x := first; x <= last; x++ {
					model[x] = true
				}
			case 2:
				x := number.Draw(t, "remove")
				s.remove(Seq(x))
				model[x] = false
			case 3:
				x := number.Draw(t, "trim")
				s.trim(Seq(x))
				clear(model[:x+1])
			case 4:
				before, n := slices.Clone(s), rapid.IntRange(1, 5).Draw(t, "limit")
				s.limit(n)
				if len(s) > n || len(before) <= n && !slices.Equal(before, s) {
					t.Fatalf("%v limited to %d: %v", before, n, s)
				}
				for x := range model {
					_, now := s.at(Seq(x))
					if model[x] && !now {
						t.Fatalf("%v limited to %d: %v", before, n, s)
					}
					model[x] = now
				}
			}
			if err := s.valid(1, limit); err != nil {
				t.Fatal(err)
			}
			for x := range model {
				if v, ok := s.at(Seq(x)); ok != model[x] || ok && (Seq(x) < v.First || Seq(x) > v.Last) {
					t.Fatalf("%d in %v: %v", x, s, ok)
				}
			}
		}
		from, to := number.Draw(t, "from"), number.Draw(t, "to")
		var missing [limit]bool
		for _, v := range s.without(Span{Seq(from), Seq(to)}) {
			for x := v.First; x <= v.Last; x++ {
				missing[x] = true
			}
		}
		for x := range uint64(limit) {
			if want := from <= x && x <= to && !model[x]; missing[x] != want {
				t.Fatalf("%v without %d-%d: %d is %v", s, from, to, x, missing[x])
			}
		}
	})
}

func TestTheNearestSpansAreJoinedFirst(t *testing.T) {
	s := spans{{1, 2}, {10, 11}, {13, 14}, {30, 30}}
	s.limit(3)
	if want := (spans{{1, 2}, {10, 14}, {30, 30}}); !slices.Equal(s, want) {
		t.Fatal(s)
	}
}
