package actor

import "sync"

// nameTable holds the names registered on this node.
type nameTable struct {
	mu    sync.RWMutex
	byKey map[Name]PID
}

func (t *nameTable) init() { t.byKey = make(map[Name]PID) }

func (t *nameTable) find(name Name) (PID, bool) {
	t.mu.RLock()
	pid, ok := t.byKey[name]
	t.mu.RUnlock()
	return pid, ok
}

func (t *nameTable) add(name Name, pid PID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, taken := t.byKey[name]; taken {
		return false
	}
	t.byKey[name] = pid
	return true
}

func (t *nameTable) remove(name Name, pid PID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byKey[name] != pid {
		return false
	}
	delete(t.byKey, name)
	return true
}

// register gives p the local name.
func (p *process) register(name Name) error {
	if name == "" {
		return ErrInvalidName
	}
	a := p.ensureAnnex()
	// Under the lock, so that a zombie cannot take a name for even a moment.
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase == phaseDead || p.fenced() {
		return ErrKilled
	}
	if !p.sys.names.add(name, p.pid()) {
		return ErrNameTaken
	}
	a.names = append(a.names, name)
	return nil
}

// unregister takes the local name from p.
func (p *process) unregister(name Name) bool {
	if !p.sys.names.remove(name, p.pid()) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.annex.Load()
	for i, n := range a.names {
		if n == name {
			a.names = append(a.names[:i:i], a.names[i+1:]...)
			break
		}
	}
	return true
}

// registerCluster gives p the cluster-wide name.
func (p *process) registerCluster(name ClusterName) error {
	if name == "" {
		return ErrInvalidName
	}
	if p.fenced() {
		return ErrKilled
	}
	a := p.ensureAnnex()
	if err := p.sys.clusterNames.Register(string(name), p.pid()); err != nil {
		return err
	}
	p.mu.Lock()
	dead := p.phase == phaseDead
	if !dead {
		a.clusters = append(a.clusters, name)
	}
	p.mu.Unlock()
	if dead {
		p.sys.clusterNames.Unregister(string(name), p.pid())
		return ErrKilled
	}
	return nil
}

// addAlias makes another PID for p.
func (p *process) addAlias() (PID, error) {
	a := p.ensureAnnex()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase == phaseDead {
		return PID{}, ErrNoProc
	}
	id, ok := p.sys.procs.add(p)
	if !ok {
		return PID{}, ErrTooManyProcesses
	}
	a.aliases = append(a.aliases, id)
	return PID{node: p.sys.node, id: id}, nil
}

// removeAlias ends an alias. Messages sent to it from now on are dead letters.
func (p *process) removeAlias(alias PID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.annex.Load()
	if a == nil || alias.node != p.sys.node {
		return false
	}
	for i, id := range a.aliases {
		if id == alias.id {
			a.aliases = append(a.aliases[:i:i], a.aliases[i+1:]...)
			return p.sys.procs.remove(id)
		}
	}
	return false
}
