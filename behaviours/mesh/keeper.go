package mesh

import (
	"errors"
	"time"

	"github.com/topos-go/topos/actor"
)

// tick is how often the keeper looks at what only time changes.
const tick = time.Second

// keeper is the process that learns first that an instance has ended, by
// monitors, and that ejects those that do worse than others. It keeps nothing
// that its successor could not find again.
type keeper struct {
	mesh    *Mesh
	watched map[actor.MonitorRef]watched
	probes  map[actor.MonitorRef]*instance // lost ones that are being looked for
}

type watched struct {
	pool *pool
	in   *instance
}

// watchNow asks the keeper to monitor what is new in a pool.
type watchNow struct{ pool *pool }

type tickNow struct{}

// toKeeper sends msg to the keeper. If there is none at the moment, the next
// will look at everything.
func (m *Mesh) toKeeper(msg any) {
	if pid, ok := m.keeper.Load().(actor.PID); ok {
		_ = m.cfg.System.Send(pid, msg)
	}
}

func (k *keeper) Init(self *actor.Self) error {
	k.watched = make(map[actor.MonitorRef]watched)
	k.probes = make(map[actor.MonitorRef]*instance)
	k.mesh.keeper.Store(self.PID())
	for _, p := range k.pools() {
		p.mu.Lock()
		for _, in := range p.instances {
			in.watched = false
		}
		p.mu.Unlock()
		k.watch(self, p)
	}
	self.Every(tick, tickNow{})
	return nil
}

func (k *keeper) pools() []*pool {
	k.mesh.mu.Lock()
	defer k.mesh.mu.Unlock()
	var pools []*pool
	for _, p := range k.mesh.pools {
		pools = append(pools, p)
	}
	return pools
}

func (k *keeper) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case watchNow:
		k.watch(self, m.pool)
	case actor.Down:
		k.down(m)
	case reached:
		k.reached(m)
	case tickNow:
		for _, p := range k.pools() {
			k.tick(self, p)
		}
		k.unwatch(self)
	}
	return nil
}

// watch monitors the instances that nobody monitors.
func (k *keeper) watch(self *actor.Self, p *pool) {
	var fresh []*instance
	p.mu.Lock()
	for _, in := range p.instances {
		if !in.watched && !in.gone.Load() {
			in.watched = true
			fresh = append(fresh, in)
		}
	}
	p.mu.Unlock()
	for _, in := range fresh {
		k.watched[self.Monitor(in.pid)] = watched{p, in}
	}
}

// down takes an instance out that has ended or cannot be reached.
func (k *keeper) down(d actor.Down) {
	delete(k.probes, d.Ref)
	w, ok := k.watched[d.Ref]
	if !ok {
		return
	}
	delete(k.watched, d.Ref)
	var news EventKind
	w.pool.mu.Lock()
	w.in.watched = false
	if errors.Is(d.Reason, actor.ErrNoConnection) {
		if !w.in.lost {
			w.in.lost = true
			news = Unreachable
		}
	} else {
		w.in.gone.Store(true)
	}
	w.pool.rebuild()
	w.pool.mu.Unlock()
	if news != 0 {
		k.mesh.tell(Event{Service: w.pool.name, Instance: w.in.pid, Kind: news})
	}
}

// unwatch ends the monitors of instances that are no longer in their pools.
func (k *keeper) unwatch(self *actor.Self) {
	for ref, w := range k.watched {
		w.pool.mu.Lock()
		there := !w.pool.closed && w.pool.has(w.in)
		w.pool.mu.Unlock()
		if !there {
			self.DemonitorFlush(ref)
			delete(k.watched, ref)
		}
	}
}

func (p *pool) has(in *instance) bool {
	for _, other := range p.instances {
		if other == in {
			return true
		}
	}
	return false
}

// tick looks whether lost instances are back, ejections are over, and somebody
// is to be ejected.
func (k *keeper) tick(self *actor.Self, p *pool) {
	k.watch(self, p)
	k.probe(self, p)
	now := k.mesh.now()
	p.mu.Lock()
	events := p.readmit(now)
	events = append(events, p.judge(now)...)
	if len(events) > 0 {
		p.rebuild()
	}
	p.mu.Unlock()
	for _, e := range events {
		k.mesh.tell(e)
	}
}

// readmit lets those back whose ejection is over.
func (p *pool) readmit(now time.Duration) (events []Event) {
	for _, in := range p.instances {
		if in.ejectedUntil != 0 && now >= in.ejectedUntil {
			in.ejectedUntil = 0
			events = append(events, Event{Service: p.name, Instance: in.pid, Kind: Readmitted})
		}
	}
	return events
}

// judge ejects outliers at the end of an interval.
func (p *pool) judge(now time.Duration) (events []Event) {
	o := p.policy.Outlier
	if !o.enabled() || now < p.nextJudge {
		return nil
	}
	first := p.nextJudge == 0
	p.nextJudge = now + o.Interval
	samples := make([]sample, len(p.instances))
	for i, in := range p.instances {
		samples[i] = in.sample()
		samples[i].ejected = now < in.ejectedUntil
	}
	if first {
		return nil
	}
	for _, i := range outliers(o, samples) {
		in := p.instances[i]
		in.ejections++
		in.ejectedUntil = now + time.Duration(in.ejections)*o.Eject
		events = append(events, Event{Service: p.name, Instance: in.pid, Kind: Ejected})
	}
	return events
}

// sample returns what the instance did since the last call of sample.
func (in *instance) sample() sample {
	calls, failures, elapsed := in.calls.Load(), in.failures.Load(), in.elapsed.Load()
	s := sample{calls: int(calls - in.seenCalls), failures: int(failures - in.seenFailures)}
	if answered := s.calls - s.failures; answered > 0 {
		s.mean = time.Duration((elapsed - in.seenElapsed) / int64(answered))
	}
	in.seenCalls, in.seenFailures, in.seenElapsed = calls, failures, elapsed
	return s
}
