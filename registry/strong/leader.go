package strong

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/topos-go/topos/actor"
)

const (
	// sessionAge is how long a node must have been away for its session to be
	// closed: longer than any request is retried.
	sessionAge = 10 * time.Minute
	// maxParked bounds the names that somebody waits for.
	maxParked = 1 << 16
)

// leader is what a replica does while it leads: it expires leases, tells who
// leads, and sees to it that there are enough voters.
type leader struct {
	rep  *replica
	wake chan struct{} // capacity 1: a node came or went

	mu     sync.Mutex
	term   uint64    // in which it is ready; zero if it does not lead
	since  time.Time // it is, by the clock that leases go by
	expiry *expiry
	parked map[string]map[actor.NodeID]struct{} // who waits for a lease
	peers  map[raft.ServerID]uint64             // what those who reported have applied

	away map[uint64]time.Time // of run: since when sessions have not been needed
}

func newLeader(rep *replica) *leader {
	return &leader{rep: rep, wake: make(chan struct{}, 1)}
}

// nudge lets the leader look at who is up.
func (l *leader) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// ready returns the term in which this node leads and is ready to, zero if it
// is not.
func (l *leader) ready() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.term
}

// stands reports whether raft still leads in a term.
func (l *leader) stands(term uint64) bool {
	return term != 0 && l.rep.raft.State() == raft.Leader && l.rep.raft.CurrentTerm() == term
}

// run leads whenever raft says so, until ctx ends.
func (l *leader) run(ctx context.Context) {
	for ctx.Err() == nil {
		if l.rep.raft.State() == raft.Leader {
			l.reign(ctx)
			continue
		}
		select {
		case <-l.rep.raft.LeaderCh():
		case <-ctx.Done():
		}
	}
}

