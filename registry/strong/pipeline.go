package strong

import (
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/topos-go/topos/actor"
)

// pipeline sends appends to one follower without waiting for the answers. It
// implements raft.AppendPipeline.
//
// raft takes whatever an append in a pipeline comes back with as a sign of life
// of the follower, also a failure. So a failed one does not come back: it
// breaks the pipeline, which raft learns from its next append.
type pipeline struct {
	t    *transport
	id   raft.ServerID
	node actor.NodeID

	room chan struct{} // capacity maxInflight; holds one for each that has not come back
	done chan raft.AppendFuture
	wake chan struct{} // capacity 1
	stop chan struct{}
	work sync.WaitGroup

	mu       sync.Mutex
	err      error                // why it is broken
	inflight map[*appended]uint64 // and the id of the question
	since    time.Time            // the last sign of progress
	answers  []*appended          // that have not come back
	busy     bool                 // forward has some in hand
	closed   bool
}

// appended implements raft.AppendFuture.
type appended struct {
	start    time.Time
	request  *raft.AppendEntriesRequest
	response *raft.AppendEntriesResponse
}

func (a *appended) Error() error                          { return nil }
func (a *appended) Start() time.Time                      { return a.start }
func (a *appended) Request() *raft.AppendEntriesRequest   { return a.request }
func (a *appended) Response() *raft.AppendEntriesResponse { return a.response }

// AppendEntriesPipeline implements raft.Transport.
func (t *transport) AppendEntriesPipeline(id raft.ServerID, _ raft.ServerAddress) (raft.AppendPipeline, error) {
	node, ok := t.locate(id)
	if !ok {
		return nil, fmt.Errorf("%w: %s", actor.ErrNoConnection, id)
	}
	p := &pipeline{
		t: t, id: id, node: node,
		room:     make(chan struct{}, maxInflight),
		done:     make(chan raft.AppendFuture),
		wake:     make(chan struct{}, 1),
		stop:     make(chan struct{}),
		inflight: make(map[*appended]uint64),
	}
	p.work.Go(p.forward)
	return p, nil
}

// AppendEntries implements raft.AppendPipeline. It waits for room, at most the
// transport's timeout.
func (p *pipeline) AppendEntries(args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	if err := p.broken(); err != nil {
		return nil, err
	}
	select {
	case p.room <- struct{}{}:
	default:
		timer := time.NewTimer(p.t.timeout)
		defer timer.Stop()
		select {
		case p.room <- struct{}{}:
		case <-timer.C:
			return nil, p.fail(errTimeout)
		case <-p.stop:
			return nil, raft.ErrPipelineShutdown
		case <-p.t.stop:
			return nil, errClosed
		}
	}
	a := &appended{start: time.Now(), request: args, response: resp}
	p.mu.Lock()
	if len(p.inflight) == 0 {
		p.since = a.start
	}
	p.inflight[a] = 0 // not known yet
	p.mu.Unlock()
	k, body := encodeRequest(args)
	q := p.t.x.ask(p.node, frame{kind: k, epoch: p.t.epoch(), to: string(p.id), body: body}, func(body []byte, err error) { p.answered(a, body, err) })
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, open := p.inflight[a]; open {
		p.inflight[a] = q
	}
	return a, nil
}

// answered takes the answer to an append. Those of one follower come in order.
func (p *pipeline) answered(a *appended, body []byte, err error) {
	if err == nil {
		err = decodeResponse(body, a.response)
	}
	if err != nil {
		_ = p.fail(err)
	}
	p.mu.Lock()
	delete(p.inflight, a)
	p.since = time.Now()
	forwarded := p.err != nil || p.closed
	if !forwarded && !p.busy && len(p.answers) == 0 {
		select { // at once, if raft waits for it
		case p.done <- a:
			<-p.room
			forwarded = true
		default:
		}
	}
	if !forwarded {
		p.answers = append(p.answers, a)
	}
	p.mu.Unlock()
	if forwarded {
		return
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// forward hands the answers to raft.
func (p *pipeline) forward() {
	for {
		p.mu.Lock()
		answers := p.answers
		p.answers, p.busy = nil, len(p.answers) > 0
		p.mu.Unlock()
		for _, a := range answers {
			select {
			case p.done <- a:
				<-p.room
			case <-p.stop:
				return
			}
		}
		if len(answers) > 0 {
			continue
		}
		select {
		case <-p.wake:
		case <-p.stop:
			return
		}
	}
}

// Consumer implements raft.AppendPipeline.
func (p *pipeline) Consumer() <-chan raft.AppendFuture { return p.done }

// Close implements raft.AppendPipeline.
func (p *pipeline) Close() error {
	p.mu.Lock()
	open := p.inflight
	p.inflight = make(map[*appended]uint64)
	closed := p.closed
	p.closed = true
	p.mu.Unlock()
	if !closed {
		close(p.stop)
	}
	for _, q := range open {
		p.t.x.withdraw(q)
	}
	p.work.Wait()
	return nil
}

// fail breaks the pipeline, and returns err.
func (p *pipeline) fail(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
	return err
}

// broken says why nothing more can be sent, if so.
func (p *pipeline) broken() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return raft.ErrPipelineShutdown
	}
	if p.err == nil && len(p.inflight) > 0 && time.Since(p.since) > p.t.timeout {
		p.err = errTimeout
	}
	return p.err
}
