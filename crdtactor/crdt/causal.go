package crdt

import "slices"

// causal is the kernel of every type that can remove: living dots in a tree,
// and the context of all dots ever heard of. For each place and dot it is in
// one of three conditions, and Join takes the greater:
//
//	unknown (dot not in context)  <  alive (in the tree)  <  dead (in context, not in the tree)
//
// An alive dot may carry a run, which has its own join. That is the whole
// algorithm; everything below makes it cost what the delta costs.
//
// Several maps deep, a value shares the book of the outermost state and has a
// root inside that state's tree. The zero causal is an empty state.
//
// Invariants:
//
//  1. every dot in the tree is in the context;
//  2. a dot lives in at most one place;
//  3. births lie at the depth of the type's shape, and carry runs or not as
//     the shape says.
type causal struct {
	book *book
	root *node
}

// book is what a state knows besides its tree.
type book struct {
	seen  CausalContext
	index *index // built when first needed: most deltas never need one
}

// index finds dots without searching the tree.
type index struct {
	home  map[Dot]*node              // the leaf each living dot lives in
	spent map[ReplicaID]map[Dot]bool // the spent runs of each replica
}

// open makes a zero causal ready for changes.
func (c *causal) open() {
	if c.book == nil {
		c.book, c.root = new(book), new(node)
	}
}

// fresh returns an empty state to build a delta in.
func fresh() causal { return causal{new(book), new(node)} }

// tree returns the root for reading.
func (c *causal) tree() *node {
	if c.root == nil {
		return new(node)
	}
	return c.root
}

// context returns the context for reading.
func (c *causal) context() *CausalContext {
	if c.book == nil {
		return new(CausalContext)
	}
	return &c.book.seen
}

// IsZero reports whether the state holds nothing and knows of nothing: such a
// delta need not be sent. A state from which everything was removed is not
// zero.
func (c *causal) IsZero() bool { return c.context().IsZero() }

// mustBeWhole panics when c is a value inside a map. Such a value shares the
// map's context and so claims its siblings' dots without having its siblings.
func (c *causal) mustBeWhole() {
	if c.root != nil && c.root.up != nil {
		panic("crdt: a value inside an ORMap is no state of its own; join or return its deltas")
	}
}

// indexed returns the index, building it if there is none.
func (c *causal) indexed() *index {
	if c.book.index == nil {
		x := &index{home: make(map[Dot]*node), spent: make(map[ReplicaID]map[Dot]bool)}
		top := c.root
		for top.up != nil {
			top = top.up
		}
		top.each(func(n *node, b *birth) {
			x.home[b.Dot] = n
			x.note(b)
		})
		c.book.index = x
	}
	return c.book.index
}

// note records whether b is spent.
func (x *index) note(b *birth) {
	dots := x.spent[b.Replica]
	switch spent := b.spent(); {
	case spent && dots == nil:
		x.spent[b.Replica] = map[Dot]bool{b.Dot: true}
	case spent:
		dots[b.Dot] = true
	case dots != nil:
		x.forget(b.Dot)
	}
}

// forget removes a dot from the spent ones.
func (x *index) forget(dot Dot) {
	dots := x.spent[dot.Replica]
	delete(dots, dot)
	if len(dots) == 0 {
		delete(x.spent, dot.Replica)
	}
}

// bear makes b live at n, which hangs in the tree from then on.
func (c *causal) bear(n *node, b birth) {
	c.book.seen.Add(b.Dot)
	i, _ := n.place(b.Dot)
	n.births = slices.Insert(n.births, i, b)
	n.attach()
	if x := c.book.index; x != nil {
		x.home[b.Dot] = n
		x.note(&b)
	}
}

// touched must follow every change of a run.
func (c *causal) touched(b *birth) {
	if x := c.book.index; x != nil {
		x.note(b)
	}
}

// kill ends the life of a dot at n.
func (c *causal) kill(n *node, dot Dot) {
	if i, ok := n.place(dot); ok {
		n.births = slices.Delete(n.births, i, i+1)
		n.prune()
	}
	c.book.seen.drop(dot)
	if x := c.book.index; x != nil {
		delete(x.home, dot)
		x.forget(dot)
	}
}

