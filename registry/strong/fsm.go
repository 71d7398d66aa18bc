package strong

import (
	"io"
	"sync"

	"github.com/hashicorp/raft"
)

// fsm is the machine as raft wants it. It implements raft.FSM. Its reads are
// safe for concurrent use.
type fsm struct {
	// changed is told of leases that were acquired, renewed or ended, while the
	// state is locked; held says whether the lease still is. It must not wait.
	changed func(name string, l lease, held bool)

	mu      sync.RWMutex
	machine *machine
}

func newFSM(changed func(name string, l lease, held bool)) *fsm {
	return &fsm{machine: newMachine(), changed: changed}
}

// Apply implements raft.FSM. It returns the results of the entry's commands, a
// []result; none if the entry is not a batch.
func (f *fsm) Apply(log *raft.Log) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	commands, err := decodeBatch(log.Data)
	if err != nil {
		return []result(nil) // on every replica
	}
	results := make([]result, len(commands))
	for i, c := range commands {
		var name string
		if results[i], name = f.machine.apply(c); name != "" {
			l, held := f.machine.leases[name]
			f.changed(name, l, held)
		}
	}
	return results
}

// Snapshot implements raft.FSM.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.machine.image(), nil
}

// Persist implements raft.FSMSnapshot.
func (i *image) Persist(sink raft.SnapshotSink) error {
	if err := i.write(sink); err != nil {
		_ = sink.Cancel()
		return err
	}
	return sink.Close()
}

// Release implements raft.FSMSnapshot.
func (i *image) Release() {}

// Restore implements raft.FSM.
func (f *fsm) Restore(snapshot io.ReadCloser) error {
	m, err := readImage(snapshot)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.machine = m
	return nil
}

// view calls read with the state, which read must neither keep nor change.
func (f *fsm) view(read func(m *machine)) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	read(f.machine)
}
