package crdt

import (
	"slices"
	"sort"
)

// span is the sequence numbers first to last, both included.
type span struct {
	first, last uint64
}

// spans is a set of sequence numbers. Invariants:
//
//  1. every span has 1 <= first <= last <= maxSeq;
//  2. spans are sorted and neither overlap nor touch, so that each set has
//     exactly one representation.
//
// A replica seen without gaps is the one span from 1: its entry in a version
// vector. Whatever lies behind a gap is the dot cloud of the literature; it
// costs as much as it has gaps, and nothing once they are filled.
type spans []span

// contains reports whether n is in the set.
func (s spans) contains(n uint64) bool {
	if len(s) == 0 {
		return false
	}
	if n <= s[0].last { // the usual case: no gap before n
		return n >= s[0].first
	}
	i := sort.Search(len(s), func(i int) bool { return s[i].last >= n })
	return i < len(s) && s[i].first <= n
}

// last returns the greatest number of the set, 0 when it is empty.
func (s spans) last() uint64 {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].last
}

// size returns how many numbers the set holds.
func (s spans) size() uint64 {
	var n uint64
	for _, p := range s {
		n += p.last - p.first + 1
	}
	return n
}

// add puts first to last into the set and reports whether any of them is new.
// The numbers must satisfy 1 <= first <= last <= maxSeq.
func (s *spans) add(first, last uint64) bool {
	old := *s
	if n := len(old); n > 0 && old[n-1].last == first-1 { // the next one
		old[n-1].last = last
		return true
	}
	// old[i:j] are the spans that overlap or touch the new one.
	i := sort.Search(len(old), func(i int) bool { return old[i].last >= first-1 })
	j := i
	for j < len(old) && old[j].first-1 <= last {
		j++
	}
	if i == j {
		*s = slices.Insert(old, i, span{first, last})
		return true
	}
	merged := span{min(first, old[i].first), max(last, old[j-1].last)}
	if j == i+1 && merged == old[i] {
		return false
	}
	old[i] = merged
	*s = slices.Delete(old, i+1, j)
	return true
}

// join adds every number of other and reports whether any is new. It keeps no
// reference to other.
func (s *spans) join(other spans) bool {
	changed := false
	for _, p := range other {
		if s.add(p.first, p.last) {
			changed = true
		}
	}
	return changed
}

// minus returns the numbers that are in s and not in other, as a new set.
func (s spans) minus(other spans) spans {
	var left spans
	j := 0
	for _, p := range s {
		for j < len(other) && other[j].last < p.first {
			j++
		}
		first, open := p.first, true
		for k := j; k < len(other) && other[k].first <= p.last; k++ {
			if other[k].first > first {
				left = append(left, span{first, other[k].first - 1})
			}
			if other[k].last >= p.last {
				open = false
				break
			}
			first = other[k].last + 1
		}
		if open {
			left = append(left, span{first, p.last})
		}
	}
	return left
}

// and returns the numbers that are in both sets, as a new set.
func (s spans) and(other spans) spans {
	return s.minus(s.minus(other))
}
