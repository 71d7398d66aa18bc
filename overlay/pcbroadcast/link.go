package pcbroadcast

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// out says what this node does with a link's outgoing direction.
type out uint8

const (
	// silent: the other end has not said hello. Messages are kept.
	silent out = iota
	// trying: messages are kept, until it is proven that the other end has
	// settled all that went before.
	trying
	// safe: messages are sent.
	safe
	// resting: nothing is sent or kept until the link is tried again.
	resting
)

// link is a link to another node. Its two directions have nothing to do with
// each other.
type link struct {
	node         overlay.Node
	mine, theirs uint64 // what the two ends call the link

	open   bool   // a stream comes in
	stream uint64 // its number, given by the other end
	asked  int    // how often the other end was asked for one
	begs   bool   // the other end has asked for one
	// wanted is what the other end has asked about under number question, and is
	// not settled.
	wanted   map[string]Mark
	question uint64

	out    out
	opened uint64  // the number of the stream that goes out
	buffer []*item // if silent or trying
	// since is the number of the first ping, first that of the first one that
	// proves the link safe, last that of the last one.
	since, first, last uint64
	round              int
	astray             bool // the last ping had no way
	late               bool // a ping came back when the buffer had overflowed
	due                time.Time
}

// item is part of a stream. It is shared by all buffers that it is in.
type item struct {
	body   Body
	origin overlay.Node // to which it need not be sent
	before []Mark       // how far the names in it were settled before it
}

func (c *Core[T]) find(node overlay.Node) (int, bool) {
	return slices.BinarySearchFunc(c.links, node, func(l *link, n overlay.Node) int { return l.node.Compare(n) })
}

func (c *Core[T]) link(node overlay.Node) *link {
	if i, ok := c.find(node); ok {
		return c.links[i]
	}
	return nil
}

// number returns a number for a link, which is greater than all before.
func (c *Core[T]) number() uint64 {
	c.numbers++
	return c.numbers
}

func (c *Core[T]) send(l *link, body Body) {
	to := l.theirs
	if _, ok := body.(Hello); ok {
		to = 0
	}
	c.emit(Send{l.node, Message{to, body}})
}

func (c *Core[T]) linkUp(node overlay.Node) {
	if node.IsZero() || node == c.cfg.Self {
		return
	}
	i, ok := c.find(node)
	switch {
	case ok:
		c.links[i] = &link{node: node}
	case len(c.links) >= c.cfg.MaxLinks:
		c.emit(Unsafe{node, ErrTooManyLinks})
		return
	default:
		c.links = slices.Insert(c.links, i, &link{node: node})
	}
	l := c.links[i]
	l.mine = c.number()
	c.send(l, Hello{Mine: l.mine})
}

func (c *Core[T]) linkDown(node overlay.Node) {
	if i, ok := c.find(node); ok {
		c.links = slices.Delete(c.links, i, i+1)
	}
}

// hello learns what the other end calls the link. If that is a greater number
// than before, what was before was from an earlier link. The answer tells the
// other end this one's number, unless it knows; only a [LinkUp] changes a number,
// so answers come to an end.
func (c *Core[T]) hello(l *link, m Hello) {
	if m.Mine < l.theirs || m.Mine == 0 {
		return // it is from an earlier link
	}
	if m.Yours != l.mine {
		c.send(l, Hello{Mine: l.mine, Yours: m.Mine})
	}
	if m.Mine > l.theirs {
		var buffer []*item
		if l.out == silent {
			buffer = l.buffer
		}
		*l = link{node: l.node, mine: l.mine, theirs: m.Mine}
		c.start(l, buffer)
	}
}

// received handles what came over l, if it is l's.
func (c *Core[T]) received(l *link, m Message) {
	if hello, ok := m.Body.(Hello); ok {
		c.hello(l, hello)
		return
	}
	if m.Link != l.mine || l.theirs == 0 {
		return
	}
	switch body := m.Body.(type) {
	case Data[T]:
		c.data(l, body)
	case Skip:
		c.skip(l, body)
	case Ping:
		c.ping(l, body)
	case Open:
		c.opening(l, body)
	case Shut:
		l.open = false
	case Refuse:
		c.refused(l, body)
	case Ask:
		c.question(l, body)
	case Pong:
		c.pong(l, body)
	case Adopt:
		l.begs = true
	}
}
