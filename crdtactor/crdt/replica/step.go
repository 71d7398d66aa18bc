package replica

// Step takes in a message of another replica. It reports whether it was one;
// what is malformed is counted and has no effect.
func (c *Core[S]) Step(msg any) bool {
	switch m := msg.(type) {
	case Delta:
		c.delta(m)
	case Ack:
		c.ack(m)
	case Root:
		c.compare(m)
	case Pull:
		c.answer(m)
	case Branches:
		c.branch(m)
	case Answer:
		c.answered(m)
	case Write:
		c.write(m)
	case Wrote:
		c.wrote(m)
	case Outdated:
		if m.Of == string(c.cfg.ID) {
			c.out.Outdated = m.Latest
		}
	case Roster:
		c.enroll(m)
	default:
		return false
	}
	return true
}

// Tick is to be called from time to time: a period is how long a loss may last.
// It sends again what was not acknowledged and lets the neighbors know what is
// here.
func (c *Core[S]) Tick() {
	for _, h := range c.holds {
		if h.pull != nil {
			h.pull.age++
		}
	}
	clear(c.briefed)
	c.Work()
	c.compact()
	c.fold()
	c.closeBooks()
	c.sweep()
	c.again()
	c.Flush()
	if !c.moves.busy() {
		root := c.root(false)
		for _, node := range c.neighbors {
			c.send(node, root)
		}
	}
	for _, w := range c.writes {
		c.press(w, true)
	}
}
