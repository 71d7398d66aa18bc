package mesh

import (
	"context"
	"errors"

	"github.com/topos-go/topos/actor"
)

// prober is a process that finds out whether the node of a lost instance can be
// reached. A monitor cannot tell that: while a connection is being tried it
// stands. So the node is asked for a process that it does not have, and any
// answer will do.
type prober struct {
	keeper actor.PID
	lost   watched
}

// reached says that the node of a lost instance has answered.
type reached struct{ watched }

// nobody is a name that no process has.
const nobody = actor.Name("mesh.nobody")

func (p *prober) Receive(self *actor.Self, _ any) error {
	ctx, cancel := context.WithTimeout(self.Context(), tick)
	defer cancel()
	_, err := actor.Call[any](ctx, self, actor.NameAt{Name: nobody, Node: p.lost.in.pid.Node().Name}, "are you there")
	if err == nil || errors.Is(err, actor.ErrNoProc) {
		_ = self.Send(p.keeper, reached{p.lost})
	}
	return actor.ErrNormal
}

// probe looks for the lost instances of a pool.
func (k *keeper) probe(self *actor.Self, p *pool) {
	busy := make(map[*instance]bool, len(k.probes))
	for _, in := range k.probes {
		busy[in] = true
	}
	var lost []*instance
	p.mu.Lock()
	for _, in := range p.instances {
		if in.lost && !busy[in] {
			lost = append(lost, in)
		}
	}
	p.mu.Unlock()
	for _, in := range lost {
		pid, ref, err := self.SpawnMonitor(&prober{self.PID(), watched{p, in}}, actor.Label("mesh prober"))
		if err != nil {
			return // the node is full: the next tick will do
		}
		k.probes[ref] = in
		_ = self.Send(pid, tickNow{})
	}
}

// reached lets a lost instance back, if it has not been lost again since.
func (k *keeper) reached(r reached) {
	p, in := r.pool, r.in
	p.mu.Lock()
	back := in.lost && in.watched && p.has(in)
	if back {
		in.lost = false
		p.rebuild()
	}
	p.mu.Unlock()
	if back {
		k.mesh.tell(Event{Service: p.name, Instance: in.pid, Kind: Reachable})
	}
}
