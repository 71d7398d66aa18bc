package remote

import (
	"fmt"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote/wire"
)

const (
	// measureAge is how long an echo is waited for: longer than the overlay does.
	measureAge = 10 * time.Second
	// maxMeasures bounds the echoes that are waited for: more than the overlay asks
	// for in that time.
	maxMeasures = 256
)

// measures are the round trips that the overlay wants to know of. Their numbers are the
// driver's own. It is of the goroutine drive.
type measures struct {
	next  uint64
	asked []measure // the oldest first
}

// measure is an echo that was asked for.
type measure struct {
	node   overlay.Node
	number uint64
	at     time.Time
	// linked says that there was a connection for it, so that it takes as long as any
	// message. If not, another one is asked for over the connection that was made.
	linked bool
}

// echoed is an answer that has come.
type echoed struct {
	peer   *peer
	number uint64
	at     time.Time
}

// measure asks node for an echo. It may not come.
func (n *Node) measure(node overlay.Node, linked bool) {
	m, now := &n.measures, time.Now()
	for len(m.asked) > 0 && (len(m.asked) >= maxMeasures || now.Sub(m.asked[0].at) >= measureAge) {
		m.asked = m.asked[1:]
	}
	p, _ := n.peers.ensure(n, nodeID(node))
	if p == nil {
		return
	}
	m.next++
	if !p.post(echo(membershipEcho, m.next)) {
		return // there is no way but over others, which is not to be measured
	}
	m.asked = append(m.asked, measure{node: node, number: m.next, at: now, linked: linked || p.membership.connected()})
}

func echo(kind uint32, number uint64) []byte {
	return wire.Append(nil, wire.KindMembership, &wire.Membership{Kind: kind, Seq: number}, 0)
}

// receiveEcho answers on the goroutine that reads, so that drive's work does not count
// as the network's.
func (n *Node) receiveEcho(p *peer, w *wire.Membership) error {
	switch {
	case w.Seq == 0:
		return fmt.Errorf("remote: malformed echo of kind %d", w.Kind)
	case w.Kind == membershipEcho:
		p.post(echo(membershipEchoed, w.Seq))
	default:
		n.post(echoed{p, w.Seq, time.Now()})
	}
	return nil
}

// measured tells the overlay how long an echo has taken.
func (n *Node) measured(e echoed) {
	node := overlayNode(e.peer.id)
	for i, m := range n.measures.asked {
		if m.number != e.number || m.node != node {
			continue
		}
		n.measures.asked = append(n.measures.asked[:i:i], n.measures.asked[i+1:]...)
		if m.linked {
			n.step(overlay.RTT{Node: node, RTT: e.at.Sub(m.at)})
		} else {
			n.measure(node, true)
		}
		return
	}
}
