package actor

import (
	"cmp"
	"maps"
	"slices"
)

// pidSet is a small set of PIDs: a slice while it is small, a map above that,
// since most processes have one link and a supervisor may have a million.
type pidSet struct {
	few  []PID
	many map[PID]struct{}
}

const pidSetFew = 8

func (s *pidSet) add(p PID) {
	if s.many != nil {
		s.many[p] = struct{}{}
		return
	}
	for _, q := range s.few {
		if q == p {
			return
		}
	}
	if len(s.few) < pidSetFew {
		s.few = append(s.few, p)
		return
	}
	s.many = make(map[PID]struct{}, 4*pidSetFew)
	for _, q := range s.few {
		s.many[q] = struct{}{}
	}
	s.many[p] = struct{}{}
	s.few = nil
}

func (s *pidSet) remove(p PID) bool {
	if s.many != nil {
		_, ok := s.many[p]
		delete(s.many, p)
		return ok
	}
	for i, q := range s.few {
		if q == p {
			// In order, so that links fire in the order they were made.
			s.few = append(s.few[:i], s.few[i+1:]...)
			return true
		}
	}
	return false
}

func (s *pidSet) has(p PID) bool {
	if s.many != nil {
		_, ok := s.many[p]
		return ok
	}
	return slices.Contains(s.few, p)
}

func (s *pidSet) list() []PID {
	if s.many == nil {
		return append([]PID(nil), s.few...)
	}
	return slices.SortedFunc(maps.Keys(s.many), func(a, b PID) int { return cmp.Compare(a.id, b.id) })
}

// link puts a link to pid into p's half. It reports false if p is dead and its
// links have fired.
func (p *process) link(pid PID) bool {
	a := p.ensureAnnex()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.told() {
		return false
	}
	a.links.add(pid)
	if pid.node != p.sys.node {
		a.abroad = true
		p.sys.peers.watch(pid.node, p.id)
	}
	return true
}

func (p *process) unlink(pid PID) {
	if a := p.annex.Load(); a != nil {
		p.mu.Lock()
		a.links.remove(pid)
		p.mu.Unlock()
	}
}

// linked reports whether p's half of a link to pid stands.
func (p *process) linked(pid PID) bool {
	a := p.annex.Load()
	if a == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return a.links.has(pid)
}

// linkTo links p, whose goroutine this is, with the process at to.
func (p *process) linkTo(to PID) {
	if p.linked(to) {
		return // if to is just ending, this link will say why
	}
	if !p.link(to) {
		return // a zombie hears of nothing
	}
	if to.node != p.sys.node {
		if err := p.sys.route(Signal{Kind: SignalLink, From: p.pid(), To: to}); err != nil {
			p.signalExit(exitSignal{from: to, reason: err, link: true}, nil)
		}
		return
	}
	q := p.sys.procs.find(to.id)
	if q == nil || q.id != to.id || !q.link(p.pid()) { // an alias cannot be linked
		p.signalExit(exitSignal{from: to, reason: ErrNoProc, link: true}, nil)
	}
}

func (p *process) unlinkFrom(to PID) {
	p.unlink(to)
	if to.node != p.sys.node {
		// An unreachable node fires the link's other half itself.
		_ = p.sys.route(Signal{Kind: SignalUnlink, From: p.pid(), To: to})
	} else if q := p.sys.procs.find(to.id); q != nil {
		q.unlink(p.pid())
	}
}

// fireLinks sends p's exit signal to the processes linked to it. The children
// of a zombie are killed: nobody is left to stop them in order.
func (p *process) fireLinks(links []PID, reason error) {
	for _, pid := range links {
		if pid.node != p.sys.node {
			_ = p.sys.route(Signal{Kind: SignalExit, From: p.pid(), To: pid, Reason: reason, Link: true})
			continue
		}
		q := p.sys.procs.find(pid.id)
		if q == nil {
			continue
		}
		if reason == ErrZombie && q.parent == p.id {
			q.kill()
			continue
		}
		q.signalExit(exitSignal{from: p.pid(), reason: reason, link: true}, p)
	}
}
