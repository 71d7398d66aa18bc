package overlay

import "github.com/topos-go/topos/internal/hash"

// Pool keeps one copy of each value, for cores that are used by one goroutine at a time to share: in a simulation
// ten thousand of them know the same ten thousand nodes. A value has a number as long as
// somebody keeps it, which takes less room than where it is, and gives the collector of
// garbage nothing to follow. The zero Pool is empty.
type Pool[T comparable] struct {
	chunks []*[chunk]kept[T]
	bySum  map[uint64]uint32
	free   []uint32
	count  uint32 // of numbers that were ever given
	apart  bool
}

// chunk is how many values are allocated together: they do not move.
const chunk = 16

type kept[T comparable] struct {
	value T
	sum   uint64
	users int32
}

// Apart returns a Pool for one core, in which no two values are expected to be equal: each is
// kept by itself.
func Apart[T comparable]() *Pool[T] { return &Pool[T]{apart: true} }

func (p *Pool[T]) at(number uint32) *kept[T] { return &p.chunks[number/chunk][number%chunk] }

// At returns the value that has a number, which nobody changes, and nobody uses after it was
// dropped.
func (p *Pool[T]) At(number uint32) *T { return &p.at(number).value }

// Keep returns v's number, until it was dropped as often. Its sum must be a good hash of v,
// and tell it from the zero value.
func (p *Pool[T]) Keep(v T, sum uint64) uint32 {
	if !p.apart {
		if number, ok := p.bySum[sum]; ok && p.at(number).value == v {
			p.at(number).users++
			return number
		}
	}
	number := p.room()
	*p.at(number) = kept[T]{v, sum, 1}
	if _, taken := p.bySum[sum]; !p.apart && !taken {
		if p.bySum == nil {
			p.bySum = make(map[uint64]uint32)
		}
		p.bySum[sum] = number
	}
	return number
}

// room returns a number that nobody has.
func (p *Pool[T]) room() uint32 {
	if last := len(p.free) - 1; last >= 0 {
		number := p.free[last]
		p.free = p.free[:last]
		return number
	}
	if int(p.count) == chunk*len(p.chunks) {
		p.chunks = append(p.chunks, new([chunk]kept[T]))
	}
	p.count++
	return p.count - 1
}

// Drop ends one keeping of a number.
func (p *Pool[T]) Drop(number uint32) {
	k := p.at(number)
	if k.users--; k.users > 0 {
		return
	}
	if p.bySum[k.sum] == number && !p.apart {
		delete(p.bySum, k.sum)
	}
	*k = kept[T]{}
	p.free = append(p.free, number)
}

// Len returns how many values are kept.
func (p *Pool[T]) Len() int { return int(p.count) - len(p.free) }

// NodePool is a [Pool] of nodes. What is asked for is often what was asked for last, by another
// part of the same core.
type NodePool struct {
	pool Pool[Node]
	last uint32
}

// NodesApart returns a NodePool for one core: see [Apart].
func NodesApart() *NodePool { return &NodePool{pool: Pool[Node]{apart: true}} }

// At returns the node that has a number, as [Pool.At] does.
func (p *NodePool) At(number uint32) *Node { return p.pool.At(number) }

// Keep returns the number of n, which must not be the zero Node, as [Pool.Keep] does.
func (p *NodePool) Keep(n Node) uint32 {
	if !p.pool.apart && p.last < p.pool.count && *p.At(p.last) == n {
		p.pool.at(p.last).users++
	} else {
		p.last = p.pool.Keep(n, hash.Of(n.Name)^hash.Mix(n.Boot)^hash.Of(n.Unique)<<1)
	}
	return p.last
}

// Drop ends one keeping of a number.
func (p *NodePool) Drop(number uint32) { p.pool.Drop(number) }

// Pin returns the copy of n that p keeps from now on for good. A nil NodePool keeps none: then
// it is a new one.
func (p *NodePool) Pin(n Node) *Node {
	if p == nil {
		kept := n
		return &kept
	}
	return p.At(p.Keep(n))
}
