package remote

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote/session"
)

// ledger has the sessions of acknowledged messages with every incarnation of
// another node there has been, as long as it may come back: they outlive what
// binds the two nodes at one time.
type ledger struct {
	mu     sync.Mutex
	byNode map[actor.NodeHandle]*sessions
	closed bool
}

// maxAbsent bounds how many nodes that are down are remembered.
const maxAbsent = 4096

// streamKey names one stream of acknowledged messages between two nodes.
type streamKey struct {
	channel string
	shard   uint32 // shards for those that are not ordered
}

// sessionShard returns the shard of a streamKey for that in a signal.
func sessionShard(plusOne uint32) uint32 {
	if plusOne == 0 {
		return shards
	}
	return plusOne - 1
}

// sessionsOf returns the sessions with p's node, making them if need be. It returns nil
// if there are none and p has been released: they would never get anywhere.
func (n *Node) sessionsOf(p *peer) *sessions {
	l := &n.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if ss := l.byNode[p.handle]; ss != nil {
		return ss
	}
	if p.released.Load() {
		return nil
	}
	if l.byNode == nil {
		l.byNode = make(map[actor.NodeHandle]*sessions)
	}
	ss := newSessions(n, p)
	if l.closed {
		ss.close(ErrClosed)
	}
	l.byNode[p.handle] = ss
	return ss
}

// reconnected lets the sessions with p's node go on over p, which nobody else
// knows yet. Those with older incarnations of it are over.
func (l *ledger) reconnected(p *peer) {
	l.mu.Lock()
	mine := l.byNode[p.handle]
	var over []*sessions
	for h, ss := range l.byNode {
		id := h.Value()
		if id.Name == p.id.Name && p.id.Incarnation.Newer(id.Incarnation) {
			over = append(over, ss)
			delete(l.byNode, h)
		}
	}
	l.mu.Unlock()
	dead := p.node.talks.returned(p.id)
	if len(over)+len(dead) > 0 {
		// Not here: it makes dead letters, and p is not complete. But before
		// anything comes from p.
		p.cleared = make(chan struct{})
		p.node.wg.Go(func() {
			defer close(p.cleared)
			for _, ss := range over {
				ss.close(overlay.ErrRestarted)
				p.node.talks.bury(ss.id)
			}
			for _, id := range dead {
				p.node.talks.bury(id)
			}
		})
	}
	if mine != nil {
		mine.attach(p)
	}
}

// lost tells the sessions with p's node that p is gone, and whether the node
// may come back.
func (l *ledger) lost(p *peer, reason error) {
	final := errors.Is(reason, overlay.ErrRestarted) || errors.Is(reason, overlay.ErrLeft) || errors.Is(reason, ErrClosed)
	l.mu.Lock()
	ss := l.byNode[p.handle]
	if ss != nil && final {
		delete(l.byNode, p.handle)
	}
	evicted := l.evictLocked()
	l.mu.Unlock()
	switch {
	case ss == nil:
	case final:
		ss.close(reason)
	default:
		ss.detach(p)
	}
	if errors.Is(reason, ErrClosed) {
		// This node ends: what waits ends with it.
	} else if final {
		p.node.talks.bury(p.id)
	} else {
		p.node.talks.miss(p.id, 2*p.node.cfg.AckAge)
	}
	if evicted != nil {
		evicted.close(reason)
		p.node.talks.bury(evicted.id)
	}
}

// evictLocked takes out the sessions with the node that has been down for the
// longest, if there are too many.
func (l *ledger) evictLocked() *sessions {
	var oldest *sessions
	absent := 0
	for _, ss := range l.byNode {
		if since := ss.absentSince(); !since.IsZero() {
			absent++
			if oldest == nil || since.Before(oldest.absentSince()) {
				oldest = ss
			}
		}
	}
	if absent <= maxAbsent {
		return nil
	}
	delete(l.byNode, oldest.handle)
	return oldest
}

