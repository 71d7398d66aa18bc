package actor

// finalize takes p out of the world, in the order that OTP promises: first its
// names are free and p cannot be found any more, then callers, links and
// monitors learn of it. own says whether the caller owns the receiver's line;
// for a zombie nobody does but the stuck handler.
func (p *process) finalize(reason error, own bool) {
	p.detach(reason)
	p.sys.procs.remove(p.id) // last, so that who finds nobody finds the names free
	p.failCalls(reason)
	p.releaseBlocked() // after the calls among them have failed with the reason
	p.discardMail(own)
	p.discount()
	p.tell(reason)
	p.sys.exited(p, reason)
}

// tell lets p's links and monitors fire. Those made since p died are among
// them: until this moment nobody may be told that p is gone.
func (p *process) tell(reason error) {
	p.mu.Lock()
	p.fence.Or(fenceTold)
	a := p.annex.Load()
	if a == nil {
		p.mu.Unlock()
		return
	}
	links, watchers, monitors, abroad := a.links.list(), a.watchers, a.monitors, a.abroad
	a.links, a.watchers, a.monitors = pidSet{}, nil, nil
	p.mu.Unlock()
	if abroad {
		p.sys.peers.forget(p.id)
	}
	p.fireLinks(links, reason)
	p.fireMonitors(watchers, monitors, reason)
}

// detach frees all other means by which p can be reached but its PID.
func (p *process) detach(reason error) {
	p.mu.Lock()
	a := p.annex.Load()
	if a == nil {
		p.mu.Unlock()
		return
	}
	names, clusters, aliases, timers := a.names, a.clusters, a.aliases, a.timers
	a.names, a.clusters, a.aliases, a.timers = nil, nil, nil, nil
	life, grace, idle := a.life, a.grace, a.idle
	p.mu.Unlock()
	for _, id := range aliases {
		p.sys.procs.remove(id)
	}
	for _, name := range names {
		p.sys.names.remove(name, p.pid())
	}
	for _, name := range clusters {
		p.sys.clusterNames.Unregister(string(name), p.pid())
	}
	for _, t := range timers {
		t.timer.Stop()
	}
	if grace != nil {
		grace.Stop()
	}
	if idle != nil {
		idle.timer.Stop()
	}
	if life != nil {
		life.cancel(reason)
	}
}

// releaseBlocked lets those that wait for room in p's mailbox find out that p is gone.
func (p *process) releaseBlocked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.annex.Load(); a != nil && a.bound != nil {
		a.bound.releaseAll()
	}
}

// discardMail makes dead letters of what p will not handle any more.
func (p *process) discardMail(own bool) {
	if own {
		p.discardHand()
	}
	var h hand
	for {
		p.mu.Lock()
		var msg any
		ok := false
		if p.mailbox.bounded {
			msg, ok = p.annex.Load().bound.pop()
		} else if h.firstI < h.firstN || h.chunk != nil || p.mailbox.take(&h) {
			msg, ok = h.next(p.sys)
		}
		p.mu.Unlock()
		if !ok {
			return
		}
		p.sys.discard(p.pid(), msg, ErrNoProc)
	}
}

// discardHand makes dead letters of what the receiver has taken or stashed.
func (p *process) discardHand() {
	if a := p.annex.Load(); a != nil {
		for _, e := range a.stash.entries {
			p.sys.discard(p.pid(), e.msg, ErrNoProc)
		}
		a.stash.entries = nil
	}
	for {
		msg, ok := p.hand.next(p.sys)
		if !ok {
			return
		}
		p.sys.discard(p.pid(), msg, ErrNoProc)
	}
}

// returned is called on the goroutine of a zombie that has come back to its
// senses. Everybody has been told already that the process is dead.
func (p *process) returned() {
	p.discardHand()
	p.sys.zombies.remove(p.pid())
	p.sys.observers.report(ZombieReturned{p.pid()})
}
