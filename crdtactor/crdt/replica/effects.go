package replica

// Envelope is a message to the replica on another node.
type Envelope struct {
	To  string
	Msg any
}

// Effects is what a Core wants done. The slices are the taker's.
type Effects struct {
	// Out is to be sent. Any of it may be lost, doubled, delayed or reordered.
	Out []Envelope
	// Done are the tickets of writes that are held as they asked for.
	Done []uint64
	// Fresh are the nodes whose state, as of when they were asked, is held now.
	Fresh []string
	// Changed are the keys whose states have changed, some perhaps twice; see
	// [Core.Watch].
	Changed []string
	// Outdated is the id of a later replica of this node, if others know one:
	// they take nothing in from this one. It comes of a clock that went back, or
	// of two that run at the same time, and this one must end. So it must if its
	// node was forgotten: then it is its own id.
	Outdated string
	// Malformed counts messages that could not be decoded.
	Malformed int
}

// Take returns what is to be done since it was called last.
func (c *Core[S]) Take() Effects {
	out := c.out
	c.out = Effects{}
	return out
}

// Idle reports whether Take would return nothing.
func (c *Core[S]) Idle() bool {
	return c.out.Out == nil && c.out.Done == nil && c.out.Fresh == nil && c.out.Changed == nil && c.out.Malformed == 0 && c.out.Outdated == ""
}
