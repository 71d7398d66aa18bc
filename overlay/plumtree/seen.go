package plumtree

import (
	"cmp"
	"slices"
)

// seen is the set of an origin's numbers that are settled: the message was
// delivered, or given up. It needs memory for the holes, not for the numbers.
//
// Invariant: above is in order; each span lies at least two above low, and above
// the span before it, so that holes are holes.
type seen struct {
	low   uint64 // everything up to here is in the set
	above []Span
}

// at returns the index of the first span that ends at n or above.
func (s *seen) at(n uint64) int {
	i, _ := slices.BinarySearchFunc(s.above, n, func(v Span, n uint64) int { return cmp.Compare(v.Last, n) })
	return i
}

func (s *seen) has(n uint64) bool {
	if n <= s.low {
		return true
	}
	i := s.at(n)
	return i < len(s.above) && s.above[i].First <= n
}

// hasAll reports whether every number of v is in the set.
func (s *seen) hasAll(v Span) bool {
	if v.Last <= s.low {
		return true
	}
	i := s.at(v.Last)
	return i < len(s.above) && s.above[i].First <= max(v.First, s.low+1)
}

// lacks reports whether h has what s has not.
func (s *seen) lacks(h *Have) bool {
	return h.Low > s.low || slices.ContainsFunc(h.Above, func(v Span) bool { return !s.hasAll(v) })
}

// add puts n, which is not in the set, into it.
func (s *seen) add(n uint64) {
	if n == s.low+1 {
		s.low = n
		s.absorb()
		return
	}
	i := s.at(n)
	below := i > 0 && s.above[i-1].Last+1 == n
	above := i < len(s.above) && s.above[i].First == n+1
	switch {
	case below && above:
		s.above[i-1].Last = s.above[i].Last
		s.above = slices.Delete(s.above, i, i+1)
	case below:
		s.above[i-1].Last = n
	case above:
		s.above[i].First = n
	default:
		s.above = slices.Insert(s.above, i, Span{n, n})
	}
}

// raise puts everything up to n into the set and returns what was not in it.
func (s *seen) raise(n uint64) (missing []Span) {
	for n > s.low {
		end := n
		if len(s.above) > 0 {
			end = min(end, s.above[0].First-1)
		}
		missing = append(missing, Span{s.low + 1, end})
		s.low = end
		s.absorb()
	}
	return missing
}

// absorb moves the spans that low has reached into low.
func (s *seen) absorb() {
	i := 0
	for i < len(s.above) && s.above[i].First <= s.low+1 {
		s.low = max(s.low, s.above[i].Last)
		i++
	}
	s.above = slices.Delete(s.above, 0, i)
	if len(s.above) == 0 {
		s.above = nil
	}
}

// top returns the greatest number below which there are holes, or low.
func (s *seen) top() uint64 {
	if len(s.above) == 0 {
		return s.low
	}
	return s.above[len(s.above)-1].First - 1
}
