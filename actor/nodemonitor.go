package actor

import "fmt"

// NodeDown is the message a node monitor sends when its node is lost, or is
// not known to begin with. It comes after every message and signal that came
// from the node.
type NodeDown struct {
	// Ref is what [Self.MonitorNode] returned.
	Ref MonitorRef
	// Node is the incarnation that is lost; without an Incarnation if none was
	// known.
	Node NodeID
	// Reason is ErrNoConnection, or wraps it and says how the loss was noticed.
	Reason error
}

// MonitorNode asks for one [NodeDown] when node is lost: it crashed, left, was
// restarted or cannot be reached any more. Without an Incarnation it means the
// one that runs now. If there is none, the NodeDown comes at once. The own node
// is never lost. The monitor ends with the NodeDown or by [Self.Demonitor]; each
// has a NodeDown of its own, which [Self.AwaitDown] returns as a Down of no
// address. It is OTP's monitor_node/2. By what the loss is noticed is for opts to say.
func (s *Self) MonitorNode(node NodeID, opts ...NodeMonitorOption) MonitorRef {
	p := s.proc()
	ref := MonitorRef{p.sys.refs.Add(1)}
	own := p.sys.node.Value()
	if node == own || node == (NodeID{Name: own.Name}) {
		node = own
	}
	if len(opts) > 0 && node != own {
		h := &heart{owner: p.pid(), node: node}
		for _, set := range opts {
			set(h)
		}
		p.monitorByHeart(ref, h)
		return ref
	}
	to := nodeTarget(node)
	if !p.addMonitor(ref, &monitoring{of: wholeNode(node), target: to.pid, node: to.at.Node}, to, node != own) {
		return ref
	}
	var err error
	switch {
	case node == own:
	case node.Name == own.Name:
		err = fmt.Errorf("%w: %v is another start of this node", ErrNoConnection, node)
	default:
		// The other node does nothing about it: this only makes sure that there
		// is a connection, of which NodeDown can say that it is lost.
		err = p.sys.route(Signal{Kind: SignalMonitor, From: p.pid(), To: to.pid, Name: to.at, Ref: ref.id})
	}
	if err != nil {
		p.monitorDown(ref, err, nil)
	}
	return ref
}

// wholeNode is the address of a node itself.
type wholeNode NodeID

func (wholeNode) address() {}

// nodeTarget is where signals to a node itself go: to no process.
func nodeTarget(node NodeID) target {
	if node.Incarnation == (Incarnation{}) {
		return target{at: NameAt{Node: node.Name}}
	}
	return target{pid: PID{node: makeHandle(node)}}
}

// toNode reports whether sig is for no process but for a node itself.
func (sig *Signal) toNode() bool { return sig.To.id == 0 && sig.Name.Name == "" }

// downMessage is the message of a monitor of of that has fired.
func downMessage(ref MonitorRef, of Address, reason error) any {
	if node, ok := of.(wholeNode); ok {
		return NodeDown{Ref: ref, Node: NodeID(node), Reason: reason}
	}
	return Down{Ref: ref, Of: of, Reason: reason}
}
