package strong

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/topos-go/topos/actor"
)

// disk is where a replica keeps its log, in a folder or in memory.
type disk interface {
	raft.LogStore
	raft.StableStore
	io.Closer
}

// replica is a copy of the data and raft, which keeps the copies the same. That
// it has no vote, or is no server yet, makes no difference here.
type replica struct {
	r         *Registry
	id        raft.ServerID
	disk      disk
	fsm       *fsm
	transport *transport
	raft      *raft.Raft
	proposer  *proposer
	readers   *readers
	leader    *leader

	epoch   atomic.Uint64 // of the data; zero while there are none
	adopted sync.Mutex    // held while the epoch is written

	ctx    context.Context // ends when raft is to be used no more
	cancel context.CancelFunc
	work   sync.WaitGroup // uses raft
	finish sync.WaitGroup // waits for what raft has in hand
}

// raftTimeouts of an election time: raft adds up to as much at random.
func (c *Config) raft(id raft.ServerID) *raft.Config {
	rc := raft.DefaultConfig()
	rc.LocalID = id
	rc.HeartbeatTimeout = c.Election
	rc.ElectionTimeout = c.Election
	rc.LeaderLeaseTimeout = c.Election / 2
	rc.CommitTimeout = max(c.Election/20, time.Millisecond)
	rc.MaxAppendEntries = 256
	rc.ShutdownOnRemove = false // it may be asked to come back
	rc.SnapshotInterval = max(c.Election, time.Second)
	rc.SnapshotThreshold = uint64(c.SnapshotEvery)
	rc.TrailingLogs = uint64(c.SnapshotEvery)
	rc.NoLegacyTelemetry = true
	rc.Logger = raftLogger(c.Logger)
	return rc
}

// newReplica opens the node's data and makes a raft of them.
func newReplica(r *Registry) (_ *replica, err error) {
	rep := &replica{r: r}
	rep.ctx, rep.cancel = context.WithCancel(r.ctx)
	snapshots, err := rep.open()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, rep.disk.Close())
		}
	}()
	r.learn(rep.epoch.Load())
	rep.leader = newLeader(rep)
	rep.fsm = newFSM(rep.leader.changed)
	rep.transport = newTransport(r.x, rep.id, max(2*r.cfg.Election, time.Second))
	rep.transport.locate = func(id raft.ServerID) (actor.NodeID, bool) {
		if r.ended() {
			return actor.NodeID{}, false // nobody is to hear of these data
		}
		return r.roster.locate(id)
	}
	rep.transport.admit = rep.admit
	rep.transport.epoch = rep.epoch.Load
	pen := &pen{disk: rep.disk}
	rep.raft, err = raft.NewRaft(r.cfg.raft(rep.id), rep.fsm, pen, rep.disk, snapshots, rep.transport)
	if err != nil {
		return nil, fmt.Errorf("strong: %w", err)
	}
	rep.proposer = newProposer(rep.raft, pen)
	rep.readers = &readers{fsm: rep.fsm, confirm: rep.leader.confirm, queue: newQueue[pendingRead](maxReads)}
	return rep, nil
}

// open opens the folder, or memory, and finds out who this replica is.
func (rep *replica) open() (raft.SnapshotStore, error) {
	cfg := &rep.r.cfg
	if cfg.Dir == "" {
		rep.disk, rep.id = newMemoryStore(), memoryID(rep.r.self)
		return new(memorySnapshots), nil
	}
	s, err := openStore(cfg.Dir)
	if err != nil {
		return nil, err
	}
	rep.disk = s
	snapshots, err := raft.NewFileSnapshotStoreWithLogger(cfg.Dir, keptSnapshots, raftLogger(cfg.Logger))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("strong: %w", err), s.Close())
	}
	if err := rep.identify(s); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return snapshots, nil
}

// identify reads who the owner of a folder is, and its epoch.
func (rep *replica) identify(s *store) error {
	if _, err := s.Get([]byte(keyNewEpoch)); err == nil {
		return fmt.Errorf("%w: a new epoch was begun in it and not ended; begin it again", ErrFolder)
	}
	id, err := s.Get([]byte(keyID))
	if errors.Is(err, errNotFound) {
		id = []byte(newFolderID(rep.r.self))
		err = s.Set([]byte(keyID), id)
	}
	if err != nil {
		return err
	}
	rep.id = raft.ServerID(id)
	if name, _ := folderName(rep.id); name != rep.r.self.Name {
		return fmt.Errorf("%w: it is that of %s, this node is %s", ErrFolder, name, rep.r.self.Name)
	}
	epoch, err := s.GetUint64([]byte(keyEpoch))
	if err != nil && !errors.Is(err, errNotFound) {
		return err
	}
	last, err := s.LastIndex()
	if err != nil {
		return err
	}
	if epoch == 0 && last > 0 {
		// It was founding, and ended before it could write this.
		epoch = 1
		if err := s.SetUint64([]byte(keyEpoch), epoch); err != nil {
			return err
		}
	}
	rep.epoch.Store(epoch)
	return nil
}

func (rep *replica) start() {
	rep.transport.start()
	rep.finish.Go(rep.proposer.finish)
	rep.work.Go(rep.proposer.run)
	rep.work.Go(func() { rep.readers.run(rep.ctx) })
	rep.work.Go(func() { rep.leader.run(rep.ctx) })
	rep.work.Go(func() { rep.leader.move(rep.ctx) })
	if rep.mayFound() {
		rep.work.Go(func() { rep.found(rep.ctx) })
	}
}

