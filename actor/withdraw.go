package actor

import "errors"

// A request to another node that is given up is withdrawn there: whoever handles
// it hears of it by its context. The request's number is, as it were, that of a
// monitor too, and is taken back as one, by a SignalDemonitor on the request's way.
// What a deadline ends needs none: it ends on both nodes by itself. The default one
// does need it: the other node knows of no deadline then, nor when the call began.

// errWithdrawn completes a request from another node whose caller has given up,
// or is lost with its node. Nobody is told.
var errWithdrawn = errors.New("actor: caller has given up")

// settleAbroad ends what is kept of c, a request of from to another node that is
// complete with err, and withdraws it if nobody there has answered.
func (c *call) settleAbroad(from *process, err error) {
	sent, open := c.sys.peers.takeCall(c.abroad)
	ref := c.abroad
	c.abroad = 0
	if !open || sent.child != nil || err == ErrTimeout && !c.deadline.IsZero() {
		return
	}
	sig := Signal{Kind: SignalDemonitor, To: sent.to.pid, Name: sent.to.at, Ref: ref, Via: Delivery{Channel: c.via.Channel, Key: c.via.Key}}
	if from != nil {
		sig.From = from.pid()
	}
	_ = c.sys.route(sig) // if it cannot be sent, nor could the request, or the node is lost
}

// withdraw ends a request of p's from another node, whose caller has given up.
func (p *process) withdraw(node NodeHandle, ref uint64) {
	var found callRef
	p.mu.Lock()
	if a := p.annex.Load(); a != nil {
		if c := a.calls.find(watchKey{ref, node}); c != nil {
			found = c.ref()
		}
	}
	p.mu.Unlock()
	found.complete(nil, errWithdrawn, false)
}

// callsFrom are the requests in custody that came from node. process.mu is held.
func (a *annex) callsFrom(node NodeHandle) (calls []callRef) {
	for c := a.calls.first; c != nil; c = c.next {
		if c.origin.node == node {
			calls = append(calls, c.ref())
		}
	}
	return calls
}
