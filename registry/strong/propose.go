package strong

import (
	"time"

	"github.com/hashicorp/raft"
)

// Limits of the proposer.
const (
	// maxBatch and maxBatchBytes bound one entry of the log.
	maxBatch      = 1024
	maxBatchBytes = 1 << 20
	// maxProposals bounds what waits to be proposed.
	maxProposals = 1 << 16
	// maxBatches is how many entries may be on their way to being committed.
	maxBatches = 16
)

// proposal is a command and who wants to know what came of it. answer is called
// once and must not wait.
type proposal struct {
	command []byte
	answer  func(result, error)
}

// proposer puts commands into raft's log, as many together as wait: so an entry
// and a write to the disk are shared by all who came while the last one was
// being made. It is safe for concurrent use.
type proposer struct {
	raft    *raft.Raft
	pen     *pen
	queue   queue[proposal]
	batches chan batch
	stop    chan struct{}
}

// batch is an entry on its way.
type batch struct {
	proposals []proposal
	future    raft.ApplyFuture
}

func newProposer(r *raft.Raft, pen *pen) *proposer {
	return &proposer{raft: r, pen: pen, queue: newQueue[proposal](maxProposals), batches: make(chan batch, maxBatches), stop: make(chan struct{})}
}

// propose queues a command. If this node does not lead, the answer is an error.
func (p *proposer) propose(command []byte, answer func(result, error)) {
	if err := p.queue.put(proposal{command, answer}); err != nil {
		answer(result{}, err)
	}
}

// fitting is how many of the proposals that wait fit into an entry.
func fitting(waiting []proposal) (n int) {
	for size := 0; n < len(waiting) && n < maxBatch && size < maxBatchBytes; n++ {
		size += len(waiting[n].command)
	}
	return n
}

// run proposes until close.
func (p *proposer) run() {
	defer close(p.batches)
	for {
		// What is taken while raft writes would wait for it, and leave behind
		// what comes meanwhile.
		select {
		case <-p.pen.idle():
		case <-p.stop:
			return
		}
		if proposals := p.queue.take(fitting); len(proposals) > 0 {
			commands := make([][]byte, len(proposals))
			for i, c := range proposals {
				commands[i] = c.command
			}
			// It waits until raft's main loop has taken it.
			p.batches <- batch{proposals, p.raft.Apply(encodeBatch(commands), 0)}
			continue
		}
		select {
		case <-p.queue.wake:
		case <-p.stop:
			return
		}
	}
}

// finish tells what came of the entries, in their order, until run has ended.
func (p *proposer) finish() {
	for b := range p.batches {
		err := b.future.Error()
		var results []result
		if err == nil {
			results, _ = b.future.Response().([]result)
			if len(results) != len(b.proposals) {
				err = errMalformed // cannot be: run has made it
			}
		}
		for i, c := range b.proposals {
			if err != nil {
				c.answer(result{}, err)
			} else {
				c.answer(results[i], nil)
			}
		}
	}
}

// close lets run end and fails what waits. raft must end, too.
func (p *proposer) close() {
	left := p.queue.close()
	close(p.stop)
	for _, c := range left {
		c.answer(result{}, errClosed)
	}
}

// commit proposes a command of the leader's own and waits for it.
func (p *proposer) commit(c command, timeout time.Duration) (result, error) {
	type outcome struct {
		r   result
		err error
	}
	done := make(chan outcome, 1)
	p.propose(c.encode(), func(r result, err error) { done <- outcome{r, err} })
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case o := <-done:
		return o.r, o.err
	case <-timer.C:
		return result{}, errTimeout
	}
}