// close ends the replica. raft must have nothing in hand when it ends, since it
// does not always say what came of that. While it runs it finishes everything,
// or fails it as soon as it has heard of no majority for half an election; so
// that is waited for, whatever ctx says. ctx bounds the handing over.
func (rep *replica) close(ctx context.Context) error {
	handedOver := make(chan struct{})
	rep.finish.Go(func() {
		defer close(handedOver)
		if rep.raft.State() == raft.Leader {
			// If there is nobody to take over, the others will find out.
			_ = rep.raft.LeadershipTransfer().Error()
		}
	})
	select {
	case <-handedOver:
	case <-ctx.Done():
	}
	rep.cancel()
	rep.proposer.close()
	rep.work.Wait()
	rep.finish.Wait()
	ended := rep.raft.Shutdown()
	err := rep.transport.Close() // so that nothing waits for an answer
	err = errors.Join(err, ended.Error())
	return errors.Join(err, rep.disk.Close())
}

// admit says whether what comes from a replica of an epoch concerns this one. A
// replica without data takes the epoch of who gives it some.
func (rep *replica) admit(epoch uint64) error {
	if epoch == 0 {
		return errors.New("strong: a request of no epoch")
	}
	if rep.epoch.Load() == 0 {
		if err := rep.adopt(epoch); err != nil {
			return err
		}
	}
	if own := rep.epoch.Load(); epoch != own {
		rep.r.learn(epoch) // which changes nothing if it is lower
		return fmt.Errorf("strong: a request of epoch %d in epoch %d", epoch, own)
	}
	return nil
}

// adopt gives a replica without data its epoch.
func (rep *replica) adopt(epoch uint64) error {
	rep.adopted.Lock()
	defer rep.adopted.Unlock()
	if rep.epoch.Load() != 0 {
		return nil
	}
	if err := rep.disk.SetUint64([]byte(keyEpoch), epoch); err != nil {
		return err
	}
	rep.epoch.Store(epoch)
	rep.r.learn(epoch)
	return nil
}

// handle takes a frame for a replica or its leader. It does not wait.
func (rep *replica) handle(from actor.NodeID, f frame) {
	if rep.r.ended() {
		rep.r.refuse(from, f, ErrObsolete)
		return
	}
	switch {
	case f.kind.raftRequest():
		rep.transport.receive(from, f)
	case f.kind == kindChunk:
		rep.transport.receiveChunk(from, f)
	case f.kind == kindTaken:
		rep.transport.receiveTaken(f)
	case f.kind == kindCommand:
		rep.handleCommand(from, f)
	case f.kind == kindRead:
		q, err := decodeQuery(f.body)
		if err != nil {
			rep.r.refuse(from, f, err)
			return
		}
		rep.read(q, func(res result, err error) { rep.reply(from, f, res, err) })
	case f.kind == kindConfirm:
		rep.confirmed(from, f)
	case f.kind == kindForm:
		rep.formed(from, f)
	case f.kind == kindReport:
		rep.leader.reported(from, f)
	}
}

// handleCommand takes a command from another node: one of a session, or to open
// one. The rest is the leader's own.
func (rep *replica) handleCommand(from actor.NodeID, f frame) {
	c, err := decodeCommand(f.body)
	if err == nil && c.session == 0 && c.op != opOpen {
		err = errMalformed
	}
	if err != nil {
		rep.r.refuse(from, f, err)
		return
	}
	rep.command(from, c, f.body, func(res result, err error) { rep.reply(from, f, res, err) })
}

// leads returns nil if this node leads and does not end.
func (rep *replica) leads() error {
	if rep.raft.State() != raft.Leader {
		return errNotLeader
	}
	return rep.r.running()
}

// command carries out a command of a node, if this one leads.
func (rep *replica) command(of actor.NodeID, c command, encoded []byte, answer func(result, error)) {
	if err := rep.leads(); err != nil {
		answer(result{}, err)
		return
	}
	rep.proposer.propose(encoded, func(res result, err error) {
		if err == nil && res.code == codeHeld {
			rep.leader.park(c.name, of, res.token)
		}
		answer(res, err)
	})
}

// read reads, if this node leads.
func (rep *replica) read(q query, answer func(result, error)) {
	if err := rep.leads(); err != nil {
		answer(result{}, err)
		return
	}
	rep.readers.ask(q, answer)
}

// reply answers a node: with the result, or with who leads.
func (rep *replica) reply(to actor.NodeID, f frame, res result, err error) {
	if err == nil {
		_ = rep.r.x.send(to, frame{kind: kindAnswer, id: f.id, body: appendResult(nil, res)})
		return
	}
	_, id := rep.raft.LeaderWithID()
	_ = rep.r.x.send(to, frame{kind: kindRefusal, id: f.id, body: []byte(id)})
}

// confirmed tells a leader which term this voter is in.
func (rep *replica) confirmed(from actor.NodeID, f frame) {
	if f.to != string(rep.id) || f.epoch != rep.epoch.Load() {
		rep.r.refuse(from, f, errNotLeader)
		return
	}
	term := binary.AppendUvarint(nil, rep.raft.CurrentTerm())
	_ = rep.r.x.send(from, frame{kind: kindAnswer, id: f.id, body: term})
}

// report tells a leader how far this replica is.
func (rep *replica) report(to actor.NodeID) {
	if rep.r.running() != nil {
		return
	}
	body := binary.AppendUvarint(nil, rep.raft.AppliedIndex())
	_ = rep.r.x.send(to, frame{kind: kindReport, to: string(rep.id), body: body})
}
