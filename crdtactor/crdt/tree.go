package crdt

import (
	"slices"
	"sort"
)

// node is a place in a causal state: the element of a set, the key of a map,
// the value of a register, the item of a cart. Dots live in the leaves, which
// all lie at the depth that the type of the state prescribes.
//
// Invariant: below the root, a node that hangs in the tree has kids or births,
// so absence needs no trace. A node that has neither is detached: it knows its
// way up, but up does not know it until something is born there.
type node struct {
	name   string
	up     *node // nil at the root
	kids   map[string]*node
	births []birth // sorted by dot
}

// birth is a dot that is alive, and what it has counted if it lives in a
// counter.
type birth struct {
	Dot
	run
}

// kid returns the child of that name, detached if there is none.
func (n *node) kid(name string) *node {
	if k := n.kids[name]; k != nil {
		return k
	}
	return &node{name: name, up: n}
}

// names returns the names of the children, sorted.
func (n *node) names() []string {
	if len(n.kids) == 0 {
		return nil
	}
	names := make([]string, 0, len(n.kids))
	for name := range n.kids {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// empty reports whether nothing lives in n or below.
func (n *node) empty() bool { return len(n.births) == 0 && len(n.kids) == 0 }

// attach makes a node that was detached hang in the tree.
func (n *node) attach() {
	for ; n.up != nil && n.up.kids[n.name] != n; n = n.up {
		if n.up.kids == nil {
			n.up.kids = make(map[string]*node, 1)
		}
		n.up.kids[n.name] = n
	}
}

// prune takes n out of the tree if it is empty, and whatever that leaves empty.
func (n *node) prune() {
	for ; n.up != nil && n.empty(); n = n.up {
		if n.up.kids[n.name] == n {
			delete(n.up.kids, n.name)
		}
	}
}

// place returns where dot stands among the births, or would.
func (n *node) place(dot Dot) (int, bool) {
	i := sort.Search(len(n.births), func(i int) bool { return n.births[i].Compare(dot) >= 0 })
	return i, i < len(n.births) && n.births[i].Dot == dot
}

// birth returns the living dot, or nil. The pointer is good until the next
// birth or death.
func (n *node) birth(dot Dot) *birth {
	if i, ok := n.place(dot); ok {
		return &n.births[i]
	}
	return nil
}

// same returns the node of another tree, rooted at root, that lies where n lies
// in its own; nil if there is none.
func (n *node) same(root *node) *node {
	if n.up == nil {
		return root
	}
	if above := n.up.same(root); above != nil {
		return above.kids[n.name]
	}
	return nil
}

// each calls visit for every birth in n and below, in no particular order.
// Visit must not change the tree.
func (n *node) each(visit func(*node, *birth)) {
	for i := range n.births {
		visit(n, &n.births[i])
	}
	for _, kid := range n.kids {
		kid.each(visit)
	}
}

// present reports whether anything but spent runs lives in n or below.
func (n *node) present() bool {
	for i := range n.births {
		if !n.births[i].spent() {
			return true
		}
	}
	for _, kid := range n.kids {
		if kid.present() {
			return true
		}
	}
	return false
}

// clone returns a copy below up.
func (n *node) clone(up *node) *node {
	c := &node{name: n.name, up: up, births: slices.Clone(n.births)}
	if len(n.kids) > 0 {
		c.kids = make(map[string]*node, len(n.kids))
		for name, kid := range n.kids {
			c.kids[name] = kid.clone(c)
		}
	}
	return c
}

// equal reports whether the same dots live in the same places.
func (n *node) equal(other *node) bool {
	if len(n.kids) != len(other.kids) || !slices.Equal(n.births, other.births) {
		return false
	}
	for name, kid := range n.kids {
		if twin := other.kids[name]; twin == nil || !kid.equal(twin) {
			return false
		}
	}
	return true
}
