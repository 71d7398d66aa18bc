package actor

import "time"

// Router carries signals to other nodes. It is declared here and implemented by
// the remote layer; a [System] without one knows only itself.
//
// Route must not block on the network, may be called by any goroutine, and
// takes sig over. An error means that sig will not arrive. Nil means that it
// is on its way: then either it is handed to [System.Deliver] on the other
// node, after everything routed before it for the same pair of processes, or
// [System.NodeDown] is called here for that node. Nothing else is promised.
type Router interface {
	Route(sig Signal) error
}

// Carrier is a [Router] with a shorter way for most messages. What it promises is
// the same: Carry is Route of a message from from, which may be zero, to a
// process of another node, without options.
type Carrier interface {
	Router
	Carry(from, to PID, msg any) error
}

// Names is the table of cluster-wide names. It is declared here and
// implemented by the registry; a [System] without one has no cluster names.
// All methods may be called by any goroutine and do not block.
type Names interface {
	// Whereis returns the process that holds name, as far as this node knows.
	Whereis(name string) (PID, bool)
	// Register gives name to the local process pid, or says who keeps it from
	// doing so with an error that wraps ErrNameTaken.
	Register(name string, pid PID) error
	// Unregister takes name from pid, if pid holds it.
	Unregister(name string, pid PID)
}

// Signal is everything that one node's processes can send to another's. Which
// fields count depends on Kind; it is one flat struct so that it can be passed
// without allocation.
type Signal struct {
	Kind SignalKind
	// From is the process that sends; zero for a goroutine outside.
	From PID
	// To is the process meant. If it is zero, Name is.
	To PID
	// Name is a name at a node, of which only the name is known; of a spawn,
	// that of the constructor.
	Name NameAt
	// Origin is the node the signal came from. The sending System leaves it
	// zero; the Router sets it before Deliver.
	Origin NodeHandle
	// Ref correlates: a call with its reply, a monitor with its Down.
	Ref uint64
	// Msg is the message, request or reply, or the arguments of a spawn, which
	// alone may be nil.
	Msg any
	// Reason is why a process ended or a call failed.
	Reason error
	// Link says of an exit signal that a link sent it, and of a spawn that the
	// new process is to be linked with From. Watch says of a spawn that From is
	// to monitor it, by Ref.
	Link, Watch bool
	// Deadline is a call's or a spawn's, if not zero.
	Deadline time.Time
	// Trace belongs to a message or call; see ContextWithTrace.
	Trace []byte
	// Via is how a message or call is to travel, and what follows a call. The
	// others take the default channel.
	Via Delivery
	// Loan says of a message that it is lent. The sending System leaves it nil;
	// the Router sets it before Deliver.
	Loan Loan
	// Size is what a message or call that came from another node is charged to
	// its receiver's budget, in bytes. The sending System leaves it zero; the
	// Router sets it before Deliver.
	Size int
}

// SignalKind says what a [Signal] is.
type SignalKind uint8

// The kinds of signals. The comment names the fields that count.
const (
	SignalMessage   SignalKind = iota + 1 // From, To or Name, Msg, Trace
	SignalCall                            // From, To or Name, Ref, Msg, Deadline, Trace
	SignalReply                           // From, To or its node only, Ref, Msg or Reason
	SignalLink                            // From, To
	SignalUnlink                          // From, To
	SignalExit                            // From, To, Reason, Link
	SignalMonitor                         // From, To or Name, Ref
	SignalDemonitor                       // From, To or Name, Ref; of a monitor, or of a call that is given up
	SignalDown                            // From, To, Ref, Reason
	SignalSpawn                           // From, To's node only or Name.Node, Name.Name, Ref, Msg, Deadline, Link, Watch
	SignalSpawned                         // From, To or its node only, Ref, Reason, Link, Watch
)

// origin is where the reply to a request from another node goes.
type origin struct {
	node    NodeHandle
	from    PID // the caller; zero if it is no process
	ref     uint64
	channel string
}

// key is what the request is known by at the node it came to.
func (o *origin) key() watchKey { return watchKey{o.ref, o.node} }

// target is an address looked up: a process, or a name at another node.
type target struct {
	pid PID
	at  NameAt
}

func (t target) remote(s *System) bool { return t.pid.IsZero() || t.pid.node != s.node }

// resolve looks an address up. The error is ErrNoProc if it names nobody.
func (s *System) resolve(to Address) (target, error) {
	switch a := to.(type) {
	case PID:
		if !a.IsZero() {
			return target{pid: a}, nil
		}
	case Name:
		if pid, ok := s.names.find(a); ok {
			return target{pid: pid}, nil
		}
	case NameAt:
		if a.Node != s.node.Value().Name {
			return target{at: a}, nil
		}
		if pid, ok := s.names.find(a.Name); ok {
			return target{pid: pid}, nil
		}
	case ClusterName:
		if pid, ok := s.clusterNames.Whereis(string(a)); ok {
			return target{pid: pid}, nil
		}
	}
	return target{}, ErrNoProc
}

// route hands sig to the router.
func (s *System) route(sig Signal) error {
	if s.router == nil {
		return ErrNoCluster
	}
	return s.router.Route(sig)
}

// requestRemote sends the request c to another node.
func (s *System) requestRemote(c *call, from *process, to target) error {
	id := s.expect(c, remoteCall{to: to})
	sig := Signal{Kind: SignalCall, To: to.pid, Name: to.at, Ref: id, Msg: c.msg, Deadline: c.deadline, Trace: c.trace, Via: c.via}
	if from != nil {
		sig.From = from.pid()
	}
	err := s.route(sig)
	if err != nil {
		s.peers.takeCall(id)
	}
	return err
}