// reign leads for one term.
func (l *leader) reign(ctx context.Context) {
	term := l.rep.raft.CurrentTerm()
	if !l.prepare(term) {
		pause(ctx, l.rep.r.cfg.Election/10)
		return
	}
	defer l.resign()
	l.rep.r.client.changed()
	l.rep.r.log.Info("leads the registry of strong names", "term", term, "epoch", l.rep.epoch.Load())
	election := l.rep.r.cfg.Election
	var announced time.Time
	news := true
	for l.stands(term) {
		now := time.Now()
		if since := now.Sub(announced); since >= 2*election || news && since >= election/4 {
			announced, news = now, false
			l.announce(term)
			l.collect(now)
		}
		timer := time.NewTimer(min(l.expire(), election/4))
		select {
		case <-timer.C:
		case <-l.wake:
			news = true
		case <-l.rep.raft.LeaderCh():
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// prepare makes this node ready to lead in a term: everything of earlier terms
// has been carried out, the epoch has been founded, and every lease has its
// time from now.
func (l *leader) prepare(term uint64) bool {
	if l.rep.raft.Barrier(0).Error() != nil {
		return false
	}
	var epoch uint64
	l.rep.fsm.view(func(m *machine) { epoch = m.epoch })
	if own := l.rep.epoch.Load(); epoch == 0 && own != 0 {
		c := command{op: opFound, token: Token{Epoch: own}}
		if _, err := l.rep.proposer.commit(c, l.rep.r.cfg.Election); err != nil {
			return false
		}
		epoch = own
	}
	if epoch == 0 || !l.stands(term) {
		return false
	}
	l.rep.fsm.view(func(m *machine) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.term, l.since = term, l.rep.r.cfg.clock.now()
		l.expiry = newExpiry()
		l.parked = make(map[string]map[actor.NodeID]struct{})
		l.peers = make(map[raft.ServerID]uint64)
		l.away = make(map[uint64]time.Time)
		for name, lease := range m.leases {
			l.expiry.saw(l.since, name, lease)
		}
	})
	return true
}

// resign ends the readiness.
func (l *leader) resign() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.term, l.expiry, l.parked, l.peers = 0, nil, nil, nil
}

// changed is told by the state machine, which it must not keep waiting, that a
// lease was acquired, renewed or ended.
func (l *leader) changed(name string, lease lease, held bool) {
	l.mu.Lock()
	if l.term == 0 {
		l.mu.Unlock()
		return
	}
	var waiting map[actor.NodeID]struct{}
	if held {
		l.expiry.saw(l.rep.r.cfg.clock.now(), name, lease)
	} else {
		l.expiry.ended(name)
		waiting = l.parked[name]
		delete(l.parked, name)
	}
	l.mu.Unlock()
	for node := range waiting {
		l.free(node, name)
	}
}

// park notes that a node did not get a lease and wants to know when it ends.
func (l *leader) park(name string, node actor.NodeID, token Token) {
	l.mu.Lock()
	if l.term == 0 {
		l.mu.Unlock()
		return
	}
	d, held := l.expiry.deadlines[name]
	over := !held || d.token != token
	if !over && (len(l.parked) < maxParked || l.parked[name] != nil) {
		if l.parked[name] == nil {
			l.parked[name] = make(map[actor.NodeID]struct{})
		}
		l.parked[name][node] = struct{}{}
	}
	l.mu.Unlock()
	if over {
		l.free(node, name)
	}
}

// free tells a node that a lease has ended. If it is not told, it tries anyway
// after a while.
func (l *leader) free(node actor.NodeID, name string) {
	if node == l.rep.r.self {
		l.rep.r.client.freed(name)
		return
	}
	_ = l.rep.r.x.send(node, frame{kind: kindFreed, body: []byte(name)})
}

// expire proposes to expire what is due, and returns when to look again.
func (l *leader) expire() time.Duration {
	cfg := &l.rep.r.cfg
	l.mu.Lock()
	now := cfg.clock.now()
	due := l.expiry.due(now, cfg.Election)
	next, more := l.expiry.next()
	settled := !now.Before(l.since.Add(cfg.TTL))
	l.mu.Unlock()
	ignore := func(result, error) {} // it is due again until it has come of it
	for _, d := range due {
		c := command{op: opExpire, name: d.name, token: d.token, renewed: d.renewed}
		l.rep.proposer.propose(c.encode(), ignore)
	}
	if settled {
		l.settle(ignore)
	}
	if !more {
		return time.Hour
	}
	return max(cfg.clock.until(next), time.Millisecond)
}

// settle lets an epoch that NewEpoch has begun grant leases: those of which it
// does not know, since this node's data were not the newest, are over by now.
func (l *leader) settle(ignore func(result, error)) {
	var settling bool
	l.rep.fsm.view(func(m *machine) {
		if settling = m.settling; !settling {
			return
		}
		for _, lease := range m.leases {
			settling = settling && lease.token.Epoch == m.epoch // an older one has not been expired yet
		}
	})
	if settling {
		c := command{op: opSettle}
		l.rep.proposer.propose(c.encode(), ignore)
	}
}

// announce tells all nodes who leads.
func (l *leader) announce(term uint64) {
	body := binary.AppendUvarint(nil, term)
	for _, node := range l.rep.r.roster.others() {
		_ = l.rep.r.x.send(node, frame{kind: kindView, epoch: l.rep.epoch.Load(), body: body})
	}
}

// reported takes a frame of kindReport.
func (l *leader) reported(from actor.NodeID, f frame) {
	r := reader{b: f.body}
	applied := r.uint()
	id := raft.ServerID(f.to)
	if node, ok := l.rep.r.roster.locate(id); r.end() != nil || !ok || node != from {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.term != 0 {
		l.peers[id] = applied
	}
}

// collect closes the sessions that nobody will use again: of nodes that have
// been away for long, and those that their nodes gave up for another.
func (l *leader) collect(now time.Time) {
	unused := make(map[uint64]bool)
	l.rep.fsm.view(func(m *machine) {
		newest := make(map[string]uint64)
		for id, s := range m.sessions {
			newest[s.node] = max(newest[s.node], id)
		}
		for id, s := range m.sessions {
			node, err := actor.ParseNodeID(s.node)
			up, ok := l.rep.r.roster.named(node.Name)
			unused[id] = err != nil || !ok || up != node || newest[s.node] != id
		}
	})
	for id := range l.away {
		if !unused[id] {
			delete(l.away, id)
		}
	}
	for id, is := range unused {
		since, noted := l.away[id]
		switch {
		case is && !noted:
			l.away[id] = now
		case is && now.Sub(since) >= sessionAge:
			c := command{op: opClose, token: Token{Index: id}}
			l.rep.proposer.propose(c.encode(), func(result, error) {})
			delete(l.away, id)
		}
	}
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
