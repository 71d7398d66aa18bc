package overlay

import "github.com/topos-go/topos/internal/hash"

// Pool keeps one copy of each value, for cores of one goroutine to share: in a simulation
// ten thousand of them know the same ten thousand nodes. The zero Pool is empty. It
// forgets nothing.
type Pool[T comparable] struct{ copies map[uint64]*T }

// Of returns the copy that equals v, which nobody changes. A nil Pool keeps none: then it
// is a new one, and so it is if another value has the same sum, which v's must be a good
// hash of.
func (p *Pool[T]) Of(v T, sum uint64) *T {
	if p != nil {
		if known, ok := p.copies[sum]; ok && *known == v {
			return known
		}
	}
	kept := v // and not v itself, which would be allocated each time
	switch {
	case p == nil || p.copies[sum] != nil:
	case p.copies == nil:
		p.copies = map[uint64]*T{sum: &kept}
	default:
		p.copies[sum] = &kept
	}
	return &kept
}

// NodePool is a Pool of nodes. What is asked for is often what was asked for last, by another
// part of the same core.
type NodePool struct {
	pool Pool[Node]
	last *Node
}

// Of returns the copy of n, as [Pool.Of] does.
func (p *NodePool) Of(n Node) *Node {
	if p == nil {
		kept := n
		return &kept
	}
	if p.last == nil || *p.last != n {
		p.last = p.pool.Of(n, hash.Of(n.Name)^hash.Mix(n.Boot)^hash.Of(n.Unique)<<1)
	}
	return p.last
}
