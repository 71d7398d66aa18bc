package strong

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/topos-go/topos/actor"
)

// Limits of the transport.
const (
	// maxInbox bounds the requests that wait for raft: many times what the
	// other voters may have in flight.
	maxInbox = 1024
	// maxInflight is how many appends may be on their way to one follower.
	maxInflight = 32
	// chunkSize is how much of a snapshot goes into one frame, and window how
	// many of these may be on their way: what a snapshot may take of memory.
	chunkSize = 256 << 10
	window    = 8
)

var errBusy = errors.New("strong: too many requests wait")

// transport carries raft's requests over an exchange. It implements
// raft.Transport, WithPreVote and WithClose. A server's address is its ID; see
// serverID.
type transport struct {
	x       *exchange
	self    raft.ServerID
	timeout time.Duration
	// locate finds the node of a server.
	locate func(raft.ServerID) (actor.NodeID, bool)
	// admit says whether a request of an epoch may reach raft. It may wait for
	// the disk. epoch is that of this node's own data.
	admit func(epoch uint64) error
	epoch func() uint64

	rpcs      chan raft.RPC
	inbox     inbox // for raft's main loop
	beats     inbox // heartbeats, which must not wait behind it
	responses chan response

	mu        sync.Mutex
	heartbeat func(raft.RPC)
	streams   map[streamKey]*incoming
	senders   map[uint64]chan uint64 // of snapshots, by id: how many chunks have been read

	stop    chan struct{}
	stopped sync.Once
	work    sync.WaitGroup
}

// inbox is a queue whose writers never wait.
type inbox struct {
	mu    sync.Mutex
	queue []arrival
	busy  bool          // its reader has some in hand
	wake  chan struct{} // capacity 1
}

// arrival is a request as it came.
type arrival struct {
	from    actor.NodeID
	f       frame
	command any
	stream  *incoming // of snapshots
}

// response is what raft will answer to a request.
type response struct {
	to     actor.NodeID
	id     uint64
	ready  chan raft.RPCResponse
	stream *incoming
}

func (q *inbox) push(a arrival) bool {
	q.mu.Lock()
	full := len(q.queue) >= maxInbox
	if !full {
		q.queue = append(q.queue, a)
	}
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return !full
}

func (q *inbox) take() []arrival {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.queue
	q.queue, q.busy = nil, len(q.queue) > 0
	return all
}

func newTransport(x *exchange, self raft.ServerID, timeout time.Duration) *transport {
	return &transport{
		x: x, self: self, timeout: timeout,
		rpcs:      make(chan raft.RPC),
		inbox:     inbox{wake: make(chan struct{}, 1)},
		beats:     inbox{wake: make(chan struct{}, 1)},
		responses: make(chan response, maxInbox),
		streams:   make(map[streamKey]*incoming),
		senders:   make(map[uint64]chan uint64),
		stop:      make(chan struct{}),
	}
}

// start begins to hand requests to raft.
func (t *transport) start() {
	for _, f := range []func(){t.deliver, t.respond, t.beat} {
		t.work.Go(f)
	}
}

// Close implements raft.WithClose. It fails what is on its way.
func (t *transport) Close() error {
	t.stopped.Do(func() { close(t.stop) })
	t.work.Wait()
	return nil
}

// receive takes a request for raft. It does not wait.
func (t *transport) receive(from actor.NodeID, f frame) {
	command, err := decodeRequest(f.kind, f.body)
	if err == nil && f.to != string(t.self) {
		err = fmt.Errorf("strong: %s is not %s", t.self, f.to)
	}
	if err != nil {
		t.refuse(from, f.id, err)
		return
	}
	a := arrival{from: from, f: f, command: command}
	to := &t.inbox
	switch m := command.(type) {
	case *raft.AppendEntriesRequest:
		if m.PrevLogEntry == 0 && m.PrevLogTerm == 0 && len(m.Entries) == 0 && m.LeaderCommitIndex == 0 {
			to = &t.beats
		}
	case *raft.InstallSnapshotRequest:
		a.stream = t.open(from, f.id, m.Size)
	}
	if to == &t.inbox && t.hand(a) {
		return
	}
	if !to.push(a) {
		if a.stream != nil {
			t.shut(a.stream)
		}
		t.refuse(from, f.id, errBusy)
	}
}

func (t *transport) refuse(to actor.NodeID, id uint64, err error) {
	// Who cannot be answered will time out.
	_ = t.x.send(to, frame{kind: kindRefusal, id: id, body: []byte(err.Error())})
}

// deliver hands requests to raft's main loop, in the order they came.
func (t *transport) deliver() {
	for {
		taken := t.inbox.take()
		for _, a := range taken {
			if err := t.admit(a.f.epoch); err != nil {
				if a.stream != nil {
					t.shut(a.stream)
				}
				t.refuse(a.from, a.f.id, err)
				continue
			}
			rpc, ready := a.rpc()
			select {
			case t.rpcs <- rpc:
			case <-t.stop:
				return
			}
			select {
			case t.responses <- response{to: a.from, id: a.f.id, ready: ready, stream: a.stream}:
			case <-t.stop:
				return
			}
		}
		if len(taken) > 0 {
			continue // to look again, and not to be busy any more
		}
		select {
		case <-t.inbox.wake:
		case <-t.stop:
			return
		}
	}
}