// close ends all sessions.
func (l *ledger) close() {
	l.mu.Lock()
	all := l.byNode
	l.byNode, l.closed = nil, true
	l.mu.Unlock()
	for _, ss := range all {
		ss.close(ErrClosed)
	}
}

// sessions are the streams of acknowledged messages with one incarnation of
// another node, both ways.
type sessions struct {
	node   *Node
	id     actor.NodeID
	handle actor.NodeHandle

	mu     sync.Mutex
	table  *session.Table[streamKey, acked]
	peer   *peer     // over which they are sent; nil while the node is down
	absent time.Time // since when it is nil
	timer  *time.Timer
	room   chan struct{} // closed and replaced when there is some
	over   bool
}

// acked is an item of a session: what is sent, or what has come.
type acked struct {
	out *retained
	in  arrival
}

func newSessions(n *Node, p *peer) *sessions {
	ss := &sessions{node: n, id: p.id, handle: p.handle, peer: p, room: make(chan struct{})}
	n.randMu.Lock()
	seed := n.rand.Uint64()
	n.randMu.Unlock()
	table, err := session.NewTable[streamKey, acked](session.TableConfig[streamKey]{
		Stream: session.Config{
			// Lanes recover by themselves; this is for what they cannot.
			RetryMin: max(10*n.cfg.Heartbeat, 10*time.Second), RetryMax: max(10*n.cfg.Heartbeat, time.Minute),
			MaxAge: n.cfg.AckAge, AckDelay: ackDelay,
		},
		Unordered:  func(k streamKey) bool { return k.shard == shards },
		MaxStreams: maxChannels * (shards + 1),
		MaxBytes:   DefaultQueueBytes + n.cfg.MaxMessage,
		Rand:       rand.New(rand.NewPCG(seed, 3)),
	})
	if err != nil {
		panic(fmt.Sprintf("remote: sessions: %v", err)) // constants, and what Config.valid has checked
	}
	ss.table = table
	ss.timer = time.AfterFunc(time.Hour, ss.tick)
	ss.timer.Stop()
	return ss
}

func (ss *sessions) absentSince() time.Time {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return ss.absent
}

// attach lets the sessions go on over p.
func (ss *sessions) attach(p *peer) {
	ss.mu.Lock()
	now := time.Now()
	ss.table.Down(now)
	ss.peer, ss.absent = p, time.Time{}
	done := ss.carryOutLocked(ss.table.Reconnected(now))
	ss.unlock(done)
}

// detach waits for the node to come back, if it was on p.
func (ss *sessions) detach(p *peer) {
	ss.mu.Lock()
	if ss.peer == p {
		ss.table.Down(time.Now())
		ss.peer, ss.absent = nil, time.Now()
	}
	ss.unlock(nil)
}

// close ends the sessions: what is not acknowledged becomes dead letters.
func (ss *sessions) close(reason error) {
	ss.mu.Lock()
	done := ss.carryOutLocked(ss.table.Close(time.Now(), reason))
	ss.over, ss.peer = true, nil
	ss.timer.Stop()
	close(ss.room)
	ss.room = make(chan struct{})
	ss.mu.Unlock()
	ss.node.settle(done)
}

// tick does what is due.
func (ss *sessions) tick() {
	ss.mu.Lock()
	now := time.Now()
	done := ss.carryOutLocked(ss.table.Tick(now))
	ss.unlock(done)
}

// unlock sends the acknowledgements that are due, sets the timer, unlocks and
// accounts for what was given up.
func (ss *sessions) unlock(done []session.GaveUp[acked]) {
	now := time.Now()
	if !ss.over {
		ss.acknowledgeLocked(now)
		if next := ss.table.Deadline(); !next.IsZero() {
			ss.timer.Reset(max(0, next.Sub(now)))
		}
	}
	ss.mu.Unlock()
	ss.node.settle(done)
}
