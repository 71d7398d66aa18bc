package causal

import "slices"

// Span is a run of numbers, both ends included.
type Span struct{ First, Last Seq }

// spans are disjoint, in order, and not adjacent.
type spans []Span

// add joins v to s. An empty v changes nothing.
func (s *spans) add(v Span) {
	if v.First > v.Last {
		return
	}
	from, _ := slices.BinarySearchFunc(*s, v.First, func(have Span, first Seq) int {
		if have.Last+1 < first {
			return -1
		}
		return 1
	})
	to := from
	for ; to < len(*s) && (*s)[to].First <= v.Last+1; to++ {
		v.First, v.Last = min(v.First, (*s)[to].First), max(v.Last, (*s)[to].Last)
	}
	*s = slices.Replace(*s, from, to, v)
}

// at returns the span that holds x.
func (s spans) at(x Seq) (Span, bool) {
	i, _ := slices.BinarySearchFunc(s, x, func(have Span, x Seq) int {
		if have.Last < x {
			return -1
		}
		return 1
	})
	if i < len(s) && s[i].First <= x {
		return s[i], true
	}
	return Span{}, false
}

// remove takes x out.
func (s *spans) remove(x Seq) {
	for i, v := range *s {
		if v.First <= x && x <= v.Last {
			*s = slices.Delete(*s, i, i+1)
			s.add(Span{v.First, x - 1})
			s.add(Span{x + 1, v.Last})
			return
		}
	}
}

// trim takes everything up to x out.
func (s *spans) trim(x Seq) {
	drop := 0
	for ; drop < len(*s) && (*s)[drop].Last <= x; drop++ {
	}
	*s = slices.Delete(*s, 0, drop)
	if len(*s) > 0 && (*s)[0].First <= x {
		(*s)[0].First = x + 1
	}
}

// limit joins neighbours, nearest first, until there are at most n.
func (s *spans) limit(n int) {
	for len(*s) > n {
		nearest := 1
		for i := 2; i < len(*s); i++ {
			if (*s)[i].First-(*s)[i-1].Last < (*s)[nearest].First-(*s)[nearest-1].Last {
				nearest = i
			}
		}
		(*s)[nearest-1].Last = (*s)[nearest].Last
		*s = slices.Delete(*s, nearest, nearest+1)
	}
}

// without returns what of v is not in s.
func (s spans) without(v Span) []Span {
	var out []Span
	for _, have := range s {
		if have.Last < v.First || have.First > v.Last {
			continue
		}
		if have.First > v.First {
			out = append(out, Span{v.First, have.First - 1})
		}
		v.First = have.Last + 1
	}
	if v.First <= v.Last {
		out = append(out, v)
	}
	return out
}
