package remote

import "github.com/topos-go/topos/actor"

// deadLetters is a System that reports messages that nobody will handle.
type deadLetters interface{ DeadLetter(d actor.DeadLetter) }

// bury makes a dead letter of a message that was sent on this node.
func (n *Node) bury(sig *actor.Signal, reason error) {
	sys, ok := n.sys.(deadLetters)
	if !ok {
		return
	}
	var to actor.Address = sig.To
	if sig.To == (actor.PID{}) {
		to = sig.Name
	}
	sys.DeadLetter(actor.DeadLetter{To: to, From: sig.From, Message: sig.Msg, Reason: reason})
}

// dropped accounts for a message dropped to make room.
func (n *Node) dropped(l *letter) {
	n.stats.dropped.Add(1)
	n.bury(&l.sig, ErrQueueFull)
}

// superseded accounts for a message replaced by a newer one.
func (n *Node) superseded(l *letter) {
	n.stats.replaced.Add(1)
	n.bury(&l.sig, ErrReplaced)
}
