package actor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrNoHeartbeat is wrapped by the reason of a [NodeDown] of a monitor with a
// [Heartbeat]: the node has not answered in time.
var ErrNoHeartbeat = errors.New("actor: no heartbeat")

// NodeMonitorOption says by what a node monitor notices that its node is lost. Without
// any, it is what the cluster finds out by itself, about all nodes together.
type NodeMonitorOption func(*heart)

// Heartbeat has the node asked every interval, by this node alone: it counts as lost
// when it has left so many questions in a row without an answer, and also when the
// cluster takes it for lost. So a loss can be noticed sooner than the cluster is sure
// of it, at the price of a message and an answer an interval, and of being wrong more
// often. An answer that takes longer than interval is none. It is for this monitor
// only: for everybody else, the node is what it was.
//
// An interval or a number of misses that is not positive means a second and three.
func Heartbeat(interval time.Duration, misses int) NodeMonitorOption {
	return func(h *heart) {
		h.every, h.misses = interval, misses
		if interval <= 0 {
			h.every = time.Second
		}
		if misses <= 0 {
			h.misses = 3
		}
	}
}

// heartbeatName is a name that nobody has: that it is not known is the answer.
const heartbeatName Name = "topos.heartbeat"

// heart is a process that asks a node whether it is there, for one monitor of owner,
// and ends with the reason when it is not.
type heart struct {
	owner  PID
	node   NodeID
	every  time.Duration
	misses int
	missed int
}

// begin tells a heart that its owner will hear of its end, and beat that it is time to ask.
type (
	begin struct{}
	beat  struct{}
)

// Init implements Initializer.
func (h *heart) Init(self *Self) error {
	self.Monitor(h.owner)
	return nil
}

// Receive implements Actor.
func (h *heart) Receive(self *Self, msg any) error {
	switch m := msg.(type) {
	case Down: // the owner
		return ErrNormal
	case begin: // not earlier: if the node is lost already, the reason would be, too
		self.MonitorNode(h.node)
		self.Every(h.every, beat{})
	case NodeDown:
		return m.Reason
	case beat:
		ctx, cancel := context.WithTimeout(self.Context(), h.every)
		defer cancel()
		_, err := Call[any](ctx, self, NameAt{Name: heartbeatName, Node: h.node.Name}, []byte(nil))
		if errors.Is(err, ErrNoProc) {
			h.missed = 0
			return nil
		}
		if h.missed++; h.missed >= h.misses {
			return fmt.Errorf("%w %v: %w", ErrNoConnection, h.node.Name, ErrNoHeartbeat)
		}
	}
	return nil
}

// monitorByHeart is MonitorNode with a process that asks.
func (p *process) monitorByHeart(ref MonitorRef, h *heart) {
	pid, err := (*Self)(p).Spawn(h, Label("heartbeat of "+h.node.Name))
	if !p.addMonitor(ref, &monitoring{of: wholeNode(h.node), target: pid}, target{pid: pid}, false) {
		return
	}
	q := p.sys.procs.find(pid.id)
	if err == nil && (q == nil || !q.watch(watchKey{ref.id, p.sys.node}, p.pid())) {
		err = ErrNoConnection
	}
	if err != nil {
		p.monitorDown(ref, err, nil)
		return
	}
	_ = (*Self)(p).Send(pid, begin{}) // if it is gone, its watcher is told
}

// endHeart ends the process of a monitor that has been taken back, if it has one.
func (p *process) endHeart(m *monitoring) {
	if m.target.node == p.sys.node && m.target.id != 0 {
		_ = p.sys.Exit(m.target, ErrShutdown)
	}
}