// clear kills every plain dot in n and below and claims it in delta, so that
// the delta kills it elsewhere too. Runs of replica die likewise: it knows of
// every addition it made. Runs of others are cancelled as far as seen, here
// and, at twin, in delta.
func (c *causal) clear(n *node, replica ReplicaID, delta *causal, twin *node) {
	for _, b := range slices.Clone(n.births) {
		switch {
		case b.plain() || c.book.seen.owns(replica, b.Replica):
			c.kill(n, b.Dot)
			delta.book.seen.Add(b.Dot)
		case !b.spent():
			mine := n.birth(b.Dot)
			mine.cancel()
			c.touched(mine)
			delta.bear(twin, *mine)
		}
	}
	for name, kid := range n.kids {
		c.clear(kid, replica, delta, twin.kid(name))
	}
}

// replace kills every dot in n and makes a new one of replica live there, here
// and, at twin, in delta.
func (c *causal) replace(n *node, replica ReplicaID, delta *causal, twin *node) {
	c.clear(n, replica, delta, twin)
	next := birth{Dot: c.book.seen.Next(replica)}
	c.bear(n, next)
	delta.bear(twin, next)
}

// sweep kills the spent runs of replica, claiming them in delta.
func (c *causal) sweep(replica ReplicaID, delta *causal) {
	x := c.indexed()
	if c.book.seen.wholes == 0 {
		c.sweepOf(x, replica, delta)
		return
	}
	for other := range x.spent {
		if c.book.seen.owns(replica, other) {
			c.sweepOf(x, other, delta)
		}
	}
}

func (c *causal) sweepOf(x *index, replica ReplicaID, delta *causal) {
	for dot := range x.spent[replica] {
		c.kill(x.home[dot], dot)
		delta.book.seen.Add(dot)
	}
}

// compact is the body of [Compactor].
func (c *causal) compact(replica ReplicaID) causal {
	delta := fresh()
	if c.book != nil {
		c.sweep(replica, &delta)
	}
	return delta
}

// join merges other into c and reports whether that changed c.
func (c *causal) join(other *causal) bool {
	c.mustBeWhole()
	other.mustBeWhole()
	if other.book == nil {
		return false
	}
	c.open()
	changed := c.bury(other)
	if c.adopt(c.root, other.root) {
		changed = true
	}
	wholes := c.book.seen.wholes
	if c.book.seen.Join(&other.book.seen) {
		changed = true
	}
	if c.book.seen.wholes > wholes {
		c.settle()
	}
	return changed
}

// bury kills what lives here and is dead in other. It looks at the dots of
// other's context or at those living here, whichever are fewer.
func (c *causal) bury(other *causal) bool {
	x := c.indexed()
	changed := false
	bury := func(dot Dot, home *node) {
		if twin := home.same(other.root); twin == nil || twin.birth(dot) == nil {
			c.kill(home, dot)
			changed = true
		}
	}
	if seen := &other.book.seen; seen.Len() <= uint64(len(x.home)) {
		for dot := range seen.All() {
			if home := x.home[dot]; home != nil {
				bury(dot, home)
			}
		}
	} else {
		for dot, home := range x.home {
			if seen.Contains(dot) {
				bury(dot, home)
			}
		}
	}
	return changed
}

// adopt takes in what lives in other: it is born here if unknown, and its run
// joined if alive; what is dead here stays dead. Bury must have run before.
func (c *causal) adopt(mine, theirs *node) bool {
	changed := false
	for i := range theirs.births {
		b := &theirs.births[i]
		if alive := mine.birth(b.Dot); alive != nil {
			if alive.join(b.run) {
				c.touched(alive)
				changed = true
			}
		} else if !c.book.seen.Contains(b.Dot) {
			c.bear(mine, *b)
			changed = true
		}
	}
	for name, kid := range theirs.kids {
		if c.adopt(mine.kid(name), kid) {
			changed = true
		}
	}
	return changed
}

// clone returns a copy that shares nothing with c.
func (c *causal) clone() causal {
	if c.book == nil {
		return causal{}
	}
	return causal{&book{seen: *c.book.seen.Clone()}, c.root.clone(nil)}
}

func (c *causal) equal(other *causal) bool {
	return c.context().Equal(other.context()) && c.tree().equal(other.tree())
}
