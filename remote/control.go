package remote

import (
	"errors"
	"fmt"
	"sync"
	"unique"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/wire"
)

// ControlFunc handles the payloads of one topic. It is called with the payloads
// of one node one after the other, in the order sent, and of several nodes at
// once. The payload is its own. It must not wait for another node: while it
// runs, nothing else on the control lane of that node is handled.
type ControlFunc func(from actor.NodeID, payload []byte)

// topicTable knows who handles what.
type topicTable struct {
	mu     sync.RWMutex
	byName map[string]ControlFunc
}

func (t *topicTable) init() { t.byName = make(map[string]ControlFunc) }

func (t *topicTable) find(topic string) ControlFunc {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byName[topic]
}

// maxTopic bounds a topic's name in bytes.
const maxTopic = 255

// HandleControl lets f handle what other nodes send to topic with
// [Node.SendControl], in place of who did so before; a nil f lets nobody.
// It should be called before [Node.Start]: what arrives for a topic without a
// handler is counted and dropped.
//
// For one node, f is called after subscribers have been told that it is up, and
// not any more once they are told that it is down.
func (n *Node) HandleControl(topic string, f ControlFunc) {
	n.topics.mu.Lock()
	defer n.topics.mu.Unlock()
	if f == nil {
		delete(n.topics.byName, topic)
		return
	}
	n.topics.byName[topic] = f
}

// SendControl sends payload to the handler of topic on another node. It is for
// the layers between the kernel and the network, such as the registry.
//
// Payloads travel on a lane of their own, called control. Between two node
// incarnations they arrive once each and in the order sent, over all topics,
// until one of the nodes is down for the other; lost connections are made good.
// There is no order between them and the messages of processes. payload must
// not be changed afterwards.
//
// SendControl does not wait. The error wraps actor.ErrNoConnection if node is
// not a known node (or is this one), ErrTooLarge, or ErrQueueFull.
func (n *Node) SendControl(node actor.NodeID, topic string, payload []byte) error {
	if topic == "" || len(topic) > maxTopic {
		return fmt.Errorf("remote: topic %q must have 1 to %d bytes", topic, maxTopic)
	}
	p := n.peers.find(unique.Make(node))
	if _, id := n.peers.member(node.Name); p == nil && node.Name != "" && id == node {
		p, _ = n.peers.ensure(n, node)
	}
	if p == nil {
		return n.unknown(node.Name)
	}
	if limit := p.limit(); len(payload) > limit {
		n.stats.tooLarge.Add(1)
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(payload), limit)
	}
	head := wire.Append(nil, wire.KindControl, &wire.Control{Topic: topic}, len(payload))
	err := p.control.push(outgoing{frame: head, payload: payload}, sameKey{}, &wait{})
	switch {
	case errors.Is(err, ErrNotMember) && p.released.Load():
		return n.SendControl(node, topic, payload) // over another peer
	case errors.Is(err, ErrQueueFull):
		n.stats.queueFull.Add(1)
	case errors.Is(err, ErrNotMember):
		return fmt.Errorf("%w: %w", actor.ErrNoConnection, err)
	case err == nil:
		n.stats.controlSent.Add(1)
	}
	return err
}

// receiveControl hands a payload to its handler.
func (n *Node) receiveControl(p *peer, f wire.Frame) error {
	var m wire.Control
	if err := m.Unmarshal(f.Head); err != nil {
		return fmt.Errorf("remote: malformed control frame: %w", err)
	}
	handle := n.topics.find(m.Topic)
	if handle == nil {
		n.stats.unhandled.Add(1)
		n.quiet.warn("no handler for a topic", "topic", m.Topic, "from", p.id)
		return nil
	}
	payload := f.Payload
	if !f.Fresh {
		payload = append([]byte{}, payload...)
	}
	n.stats.controlReceived.Add(1)
	handle(p.id, payload)
	return nil
}
