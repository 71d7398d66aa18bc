package overlay

// Pool keeps one copy of each value, for cores of one goroutine to share: in a simulation
// ten thousand of them know the same ten thousand nodes. The zero Pool is empty. It
// forgets nothing.
type Pool[T comparable] struct{ copies map[T]*T }

// Of returns the copy that equals v, which nobody changes. A nil Pool keeps none: then it
// is a new one.
func (p *Pool[T]) Of(v T) *T {
	if p == nil {
		return &v
	}
	known, ok := p.copies[v]
	if ok {
		return known
	}
	if p.copies == nil {
		p.copies = make(map[T]*T)
	}
	kept := v
	p.copies[v] = &kept
	return &kept
}