// hand hands a request to raft at once, past the inbox, if raft waits for one and
// nothing is before it.
func (t *transport) hand(a arrival) bool {
	t.inbox.mu.Lock()
	defer t.inbox.mu.Unlock()
	if t.inbox.busy || len(t.inbox.queue) > 0 || a.f.epoch != t.epoch() || a.f.epoch == 0 || len(t.responses) == cap(t.responses) {
		return false
	}
	rpc, ready := a.rpc()
	select {
	case t.rpcs <- rpc:
		// There is room: whoever else puts something there is not busy.
		t.responses <- response{to: a.from, id: a.f.id, ready: ready, stream: a.stream}
		return true
	default:
		return false
	}
}

// rpc is the arrival as raft takes it, and where its response comes.
func (a *arrival) rpc() (raft.RPC, chan raft.RPCResponse) {
	ready := make(chan raft.RPCResponse, 1)
	rpc := raft.RPC{Command: a.command, RespChan: ready}
	if a.stream != nil {
		rpc.Reader = a.stream
	}
	return rpc, ready
}

// respond sends what raft answers, which it does in the order of the requests.
func (t *transport) respond() {
	for {
		select {
		case r := <-t.responses:
			select {
			case answer := <-r.ready:
				if r.stream != nil {
					t.shut(r.stream)
				}
				t.answer(r.to, r.id, answer)
			case <-t.stop:
				return
			}
		case <-t.stop:
			return
		}
	}
}

func (t *transport) answer(to actor.NodeID, id uint64, r raft.RPCResponse) {
	if r.Error != nil {
		t.refuse(to, id, r.Error)
		return
	}
	_ = t.x.send(to, frame{kind: kindAnswer, id: id, body: encodeResponse(r.Response)})
}

// beat hands heartbeats to raft beside its main loop.
func (t *transport) beat() {
	for {
		for _, a := range t.beats.take() {
			t.mu.Lock()
			handle := t.heartbeat
			t.mu.Unlock()
			if err := t.admit(a.f.epoch); err != nil || handle == nil {
				t.refuse(a.from, a.f.id, errors.Join(err, errors.New("strong: a heartbeat is not wanted")))
				continue
			}
			rpc, ready := a.rpc()
			handle(rpc)
			select {
			case answer := <-ready:
				t.answer(a.from, a.f.id, answer)
			default: // raft has ended
			}
		}
		select {
		case <-t.beats.wake:
		case <-t.stop:
			return
		}
	}
}

// Consumer implements raft.Transport.
func (t *transport) Consumer() <-chan raft.RPC { return t.rpcs }

// LocalAddr implements raft.Transport.
func (t *transport) LocalAddr() raft.ServerAddress { return raft.ServerAddress(t.self) }

// EncodePeer implements raft.Transport.
func (t *transport) EncodePeer(_ raft.ServerID, addr raft.ServerAddress) []byte { return []byte(addr) }

// DecodePeer implements raft.Transport.
func (t *transport) DecodePeer(b []byte) raft.ServerAddress { return raft.ServerAddress(b) }

// SetHeartbeatHandler implements raft.Transport.
func (t *transport) SetHeartbeatHandler(f func(raft.RPC)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heartbeat = f
}

// call sends a request and fills response with the answer.
func (t *transport) call(id raft.ServerID, command, response any) error {
	node, ok := t.locate(id)
	if !ok {
		return fmt.Errorf("%w: %s", actor.ErrNoConnection, id)
	}
	k, body := encodeRequest(command)
	answered := make(chan reply, 1)
	q := t.x.ask(node, frame{kind: k, epoch: t.epoch(), to: string(id), body: body}, func(body []byte, err error) { answered <- reply{body, err} })
	timer := time.NewTimer(t.timeout)
	defer timer.Stop()
	select {
	case r := <-answered:
		if r.err != nil {
			return r.err
		}
		return decodeResponse(r.body, response)
	case <-timer.C:
		t.x.withdraw(q)
		return fmt.Errorf("%w: %s", errTimeout, id)
	case <-t.stop:
		t.x.withdraw(q)
		return errClosed
	}
}

// AppendEntries implements raft.Transport.
func (t *transport) AppendEntries(id raft.ServerID, _ raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	return t.call(id, args, resp)
}

// RequestVote implements raft.Transport.
func (t *transport) RequestVote(id raft.ServerID, _ raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return t.call(id, args, resp)
}

// RequestPreVote implements raft.WithPreVote.
func (t *transport) RequestPreVote(id raft.ServerID, _ raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return t.call(id, args, resp)
}

// TimeoutNow implements raft.Transport.
func (t *transport) TimeoutNow(id raft.ServerID, _ raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	return t.call(id, args, resp)
}

// InstallSnapshot implements raft.Transport. It waits at most the timeout
// between two signs of progress.
func (t *transport) InstallSnapshot(id raft.ServerID, _ raft.ServerAddress, args *raft.InstallSnapshotRequest,
	resp *raft.InstallSnapshotResponse, data io.Reader) error {
	node, ok := t.locate(id)
	if !ok {
		return fmt.Errorf("%w: %s", actor.ErrNoConnection, id)
	}
	body, err := t.stream(node, id, args, data)
	if err != nil {
		return err
	}
	return decodeResponse(body, resp)
}
