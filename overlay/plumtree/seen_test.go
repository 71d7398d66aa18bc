package plumtree

import (
	"testing"

	"pgregory.net/rapid"
)

func (s *seen) valid() bool {
	h := Have{Origin: node("a"), Low: s.low, Above: s.above}
	return h.valid(len(s.above))
}

func TestNumbersSeenAgreeWithASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const top = 30
		var s seen
		set := map[uint64]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				if n := rapid.Uint64Range(1, top).Draw(t, "n"); !set[n] {
					s.add(n)
					set[n] = true
				}
			},
			"raise": func(t *rapid.T) {
				n := rapid.Uint64Range(1, 8).Draw(t, "n")
				missing := map[uint64]bool{}
				for _, v := range s.raise(n) {
					for i := v.First; i <= v.Last; i++ {
						missing[i] = true
					}
				}
				for i := uint64(1); i <= n; i++ {
					if missing[i] == set[i] {
						t.Fatalf("raise(%d) says %v, of %v", n, missing, set)
					}
					set[i] = true
				}
			},
			"": func(t *rapid.T) {
				if !s.valid() {
					t.Fatalf("%+v", s)
				}
				for i := uint64(1); i <= top+2; i++ {
					if s.has(i) != set[i] {
						t.Fatalf("has(%d) is %v: %+v, %v", i, s.has(i), s, set)
					}
				}
				v := Span{First: rapid.Uint64Range(1, top).Draw(t, "first")}
				v.Last = v.First + rapid.Uint64Range(0, 4).Draw(t, "more")
				all := true
				for i := v.First; i <= v.Last; i++ {
					all = all && set[i]
				}
				if s.hasAll(v) != all {
					t.Fatalf("hasAll(%v) is %v: %+v", v, s.hasAll(v), s)
				}
				if other := (Have{Above: []Span{v}}); s.lacks(&other) == all {
					t.Fatalf("lacks(%v) is %v: %+v", v, all, s)
				}
			},
		})
	})
}