// expect notes that an answer to c will come from another node, and returns the
// number that it will have.
func (s *System) expect(c *call, from remoteCall) uint64 {
	c.abroad = s.refs.Add(1)
	from.ref = c.ref()
	s.peers.addCall(c.abroad, from)
	return c.abroad
}

// answerRemote sends the outcome of c, a request from another node, back.
func (c *call) answerRemote(value any, err error) {
	// If the node is lost, so is the caller.
	sig := Signal{Kind: SignalReply, To: c.origin.from, Ref: c.origin.ref, Msg: value, Reason: err, Via: Delivery{Channel: c.origin.channel}}
	if sig.To.IsZero() {
		sig.To = PID{node: c.origin.node}
	}
	if c.callee != nil {
		sig.From = c.callee.pid()
	}
	_ = c.sys.route(sig)
}

// Deliver carries out a signal that came from another node. It never blocks, and
// may be called by several goroutines; signals of one pair of processes must
// come in order. It reports over if the receiver has more mail waiting than its
// budget, or than a mailbox takes whose policy is to block: then the node that
// sent it should send no more to that process before [Throttle.Relieved] is
// called. The message has been accepted all the same.
func (s *System) Deliver(sig Signal) (over bool) {
	p := s.receiver(sig)
	switch sig.Kind {
	case SignalMessage:
		return s.deliverMessage(p, sig)
	case SignalCall:
		return s.deliverRequest(p, sig)
	case SignalReply:
		if c, ok := s.peers.takeCall(sig.Ref); ok && c.child == nil {
			c.ref.complete(sig.Msg, sig.Reason, sig.Reason == nil)
		}
	case SignalSpawn:
		s.spawnAsked(sig)
	case SignalSpawned:
		s.spawned(sig)
	case SignalLink:
		if p == nil || p.id != sig.To.id || !p.link(sig.From) { // an alias cannot be linked
			_ = s.route(Signal{Kind: SignalExit, From: sig.To, To: sig.From, Reason: ErrNoProc, Link: true})
		}
	case SignalMonitor:
		if sig.toNode() {
			break // it only wanted to know that there is a connection
		}
		if p == nil || !p.watch(watchKey{sig.Ref, sig.From.node}, sig.From) {
			_ = s.route(Signal{Kind: SignalDown, From: sig.To, To: sig.From, Ref: sig.Ref, Reason: ErrNoProc})
		}
	default:
		if p != nil {
			p.deliverSignal(sig)
		}
	}
	return false
}

// deliverSignal carries out the signals that mean nothing to a dead process.
func (p *process) deliverSignal(sig Signal) {
	if sig.Reason == nil {
		sig.Reason = ErrNormal
	}
	switch sig.Kind {
	case SignalUnlink:
		p.unlink(sig.From)
	case SignalExit:
		p.signalExit(exitSignal{from: sig.From, reason: sig.Reason, link: sig.Link, abroad: true}, nil)
	case SignalDemonitor:
		if !p.unwatch(watchKey{sig.Ref, sig.From.node}) {
			p.withdraw(sig.Origin, sig.Ref)
		}
	case SignalDown:
		p.monitorDown(MonitorRef{sig.Ref}, sig.Reason, nil)
	}
}

func (s *System) deliverMessage(p *process, sig Signal) (over bool) {
	msg, err := sig.Msg, ErrNoProc
	if msg == nil {
		p, err = nil, ErrNilMessage
	}
	if sig.Trace != nil || sig.Loan != nil {
		msg = &letter{kind: letterEnvelope, msg: msg, trace: sig.Trace, loan: sig.Loan}
	}
	if p != nil {
		over, err = p.deliverAbroad(msg, sig.Size, nil)
	}
	if err != nil {
		var to Address = sig.To
		if sig.To.IsZero() {
			to = sig.Name
		}
		s.deadLetter(DeadLetter{To: to, From: sig.From, Message: sig.Msg, Reason: err})
	}
	return over
}

func (s *System) deliverRequest(p *process, sig Signal) (over bool) {
	c := s.newCall(sig.Msg)
	c.origin = origin{sig.Origin, sig.From, sig.Ref, sig.Via.Channel}
	c.deadline, c.trace = sig.Deadline, sig.Trace
	err := ErrNoProc
	if sig.Msg == nil {
		p, err = nil, ErrNilMessage
	}
	if p != nil {
		over, err = p.deliverAbroad(c, sig.Size, nil)
	}
	if err != nil {
		c.ref().complete(nil, err, false)
	}
	return over
}

// NodeDown tells the processes of this system that node is lost: monitors of
// its processes fire and links to them break with reason, and calls to them
// fail. The remote layer calls it once a node incarnation cannot be reached any
// more, after everything that arrived from it has been delivered. A nil reason
// is ErrNoConnection.
func (s *System) NodeDown(node NodeID, reason error) {
	if reason == nil {
		reason = ErrNoConnection
	}
	handle := makeHandle(node)
	ids, calls := s.peers.lost(handle, reason)
	for _, ref := range calls {
		ref.complete(nil, reason, false)
	}
	for _, id := range sortedIDs(ids) {
		if p := s.procs.find(id); p != nil {
			p.nodeLost(handle, reason)
		}
	}
}
