package actor

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// MonitorRef identifies one monitor. A process may monitor the same process
// many times; each monitor has a MonitorRef and a [Down] of its own.
type MonitorRef struct{ id uint64 }

// String formats r as "#n".
func (r MonitorRef) String() string { return "#" + strconv.FormatUint(r.id, 10) }

// watchKey identifies a monitor at the process that is watched: refs are only
// unique on the watcher's node.
type watchKey struct {
	ref  uint64
	node NodeHandle
}

// monitoring is one monitor at the process that watches.
type monitoring struct {
	of     Address
	target PID    // zero for a name on another node
	node   string // that other node
	fired  bool   // the Down is in the mailbox
	reason error  // of that Down

	awaited callRef // who waits for the Down in AwaitDown; see there
}

// monitor starts a monitor of p, whose goroutine this is, on to.
func (p *process) monitor(to Address) MonitorRef {
	ref := MonitorRef{p.sys.refs.Add(1)}
	target, err := p.sys.resolve(to)
	abroad := err == nil && target.remote(p.sys)
	if !p.addMonitor(ref, &monitoring{of: to, target: target.pid, node: target.at.Node}, target, abroad) {
		return ref // a zombie hears of nothing
	}
	switch {
	case err != nil:
	case abroad:
		err = p.sys.route(Signal{Kind: SignalMonitor, From: p.pid(), To: target.pid, Name: target.at, Ref: ref.id})
	default:
		q := p.sys.procs.find(target.pid.id)
		if q == nil || !q.watch(watchKey{ref.id, p.sys.node}, p.pid()) {
			err = ErrNoProc
		}
	}
	if err != nil {
		p.monitorDown(ref, err, nil)
	}
	return ref
}

// addMonitor puts m into p's half of a monitor of to. It reports false if p is
// dead.
func (p *process) addMonitor(ref MonitorRef, m *monitoring, to target, abroad bool) bool {
	a := p.ensureAnnex()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase == phaseDead {
		return false
	}
	if a.monitors == nil {
		a.monitors = make(map[MonitorRef]*monitoring)
	}
	a.monitors[ref] = m
	if abroad {
		p.watchNode(to)
	}
	return true
}

// watch notes that by monitors p. It reports false if p is dead and its monitors
// have fired.
func (p *process) watch(key watchKey, by PID) bool {
	a := p.ensureAnnex()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.told() {
		return false
	}
	if a.watchers == nil {
		a.watchers = make(map[watchKey]PID)
	}
	a.watchers[key] = by
	if key.node != p.sys.node {
		a.abroad = true
		p.sys.peers.watch(key.node, p.id)
	}
	return true
}

// unwatch ends a monitor of p. It reports false if there is none.
func (p *process) unwatch(key watchKey) (found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.annex.Load(); a != nil {
		_, found = a.watchers[key]
		delete(a.watchers, key)
	}
	return found
}

// monitorDown lets the monitor ref of p fire, unless it was taken back.
func (p *process) monitorDown(ref MonitorRef, reason error, from *process) {
	p.mu.Lock()
	a := p.annex.Load()
	if a == nil || p.phase == phaseDead {
		p.mu.Unlock()
		return
	}
	m := a.monitors[ref]
	if m == nil || m.fired {
		p.mu.Unlock()
		return
	}
	m.fired, m.reason = true, reason
	if m.awaited.complete(nil, nil, true) {
		p.mu.Unlock()
		return
	}
	p.enqueueLocked(&letter{kind: letterDown, ref: ref.id, of: m.of, reason: reason})
	p.wake(from) // unlocks
}

// monitorFired is called when a Down reaches the receiver. It reports whether
// the Down is still wanted.
func (p *process) monitorFired(ref MonitorRef) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.annex.Load()
	_, wanted := a.monitors[ref]
	delete(a.monitors, ref)
	return wanted
}

// demonitor ends the monitor ref. With flush a Down that is already in the
// mailbox is not delivered either.
func (p *process) demonitor(ref MonitorRef, flush bool) bool {
	p.mu.Lock()
	a := p.annex.Load()
	var m *monitoring
	if a != nil {
		m = a.monitors[ref]
	}
	if m == nil {
		p.mu.Unlock()
		return false
	}
	fired := m.fired
	if !fired || flush {
		delete(a.monitors, ref)
	}
	p.mu.Unlock()
	if !fired {
		p.cancelMonitor(ref, m)
	}
	return !fired
}

// cancelMonitor tells the watched process that m has ended.
func (p *process) cancelMonitor(ref MonitorRef, m *monitoring) {
	if _, whole := m.of.(wholeNode); whole {
		p.endHeart(m)
		return // the node does not know of it
	}
	if m.node != "" || m.target.node != p.sys.node && !m.target.IsZero() {
		name, _ := m.of.(NameAt)
		_ = p.sys.route(Signal{Kind: SignalDemonitor, From: p.pid(), To: m.target, Name: name, Ref: ref.id})
	} else if q := p.sys.procs.find(m.target.id); q != nil {
		q.unwatch(watchKey{ref.id, p.sys.node})
	}
}

// fireMonitors tells p's watchers of its end and ends the monitors p held.
func (p *process) fireMonitors(watchers map[watchKey]PID, monitors map[MonitorRef]*monitoring, reason error) {
	// In the order in which the monitors were made.
	keys := slices.SortedFunc(maps.Keys(watchers), func(a, b watchKey) int { return cmp.Compare(a.ref, b.ref) })
	for _, key := range keys {
		if by := watchers[key]; by.node != p.sys.node {
			_ = p.sys.route(Signal{Kind: SignalDown, From: p.pid(), To: by, Ref: key.ref, Reason: reason})
		} else if q := p.sys.procs.find(by.id); q != nil {
			q.monitorDown(MonitorRef{key.ref}, reason, p)
		}
	}
	for ref, m := range monitors {
		if !m.fired {
			p.cancelMonitor(ref, m)
		}
	}
}
