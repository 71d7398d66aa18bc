package strong

import (
	"context"
	"slices"
	"time"

	"github.com/hashicorp/raft"
)

// maxLag is how many entries a standby may be behind to be given a vote: it has
// them in a moment.
const maxLag = 256

// move changes who has the data and who votes, one change at a time, while this
// node leads.
func (l *leader) move(ctx context.Context) {
	cfg := &l.rep.r.cfg
	rules := quorum{voters: len(cfg.Voters), standbys: cfg.Standbys, replaceAfter: cfg.ReplaceAfter, maxLag: maxLag}
	tick := time.NewTicker(min(max(cfg.ReplaceAfter/20, cfg.Election/4), time.Second))
	defer tick.Stop()
	away := make(map[string]time.Time)
	var reign uint64
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		term := l.ready()
		if !l.stands(term) {
			continue
		}
		if term != reign {
			reign = term
			clear(away)
		}
		servers, index, peers := l.census(time.Now(), away)
		m := rules.next(time.Now(), string(l.rep.id), l.rep.raft.CommitIndex(), servers, peers)
		if m.kind == moveNone {
			continue
		}
		if err := l.carryOut(m, index); err != nil {
			l.rep.r.log.Debug("changing who votes failed", "server", m.id, "error", err)
		} else {
			l.rep.r.log.Info("changed who votes on strong names", "change", m.kind.String(), "server", m.id)
		}
	}
}

// census is what there is to decide on. away is since when nodes are.
func (l *leader) census(now time.Time, away map[string]time.Time) (servers []server, index uint64, peers map[string]peer) {
	roster := l.rep.r.roster
	configuration := l.rep.raft.GetConfiguration()
	peers = make(map[string]peer)
	see := func(id raft.ServerID) {
		p := peer{gone: roster.gone(id)}
		if _, p.up = roster.locate(id); p.up {
			delete(away, string(id))
		} else if since, noted := away[string(id)]; noted {
			p.since = since
		} else {
			away[string(id)], p.since = now, now
		}
		peers[string(id)] = p
	}
	for _, s := range configuration.Configuration().Servers {
		servers = append(servers, server{id: string(s.ID), voter: s.Suffrage == raft.Voter})
		see(s.ID)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, applied := range l.peers {
		if _, seen := peers[string(id)]; !seen {
			see(id)
		}
		p := peers[string(id)]
		if !p.up && !slices.ContainsFunc(servers, func(s server) bool { return s.id == string(id) }) {
			delete(l.peers, id) // it was never more than a candidate
			delete(away, string(id))
			delete(peers, string(id))
			continue
		}
		p.reported, p.applied = true, applied
		peers[string(id)] = p
	}
	return servers, configuration.Index(), peers
}

// carryOut makes a change and returns when it is committed. It applies to the
// configuration that was decided on, and no other.
func (l *leader) carryOut(m move, index uint64) error {
	id, address := raft.ServerID(m.id), raft.ServerAddress(m.id)
	switch m.kind {
	case moveAdd:
		return l.rep.raft.AddNonvoter(id, address, index, 0).Error()
	case movePromote:
		return l.rep.raft.AddVoter(id, address, index, 0).Error()
	default:
		return l.rep.raft.RemoveServer(id, index, 0).Error()
	}
}

func (k moveKind) String() string {
	switch k {
	case moveAdd:
		return "standby"
	case movePromote:
		return "voter"
	case moveRemove:
		return "removed"
	}
	return "none"
}
