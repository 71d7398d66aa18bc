package mesh

import (
	"slices"
	"sync"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/groups"
)

// Names of the groups of a service: all instances, with their definitions, and
// those that are sick. Two groups, since a member's metadata cannot be changed
// without its leaving.
func groupOf(service string) string { return "mesh/" + service }
func sickOf(service string) string  { return "mesh.sick/" + service }

// pool is all that this node knows of one service, in whatever versions. Its
// instances' fields that are not atomic are guarded by mu.
type pool struct {
	mesh    *Mesh
	name    string
	breaker *breaker
	unwatch []func()

	mu        sync.Mutex
	instances []*instance // by PID
	tally     tally
	policy    Definition // of the highest version
	views     []*Service
	nextJudge time.Duration
	closed    bool
}

// newPool is called without mesh.mu.
func newPool(m *Mesh, name string) *pool {
	p := &pool{mesh: m, name: name}
	p.policy = Definition{Name: name}.withDefaults()
	p.breaker = p.newBreaker(p.policy.Breaker, actor.PID{})
	return p
}

func (p *pool) newBreaker(cfg Breaker, pid actor.PID) *breaker {
	return newBreaker(cfg, p.mesh.now, func(s State) {
		p.mesh.tell(Event{Service: p.name, Instance: pid, Kind: CircuitChanged, State: s})
	})
}

// watch begins to follow the groups.
func (p *pool) watch() {
	follow := func(groups.Event) { p.refresh() }
	for _, group := range []string{groupOf(p.name), sickOf(p.name)} {
		cancel := p.mesh.cfg.Groups.Watch(group, follow)
		p.mu.Lock()
		closed := p.closed
		p.unwatch = append(p.unwatch, cancel)
		p.mu.Unlock()
		if closed {
			cancel()
		}
	}
	p.refresh()
}

func (p *pool) cancel() {
	p.mu.Lock()
	p.closed = true
	unwatch := p.unwatch
	p.mu.Unlock()
	for _, cancel := range unwatch {
		cancel()
	}
}

// refresh brings the pool up to what the groups say.
func (p *pool) refresh() {
	var events []Event
	var fresh bool
	p.mu.Lock()
	if !p.closed {
		events, fresh = p.reconcile()
		p.rebuild()
	}
	p.mu.Unlock()
	for _, e := range events {
		p.mesh.tell(e)
	}
	if fresh {
		p.mesh.toKeeper(watchNow{p})
	}
}

// reconcile updates p.instances. It reports whether there are some that nobody
// watches.
func (p *pool) reconcile() (events []Event, fresh bool) {
	sick := make(map[actor.PID]bool)
	for _, m := range p.mesh.cfg.Groups.Members(sickOf(p.name)) {
		sick[m.PID] = true
	}
	before := make(map[actor.PID]*instance, len(p.instances))
	for _, in := range p.instances {
		before[in.pid] = in
	}
	tell := func(in *instance, kind EventKind) {
		events = append(events, Event{Service: p.name, Instance: in.pid, Kind: kind})
	}
	p.instances = nil
	seen := make(map[actor.PID]bool)
	for _, m := range p.mesh.cfg.Groups.Members(groupOf(p.name)) {
		if seen[m.PID] {
			continue // it is a member twice
		}
		seen[m.PID] = true
		in := before[m.PID]
		if in == nil || in.metadata != m.Metadata[definitionKey] {
			d, v, err := readDefinition(m.Metadata)
			if err != nil {
				p.mesh.cfg.Logger.Warn("mesh: an instance is left out", "service", p.name, "instance", m.PID, "error", err)
				continue
			}
			if in != nil {
				p.tally.give(in.seat)
			}
			in = &instance{pid: m.PID, definition: d, version: v, metadata: m.Metadata[definitionKey]}
			in.sit(p.tally.take())
			in.breaker = p.newBreaker(d.Breaker, in.pid)
			if p.mesh.tracer != nil {
				in.spanAttributes = in.attributes()
			}
			fresh = true
			tell(in, Appeared)
		}
		delete(before, m.PID)
		if in.sick != sick[m.PID] {
			in.sick = !in.sick
			if in.sick {
				tell(in, Sickened)
			} else {
				tell(in, Recovered)
			}
		}
		p.instances = append(p.instances, in)
	}
	for _, in := range before {
		p.tally.give(in.seat)
		tell(in, Vanished)
	}
	slices.SortFunc(p.instances, func(a, b *instance) int { return comparePIDs(a.pid, b.pid) })
	p.choosePolicy()
	return events, fresh
}

func comparePIDs(a, b actor.PID) int {
	if a.NodeHandle() != b.NodeHandle() {
		if a.Node().Less(b.Node()) {
			return -1
		}
		return 1
	}
	switch {
	case a.ID() < b.ID():
		return -1
	case a.ID() > b.ID():
		return 1
	}
	return 0
}

// choosePolicy takes the definition of the highest version for what there is
// only one of.
func (p *pool) choosePolicy() {
	var best *instance
	for _, in := range p.instances {
		if best == nil || in.version.GreaterThan(best.version) {
			best = in
		}
	}
	if best == nil {
		return
	}
	if p.policy.Breaker != best.definition.Breaker {
		p.breaker = p.newBreaker(best.definition.Breaker, actor.PID{})
	}
	p.policy = best.definition
}

// rebuild gives all views a new snapshot. mu is held.
func (p *pool) rebuild() {
	now := p.mesh.now()
	for _, v := range p.views {
		known := 0
		var ready []*instance
		for _, in := range p.instances {
			if v.versions != nil && !v.versions.Check(in.version) {
				continue
			}
			known++
			if in.ready(now) {
				ready = append(ready, in)
			}
		}
		s := v.snapshot.Load().next(known, ready, p.policy.Balancing)
		s.breaker = p.breaker
		v.snapshot.Store(s)
	}
}

// parseVersions reads a constraint; "" is any version, pre-releases included.
func parseVersions(versions string) (*semver.Constraints, error) {
	if versions == "" {
		return nil, nil
	}
	return semver.NewConstraint(versions)
}

// refresh brings the service up to what the groups say, if it was asked for.
func (m *Mesh) refresh(service string) {
	m.mu.Lock()
	p := m.pools[service]
	m.mu.Unlock()
	if p != nil {
		p.refresh()
	}
}
