package strong

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"
)

// NewEpoch makes the data in a folder those of a new registry, with one voter:
// the folder's node. It is for an operator, after a majority of the voters has
// been lost for good, and is done offline, on the folder of one node that has
// survived, the one whose data are the newest (see [Inspect]). The node is then
// started as always; the others join it with empty folders.
//
// All names, leases and sessions are kept as they are in the folder: what had
// been acknowledged and has not come there is lost, what had come there and had
// not been acknowledged may be kept. Every token that is given out from now on
// is above all of the epochs before. Leases are granted only after one TTL,
// when all of before have run out, so that nobody can be the owner beside a
// holder that the folder does not know. Nodes with data of an earlier epoch are
// refused, and learn it: [ErrObsolete].
//
// It returns the new epoch. When it is interrupted, the folder cannot be used
// until it has been called again. logger may be nil.
func NewEpoch(dir string, logger *slog.Logger) (epoch uint64, err error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	f, err := openFolder(dir, logger)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.store.Close()) }()
	if f.epoch == 0 {
		return 0, fmt.Errorf("%w: there are no data in %s", ErrFolder, dir)
	}
	epoch = f.epoch + 1
	if begun, err := f.store.GetUint64([]byte(keyNewEpoch)); err == nil {
		epoch = max(epoch, begun) // and interrupted
	}
	if err := f.store.SetUint64([]byte(keyNewEpoch), epoch); err != nil {
		return 0, err
	}
	machine := &renewal{fsm: newFSM(func(string, lease, bool) {}), epoch: epoch}
	configuration := raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: f.id, Address: raft.ServerAddress(f.id)}}}
	if err := raft.RecoverCluster(f.config, machine, f.store, f.store, f.snapshots, f.transport, configuration); err != nil {
		return 0, fmt.Errorf("strong: %w", err)
	}
	if err := f.store.SetUint64([]byte(keyEpoch), epoch); err != nil {
		return 0, err
	}
	return epoch, f.store.remove([]byte(keyNewEpoch))
}

// renewal is a state machine whose snapshot is that of the next epoch.
type renewal struct {
	*fsm
	epoch uint64
}

// Snapshot implements raft.FSM.
func (r *renewal) Snapshot() (raft.FSMSnapshot, error) {
	r.fsm.mu.Lock()
	r.fsm.machine.begin(r.epoch)
	r.fsm.mu.Unlock()
	return r.fsm.Snapshot()
}

// Folder is what [Inspect] finds in a data folder.
type Folder struct {
	// Node is the name of the node that it belongs to.
	Node string
	// Epoch is that of its data, zero if there are none.
	Epoch uint64
	// Last is the last entry of its log and Term the term in which that was
	// made. Of two folders of one epoch, the one with the higher Term has the
	// newer data; in one Term, the one with the higher Last.
	Term, Last uint64
	// Interrupted says that NewEpoch did not end and has to be called again.
	Interrupted bool
}

// Inspect reads what there is in the data folder of a node that does not run.
func Inspect(dir string) (_ Folder, err error) {
	f, err := openFolder(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return Folder{}, err
	}
	defer func() { err = errors.Join(err, f.store.Close()) }()
	out := Folder{Epoch: f.epoch}
	out.Node, _ = folderName(f.id)
	if _, err := f.store.Get([]byte(keyNewEpoch)); err == nil {
		out.Interrupted = true
	}
	if out.Last, err = f.store.LastIndex(); err != nil {
		return Folder{}, err
	}
	if out.Last > 0 {
		var last raft.Log
		if err := f.store.GetLog(out.Last, &last); err != nil {
			return Folder{}, err
		}
		out.Term = last.Term
	}
	snapshots, err := f.snapshots.List()
	if err != nil {
		return Folder{}, err
	}
	for _, s := range snapshots {
		if s.Index > out.Last {
			out.Term, out.Last = s.Term, s.Index
		}
	}
	return out, nil
}

// folder is a data folder that no replica uses.
type folder struct {
	store     *store
	snapshots raft.SnapshotStore
	id        raft.ServerID
	epoch     uint64
	config    *raft.Config
	transport *transport
}

func openFolder(dir string, logger *slog.Logger) (_ *folder, err error) {
	if _, err := os.Stat(filepath.Join(dir, storeFile)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	s, err := openStore(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	id, err := s.Get([]byte(keyID))
	if err != nil {
		return nil, fmt.Errorf("%w: %s has never been a node's: %w", ErrFolder, dir, err)
	}
	epoch, err := s.GetUint64([]byte(keyEpoch))
	if err != nil && !errors.Is(err, errNotFound) {
		return nil, err
	}
	cfg := Config{Election: DefaultElection, SnapshotEvery: DefaultSnapshotEvery, Logger: logger}
	f := &folder{store: s, id: raft.ServerID(id), epoch: epoch, config: cfg.raft(raft.ServerID(id))}
	f.snapshots, err = raft.NewFileSnapshotStoreWithLogger(dir, keptSnapshots, raftLogger(logger))
	if err != nil {
		return nil, fmt.Errorf("strong: %w", err)
	}
	f.transport = newTransport(nil, f.id, 0) // only for the form of addresses
	return f, nil
}
