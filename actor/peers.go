package actor

import "sync"

// peerTable knows which local processes have links or monitors to which other
// node, in either direction, or requests from there, so that the loss of a node need not visit every
// process. It may name processes that have none any more; they ignore the loss.
type peerTable struct {
	mu     sync.Mutex
	byNode map[NodeHandle]map[processID]struct{}
	byName map[string]map[processID]struct{} // monitors of names at a node
	calls  map[uint64]remoteCall
	// errands are what other nodes have asked for and this one is about.
	errands map[NodeHandle]map[*errand]struct{}
}

// remoteCall is a request that waits for a reply from another node.
type remoteCall struct {
	ref   callRef
	to    target
	child *expected // of a spawn
}

func (t *peerTable) init() {
	t.byNode = make(map[NodeHandle]map[processID]struct{})
	t.byName = make(map[string]map[processID]struct{})
	t.calls = make(map[uint64]remoteCall)
	t.errands = make(map[NodeHandle]map[*errand]struct{})
}

func (t *peerTable) watch(node NodeHandle, id processID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watchLocked(node, id)
}

func (t *peerTable) watchLocked(node NodeHandle, id processID) {
	if t.byNode[node] == nil {
		t.byNode[node] = make(map[processID]struct{})
	}
	t.byNode[node][id] = struct{}{}
}

// watchFor is watch for the node that e comes from, unless that is lost since:
// then it returns why.
func (t *peerTable) watchFor(e *errand, id processID) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.lost == nil {
		t.watchLocked(e.Origin, id)
	}
	return e.lost
}

func (t *peerTable) begin(e *errand) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.errands[e.Origin] == nil {
		t.errands[e.Origin] = make(map[*errand]struct{})
	}
	t.errands[e.Origin][e] = struct{}{}
}

func (t *peerTable) finish(e *errand) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.errands[e.Origin], e)
}

func (t *peerTable) watchName(node string, id processID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byName[node] == nil {
		t.byName[node] = make(map[processID]struct{})
	}
	t.byName[node][id] = struct{}{}
}

// watchNode notes that p is concerned by the node of target. p.mu is held, so
// that p cannot be forgotten before it is noted.
func (p *process) watchNode(target target) {
	p.annex.Load().abroad = true
	if target.pid.IsZero() {
		p.sys.peers.watchName(target.at.Node, p.id)
	} else {
		p.sys.peers.watch(target.pid.node, p.id)
	}
}

// forget takes the process id, which has ended, out of the table.
func (t *peerTable) forget(id processID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, ids := range t.byNode {
		delete(ids, id)
	}
	for _, ids := range t.byName {
		delete(ids, id)
	}
}

// lost forgets node, which is lost for reason, and returns who was concerned.
func (t *peerTable) lost(node NodeHandle, reason error) (ids map[processID]struct{}, calls []callRef) {
	name := node.Value().Name
	t.mu.Lock()
	defer t.mu.Unlock()
	ids = t.byNode[node]
	delete(t.byNode, node)
	if ids == nil {
		ids = make(map[processID]struct{})
	}
	for id := range t.byName[name] {
		ids[id] = struct{}{}
	}
	delete(t.byName, name)
	for e := range t.errands[node] {
		e.lost = reason
	}
	delete(t.errands, node)
	for id, c := range t.calls {
		if at := c.to.pid.node; at == node || at == (NodeHandle{}) && c.to.at.Node == name {
			calls = append(calls, c.ref)
			delete(t.calls, id)
		}
	}
	return ids, calls
}

func (t *peerTable) addCall(id uint64, c remoteCall) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls[id] = c
}

func (t *peerTable) takeCall(id uint64) (remoteCall, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok := t.calls[id]
	delete(t.calls, id)
	return c, ok
}

// nodeLost fires p's links and monitors to node, and forgets node's to p and the
// requests that came from there.
func (p *process) nodeLost(node NodeHandle, reason error) {
	name := node.Value().Name
	p.mu.Lock()
	a := p.annex.Load()
	if a == nil {
		p.mu.Unlock()
		return
	}
	var links []PID
	for _, pid := range a.links.list() {
		if pid.node == node {
			links = append(links, pid)
		}
	}
	var refs []MonitorRef
	for ref, m := range a.monitors {
		if m.target.node == node || m.target.IsZero() && m.node == name {
			if _, whole := m.of.(wholeNode); whole {
				m.of = wholeNode(node.Value()) // its incarnation is known now
			}
			refs = append(refs, ref)
		}
	}
	for key := range a.watchers {
		if key.node == node {
			delete(a.watchers, key)
		}
	}
	calls := a.callsFrom(node)
	if a.caller == node {
		a.caller = NodeHandle{}
	}
	p.mu.Unlock()
	for _, ref := range calls {
		ref.complete(nil, errWithdrawn, false)
	}
	for _, pid := range links {
		p.signalExit(exitSignal{from: pid, reason: reason, link: true}, nil)
	}
	for _, ref := range refs {
		p.monitorDown(ref, reason, nil)
	}
}
