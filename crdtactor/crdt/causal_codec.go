package crdt

import (
	"encoding/binary"
	"slices"
	"sort"
)

// shape is how the tree of a type looks: what an encoding must match.
type shape struct {
	kinds string // the letters the encoding begins with, outermost first
	depth int    // how deep below the root the births lie
	runs  bool   // whether births carry runs
}

// encode returns the encoding: the kinds, the context, the tree. The replicas
// of the context are the table that dots in the tree refer to.
func (c *causal) encode(s shape) []byte {
	seen := c.context()
	b := appendContext(s.kinds, seen)
	return appendTree(b, c.tree(), s.depth, s.runs, seen)
}

func appendTree(b []byte, n *node, depth int, runs bool, seen *CausalContext) []byte {
	if depth == 0 {
		b = binary.AppendUvarint(b, uint64(len(n.births)))
		for i := range n.births {
			b = appendBirth(b, &n.births[i], runs, seen)
		}
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(n.kids)))
	for _, name := range n.names() {
		b = appendString(b, name)
		b = appendTree(b, n.kids[name], depth-1, runs, seen)
	}
	return b
}

func appendBirth(b []byte, of *birth, runs bool, seen *CausalContext) []byte {
	i, _ := seen.find(of.Replica)
	b = binary.AppendUvarint(b, uint64(i))
	b = binary.AppendUvarint(b, of.Seq)
	if runs {
		b = binary.AppendUvarint(b, of.adds)
		b = binary.AppendVarint(b, of.total)
		b = binary.AppendUvarint(b, of.gone)
		if of.gone > 0 {
			b = binary.AppendVarint(b, of.lost)
		}
	}
	return b
}

// decodeCausal returns the state in data.
func decodeCausal(data []byte, s shape) (causal, error) {
	r := reader{rest: data}
	c := fresh()
	c.book.seen = r.context(s.kinds)
	var dots []Dot
	r.tree(c.root, s.depth, s.runs, &c.book.seen, &dots)
	if err := r.end(); err != nil {
		return causal{}, err
	}
	sort.Slice(dots, func(i, j int) bool { return dots[i].Compare(dots[j]) < 0 })
	if len(slices.Compact(slices.Clone(dots))) != len(dots) {
		r.fail("dot that lives twice")
	}
	r.settled(&c.book.seen, func(replica ReplicaID) (n uint64) {
		for _, d := range dots {
			if d.Replica == replica {
				n++
			}
		}
		return n
	})
	if r.err != nil {
		return causal{}, r.err
	}
	return c, nil
}

// tree takes what lives in n and below, appending every dot it meets to dots.
func (r *reader) tree(n *node, depth int, runs bool, seen *CausalContext, dots *[]Dot) {
	if depth == 0 {
		r.births(n, runs, seen)
		for i := range n.births {
			*dots = append(*dots, n.births[i].Dot)
		}
		return
	}
	kids := r.count(4) // an empty name and one dot
	if kids > 0 {
		n.kids = make(map[string]*node, kids)
	}
	previous := ""
	for i := range kids {
		kid := &node{name: r.text(), up: n}
		ascending(r, i, previous, kid.name)
		r.tree(kid, depth-1, runs, seen, dots)
		if kid.empty() {
			r.fail("place where nothing lives")
		}
		if r.err != nil {
			return
		}
		n.kids[kid.name] = kid
		previous = kid.name
	}
}

// births takes the dots that live in a leaf.
func (r *reader) births(n *node, runs bool, seen *CausalContext) {
	size := 2 // replica and sequence number
	if runs {
		size = 5
	}
	count := r.count(size)
	if count == 0 {
		return
	}
	n.births = make([]birth, 0, count)
	for i := range count {
		b := r.birth(runs, seen)
		if i > 0 && r.err == nil && n.births[i-1].Compare(b.Dot) >= 0 {
			r.fail("dots not in order")
		}
		if r.err != nil {
			return
		}
		n.births = append(n.births, b)
	}
}

func (r *reader) birth(runs bool, seen *CausalContext) birth {
	var b birth
	i := r.uvarint()
	if i >= uint64(len(seen.known)) {
		r.fail("replica %d of %d", i, len(seen.known))
		return b
	}
	b.Dot = Dot{seen.known[i].replica, r.uvarint()}
	if !seen.known[i].seqs.contains(b.Seq) {
		r.fail("living dot that nobody has seen")
	}
	if !runs {
		return b
	}
	if b.adds = r.upTo(maxSeq); b.adds == 0 {
		r.fail("run without additions")
	}
	b.total = r.varint()
	if b.gone = r.upTo(b.adds); b.gone > 0 {
		b.lost = r.varint()
	}
	return b
}

// decode replaces c by the state in data; an error leaves it alone.
func (c *causal) decode(data []byte, s shape) error {
	decoded, err := decodeCausal(data, s)
	if err == nil {
		*c = decoded
	}
	return err
}
