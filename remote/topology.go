package remote

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/cluster"
	"github.com/topos-go/topos/overlay/fullmesh"
	"github.com/topos-go/topos/overlay/hyparview"
	"github.com/topos-go/topos/overlay/plumtree"
	"github.com/topos-go/topos/remote/dialect"
)

// Topology says which nodes of a cluster keep connections to each other. All nodes
// of a cluster have the same.
type Topology uint8

const (
	// FullMesh connects every node with every other one, and each finds out for
	// itself who is there. It is for up to some hundred nodes.
	FullMesh Topology = iota
	// HyParView connects every node with a few others, such that all are
	// connected. Who is a member is told by broadcasts, and so is who has
	// failed, after others have tried to reach it too. Nodes connect to any
	// other when their processes have something to say to each other.
	HyParView
)

// String returns "full mesh" or "hyparview".
func (t Topology) String() string {
	switch t {
	case FullMesh:
		return "full mesh"
	case HyParView:
		return "hyparview"
	}
	return fmt.Sprintf("Topology(%d)", uint8(t))
}

// membership is the overlay's protocol as its driver sees it.
type membership interface {
	Step(now time.Time, ev overlay.Event) overlay.Effects
	Tick(now time.Time) overlay.Effects
	Deadline() time.Time
	// Outdated returns why a node must not be let in.
	Outdated(node overlay.Node) error
	// others returns all other members, sorted. It reports false if they have not
	// changed since it was called last.
	others() ([]overlay.Member, bool)
}

// mesh is a fullmesh.Core as membership.
type mesh struct{ *fullmesh.Core }

// others implements membership: there is always something new in them.
func (m mesh) others() ([]overlay.Member, bool) { return m.Members(), true }

// maxBroadcast bounds what nodes broadcast in one message, which must not keep
// heartbeats waiting, and maxRepair what answers a digest.
const (
	maxBroadcast = 64 << 10
	maxRepair    = 256 << 10
)

// newMembership makes the protocol of cfg's topology.
func newMembership(cfg *Config, self overlay.Node, seeds []string, seed uint64) (membership, error) {
	draw := func(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }
	if cfg.Topology == FullMesh {
		core, err := fullmesh.New(fullmesh.Config{
			Self: self, Seeds: seeds, Interval: cfg.Heartbeat, Misses: cfg.Misses,
			RedialMin: cfg.RedialMin, RedialMax: cfg.RedialMax, Rand: draw(2),
		})
		return mesh{core}, err
	}
	views, err := hyparview.New(hyparview.Config{Self: self, Seeds: seeds, Rand: draw(4)})
	if err != nil {
		return nil, err
	}
	core, err := cluster.New(cluster.Config{
		Self: self, Topology: views, Rand: draw(5),
		Plumtree: plumtree.Config{MaxPayload: maxBroadcast, MaxRepairBytes: maxRepair},
		Encode:   func(v any) ([]byte, error) { return dialect.Append(nil, v) },
		Decode:   func(b []byte) (any, error) { return dialect.Parse(b) },
	})
	if err != nil {
		return nil, err
	}
	return &partial{Core: core, self: self, linked: make(map[overlay.Node]bool)}, nil
}

// partial is a cluster.Core as membership. It knows which members are linked.
type partial struct {
	*cluster.Core
	self   overlay.Node
	linked map[overlay.Node]bool
	dirty  bool
}

// Tick implements membership.
func (p *partial) Tick(now time.Time) overlay.Effects { return p.see(p.Core.Tick(now)) }

// see notes what effects change.
func (p *partial) see(effects overlay.Effects) overlay.Effects {
	for _, e := range effects {
		switch e := e.(type) {
		case overlay.Up:
			p.dirty = true
		case overlay.Down:
			p.dirty = true
			delete(p.linked, e.Node)
		}
	}
	return effects
}

// Step implements membership.
func (p *partial) Step(now time.Time, ev overlay.Event) overlay.Effects {
	switch ev := ev.(type) {
	case overlay.LinkUp:
		p.linked[ev.Node], p.dirty = true, true
	case overlay.LinkDown:
		p.dirty = true
		delete(p.linked, ev.Node)
	}
	return p.see(p.Core.Step(now, ev))
}

// others implements membership.
func (p *partial) others() ([]overlay.Member, bool) {
	if !p.dirty {
		return nil, false
	}
	p.dirty = false
	nodes := p.Members()
	members := make([]overlay.Member, 0, len(nodes))
	for _, node := range nodes {
		if node != p.self {
			members = append(members, overlay.Member{Node: node, Linked: p.linked[node]})
		}
	}
	return members, true
}
