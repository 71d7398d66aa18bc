package mesh

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/internal/hash"
)

// Service is a way to the instances of one service whose versions are in some
// range. It is safe for concurrent use, and made once to be used often: it follows
// the service until it or the mesh is closed.
type Service struct {
	mesh     *Mesh
	pool     *pool
	name     string
	versions *semver.Constraints // nil: all
	terms    terms               // of each call that does not say otherwise
	snapshot atomic.Pointer[snapshot]
	closed   atomic.Bool
	chooser  chooser
	spans    spans
}

// Service returns a way to the service called name in those versions, a range
// such as "^1.2" or ">= 1.2, < 3"; empty means any version. defaults are options
// of each call. It need not be there yet. The error is that of versions, or
// ErrClosed.
func (m *Mesh) Service(name, versions string, defaults ...Option) (*Service, error) {
	constraint, err := parseVersions(versions)
	if err != nil {
		return nil, fmt.Errorf("mesh: versions %q of %s: %w", versions, name, err)
	}
	if name == "" || len(name) > maxName {
		return nil, fmt.Errorf("mesh: name of a service has %d bytes, must have 1 to %d", len(name), maxName)
	}
	m.mu.Lock()
	if m.closed.Load() {
		m.mu.Unlock()
		return nil, ErrClosed
	}
	p, fresh := m.pools[name], false
	if p == nil {
		p, fresh = newPool(m, name), true
		m.pools[name] = p
	}
	s := &Service{mesh: m, pool: p, name: name, versions: constraint, terms: terms{}.with(defaults), spans: newSpans(m.cfg.Tracer, name)}
	m.seeds++
	s.chooser.random.Store(hash.Mix(m.seeds))
	m.mu.Unlock()
	s.snapshot.Store(newSnapshot(0, nil, RoundRobin))
	p.mu.Lock()
	p.views = append(p.views, s)
	p.rebuild()
	p.mu.Unlock()
	if fresh {
		p.watch()
	}
	return s, nil
}

// Name returns the service's name.
func (s *Service) Name() string { return s.name }

// Close lets s go. Calls that are under way go on, new ones fail with ErrClosed.
// What this node knows of the service it keeps.
func (s *Service) Close() {
	s.closed.Store(true)
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	s.pool.views = slices.DeleteFunc(s.pool.views, func(other *Service) bool { return other == s })
}

// Pick chooses an instance as [Call] does, for those who call it by other means.
// What comes of that, the mesh does not learn. It fails with
// ErrServiceNotFound, ErrNoHealthyInstances or ErrCircuitOpen.
func (s *Service) Pick(opts ...Option) (actor.PID, error) {
	t := s.terms.with(opts)
	in, err := s.choose(s.snapshot.Load(), &t, new(tried), s.mesh.now())
	if err != nil {
		return actor.PID{}, &Error{Service: s.name, Err: err}
	}
	return in.pid, nil
}

// Alternative chooses an instance that is not among tried. It has the shape of
// rpc.Config.Alternative.
func (s *Service) Alternative(_ actor.Address, asked []actor.Address) (actor.Address, bool) {
	snapshot := s.snapshot.Load()
	var t tried
	for range min(maxTried, len(snapshot.ready)) {
		in := snapshot.pick(&s.chooser, 0, false, &t, s.mesh.now())
		if in == nil {
			break
		}
		if !slices.Contains(asked, actor.Address(in.pid)) {
			return in.pid, true
		}
		t.add(in)
	}
	return nil, false
}

// choose picks an instance, or says why there is none.
func (s *Service) choose(snapshot *snapshot, t *terms, asked *tried, now time.Duration) (*instance, error) {
	if in := snapshot.pick(&s.chooser, t.hash, t.keyed, asked, now); in != nil {
		return in, nil
	}
	switch {
	case snapshot.known == 0:
		return nil, ErrServiceNotFound
	case len(snapshot.ready) == 0:
		return nil, ErrNoHealthyInstances
	}
	for _, in := range snapshot.ready {
		if !in.gone.Load() && !in.breaker.lets(now) {
			return nil, ErrCircuitOpen
		}
	}
	return nil, ErrNoHealthyInstances
}

// Status is what a node knows of one service.
type Status struct {
	Service string
	// Circuit is the state of the service's own breaker.
	Circuit State
	// Instances are in the order of their PIDs.
	Instances []InstanceStatus
}

// InstanceStatus is what a node knows of one instance.
type InstanceStatus struct {
	PID        actor.PID
	Definition Definition
	// Healthy says that it is neither sick, nor lost, nor ejected, nor gone;
	// Ejected that it is ejected.
	Healthy, Ejected bool
	Circuit          State
	// Calls and Failures count from this node, since it has known the instance;
	// InFlight are under way. Latency is the peak EWMA.
	Calls, Failures int64
	InFlight        int64
	Latency         time.Duration
}

// Status returns what this node knows of the service in all versions.
func (s *Service) Status() Status {
	p, now := s.pool, s.mesh.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	status := Status{Service: s.name, Circuit: p.breaker.look(now)}
	for _, in := range p.instances {
		status.Instances = append(status.Instances, InstanceStatus{
			PID: in.pid, Definition: in.definition, Healthy: in.ready(now), Ejected: now < in.ejectedUntil,
			Circuit: in.breaker.look(now), Calls: in.calls.Load(), Failures: in.failures.Load(),
			InFlight: in.inflight.Load(), Latency: time.Duration(in.costAt(now)),
		})
	}
	return status
}

// look is the state as people see it: an open circuit whose time is over is
// half-open.
func (b *breaker) look(now time.Duration) State {
	if s := b.state(); s != Open || !b.lets(now) {
		return s
	}
	return HalfOpen
}

// Services returns the names of the services that this node has asked for.
func (m *Mesh) Services() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name := range m.pools {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
