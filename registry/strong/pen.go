package strong

import (
	"sync"

	"github.com/hashicorp/raft"
)

// pen is a disk that tells when entries are being written to it: raft takes no
// others then.
type pen struct {
	disk

	mu      sync.Mutex
	writing chan struct{} // closed when it has been written; nil if nothing is
}

// StoreLog implements raft.LogStore.
func (p *pen) StoreLog(log *raft.Log) error { return p.StoreLogs([]*raft.Log{log}) }

// StoreLogs implements raft.LogStore. raft calls it from its main loop only.
func (p *pen) StoreLogs(logs []*raft.Log) error {
	written := make(chan struct{})
	p.mu.Lock()
	p.writing = written
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.writing = nil
		p.mu.Unlock()
		close(written)
	}()
	return p.disk.StoreLogs(logs)
}

// IsMonotonic implements raft.MonotonicLogStore, as the disk does.
func (p *pen) IsMonotonic() bool {
	m, ok := p.disk.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

// idle returns a channel that is closed when nothing is being written.
func (p *pen) idle() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writing != nil {
		return p.writing
	}
	nothing := make(chan struct{})
	close(nothing)
	return nothing
}
