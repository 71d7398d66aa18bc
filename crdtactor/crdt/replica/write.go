package replica

// write is a change that waits until enough replicas hold it.
type write[S any] struct {
	ticket  uint64
	seq     uint64 // in the log
	direct  bool   // it is not what the log has under seq
	item    Item   // encoded when first needed
	delta   S
	copies  int
	batch   uint64          // of what is saved
	holders map[string]bool // the other nodes known to hold it
	tries   int
}

// Hold asks for the ticket in Effects.Done once the change that the last
// [Core.Update] made is held by as many replicas as copies says, this one
// included. If that Update changed nothing, the state as it found it must be
// held: a write that is tried again is only done when the first try's is.
// Tickets are the caller's choice.
func (c *Core[S]) Hold(ticket uint64, key string, changed bool, copies int) {
	w := &write[S]{ticket: ticket, seq: c.log.seq, copies: copies, batch: c.saving.needed(),
		holders: make(map[string]bool), item: Item{Key: key}}
	switch e := c.find(key); {
	case changed && len(c.log.changes) > 0:
		w.delta = c.log.changes[len(c.log.changes)-1].delta
	case e != nil:
		w.direct, w.delta = true, e.state.Clone()
	default: // there is nothing to hold
		c.out.Done = append(c.out.Done, ticket)
		return
	}
	c.writes = append(c.writes, w)
	if w.direct || len(c.neighbors) < copies-1 {
		c.press(w, w.direct)
	}
	c.finish()
}

// Drop forgets a ticket: nobody waits any more.
func (c *Core[S]) Drop(ticket uint64) {
	for i, w := range c.writes {
		if w.ticket == ticket {
			c.writes = append(c.writes[:i:i], c.writes[i+1:]...)
			return
		}
	}
}

// spare is how many members more than needed are sent a write at a time, in
// case some are lost.
const spare = 4

// press sends w by itself to members that are not known to hold it, others each
// time. Those that are neighbors, if not all are meant, hear of it by the log.
func (c *Core[S]) press(w *write[S], all bool) {
	left := w.copies - 1 - len(w.holders)
	if left <= 0 {
		return
	}
	if w.item.Data == nil {
		w.item.Data = encode(w.delta)
	}
	left += spare
	m := Write{Node: c.cfg.Node, ID: string(c.cfg.ID), Settled: c.settled, Seq: w.ticket, Item: w.item}
	for i := range c.members {
		node := c.members[(w.tries+i)%len(c.members)]
		if w.holders[node] || !all && c.peers[node] != nil {
			continue
		}
		c.send(node, m)
		if left--; left == 0 {
			w.tries += i + 1
			return
		}
	}
}

// write takes in a change that was sent by itself.
func (c *Core[S]) write(m Write) {
	if c.meet(m.Node, m.ID) && c.comparable(m.Node, m.Settled) && c.join(m.Item, m.Node) {
		c.confirm(m.Node, Wrote{Node: c.cfg.Node, ID: string(c.cfg.ID), Of: m.ID, Seq: m.Seq})
	}
}

// wrote notes that another replica holds a change that was sent by itself.
func (c *Core[S]) wrote(m Wrote) {
	if m.Of != string(c.cfg.ID) || !c.meet(m.Node, m.ID) {
		return
	}
	for _, w := range c.writes {
		if w.ticket == m.Seq {
			w.holders[m.Node] = true
		}
	}
	c.finish()
}

// finish reports the writes that are done.
func (c *Core[S]) finish() {
	kept := c.writes[:0]
	for _, w := range c.writes {
		if 1+len(w.holders) < w.copies || c.cfg.Durable && c.saving.saved < w.batch {
			kept = append(kept, w)
		} else {
			c.out.Done = append(c.out.Done, w.ticket)
		}
	}
	clear(c.writes[len(kept):])
	c.writes = kept
}
