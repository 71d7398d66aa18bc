package strong

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
)

// Cluster is what the registry needs of the remote layer.
type Cluster interface {
	// Self is this node.
	Self() actor.NodeID
	// Members are the nodes not known to be dead, this one included.
	Members() []actor.NodeID
	// SendControl sends payload to the handler of topic on another node. For
	// one pair of nodes and one topic payloads arrive in order; some may be
	// lost when a node is given up. It does not wait.
	SendControl(to actor.NodeID, topic string, payload []byte) error
	// HandleControl lets f handle what comes in for topic. f must not block.
	HandleControl(topic string, f func(from actor.NodeID, payload []byte))
	// Watch calls f for every member that comes up and goes down, in order,
	// for those that are up already first.
	Watch(f func(node actor.NodeID, up bool)) (cancel func())
}

var (
	errTimeout = errors.New("strong: no answer in time")
	errClosed  = fmt.Errorf("%w: no more answers", ErrClosed)
)

// refusal is an answer of kindRefusal.
type refusal struct{ why string }

func (e *refusal) Error() string { return "strong: refused: " + e.why }

// exchange sends frames and finds whom the answers are for. It is safe for
// concurrent use.
type exchange struct {
	cluster Cluster
	epoch   atomic.Uint64 // the highest known; goes into every frame that is not of data

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]*question
	closed  bool
	stop    chan struct{}
}

// question waits for an answer. answer is called once, on some goroutine, and
// must not wait; not at all if the question was withdrawn.
type question struct {
	node   actor.NodeID
	answer func(body []byte, err error)
}

func newExchange(cluster Cluster) *exchange {
	return &exchange{cluster: cluster, waiting: make(map[uint64]*question), stop: make(chan struct{})}
}

// send sends a frame to which there is no answer.
func (x *exchange) send(to actor.NodeID, f frame) error {
	if !f.kind.ofData() {
		f.epoch = x.epoch.Load()
	}
	return x.cluster.SendControl(to, topic, f.encode())
}

// ask sends a frame with a new id and lets answer have what comes back.
func (x *exchange) ask(to actor.NodeID, f frame, answer func(body []byte, err error)) (id uint64) {
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		answer(nil, errClosed)
		return 0
	}
	x.last++
	f.id = x.last
	x.waiting[f.id] = &question{node: to, answer: answer}
	x.mu.Unlock()
	if err := x.send(to, f); err != nil {
		x.finish(to, f.id, nil, err)
	}
	return f.id
}

// withdraw forgets a question; its answer is not called any more, unless it is
// being called.
func (x *exchange) withdraw(id uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.waiting, id)
}

// finish hands over the answer to a question that was put to from, and reports
// whether there was one.
func (x *exchange) finish(from actor.NodeID, id uint64, body []byte, err error) bool {
	x.mu.Lock()
	q := x.waiting[id]
	if q == nil || q.node != from {
		x.mu.Unlock()
		return false
	}
	delete(x.waiting, id)
	x.mu.Unlock()
	q.answer(body, err)
	return true
}

// received takes a frame of kindAnswer or kindRefusal, and reports whether it was
// waited for.
func (x *exchange) received(from actor.NodeID, f frame) bool {
	if f.kind == kindRefusal {
		return x.finish(from, f.id, nil, &refusal{why: string(f.body)})
	}
	return x.finish(from, f.id, f.body, nil)
}

// lost fails all questions to a node that is down.
func (x *exchange) lost(node actor.NodeID) {
	x.mu.Lock()
	var failed []*question
	for id, q := range x.waiting {
		if q.node == node {
			failed = append(failed, q)
			delete(x.waiting, id)
		}
	}
	x.mu.Unlock()
	for _, q := range failed {
		q.answer(nil, actor.ErrNoConnection)
	}
}

// close fails all questions, also those still to come.
func (x *exchange) close() {
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return
	}
	x.closed = true
	failed := x.waiting
	x.waiting = make(map[uint64]*question)
	x.mu.Unlock()
	close(x.stop)
	for _, q := range failed {
		q.answer(nil, errClosed)
	}
}

// reply is what comes back to a question.
type reply struct {
	body []byte
	err  error
}

// call asks and waits.
func (x *exchange) call(ctx context.Context, to actor.NodeID, f frame, timeout time.Duration) ([]byte, error) {
	answered := make(chan reply, 1)
	id := x.ask(to, f, func(body []byte, err error) { answered <- reply{body, err} })
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case r := <-answered:
		return r.body, r.err
	case <-timer.C:
		x.withdraw(id)
		return nil, fmt.Errorf("%w: %v", errTimeout, to.Name)
	case <-ctx.Done():
		x.withdraw(id)
		return nil, context.Cause(ctx)
	}
}
