package remote

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/clientserver"
	"github.com/topos-go/topos/overlay/cluster"
	"github.com/topos-go/topos/overlay/fullmesh"
	"github.com/topos-go/topos/overlay/gossip"
	"github.com/topos-go/topos/overlay/hyparview"
	"github.com/topos-go/topos/overlay/pcbroadcast"
	"github.com/topos-go/topos/overlay/plumtree"
	"github.com/topos-go/topos/overlay/static"
	"github.com/topos-go/topos/overlay/swim"
	"github.com/topos-go/topos/remote/dialect"
)

const (
	// maxRepair is how much answers a digest.
	maxRepair = 256 << 10
	// maxCausalLinks is as many neighbors as there are in a full mesh, maxOrigins of
	// how many nodes it is known what they have broadcast in causal order, such that it
	// fits into one message, forgetOrigin for how long, and maxCausalBuffer how many
	// broadcasts wait for a new link: with the largest of them, some ten megabytes.
	maxCausalLinks  = 1024
	maxOrigins      = 2048
	forgetOrigin    = time.Hour
	maxCausalBuffer = 512
)

// membership is the overlay's protocol, and what its driver sees of it that the
// protocol itself has no use for.
type membership struct {
	*cluster.Core
	self   overlay.Node
	linked map[overlay.Node]*vitals
	dialed map[overlay.Node]bool // who has answered at its address
	seeds  []string              // where members may be found, for a new topology
	view   *view                 // for everybody to see
}

// vitals say how a linked node does.
type vitals struct {
	heard moment
	rtt   atomic.Int64 // nanoseconds
	// Of drive.
	asked  uint64 // the last Ping's number
	asking time.Time
}

// newMembership makes the protocol.
func newMembership(cfg *Config, self overlay.Node, seeds []string, seed uint64) (*membership, error) {
	stream := uint64(3)
	draw := func() *rand.Rand {
		stream++
		return rand.New(rand.NewPCG(seed, stream))
	}
	m := &membership{
		self: self, view: newView(nodeID(self), cfg.Heartbeat), seeds: seeds,
		linked: make(map[overlay.Node]*vitals), dialed: make(map[overlay.Node]bool),
	}
	wire := func(wiring string) (cluster.Topology, error) { return cfg.wire(wiring, self, m.seeds, draw()) }
	first, err := wire(cfg.Topology.String())
	if err != nil {
		return nil, err
	}
	period := cfg.Heartbeat / 2
	m.Core, err = cluster.New(cluster.Config{
		Self: self, Topology: first, Wiring: cfg.Topology.String(), Wire: wire, Rand: draw(),
		Swim: swim.Config{
			Period: period, Timeout: period * 2 / 5, Late: max(period/5, time.Millisecond),
			Suspicion: max(1, 2*cfg.Misses-2),
		},
		Plumtree: plumtree.Config{MaxPayload: maxBroadcast, MaxRepairBytes: maxRepair},
		Causal: pcbroadcast.Config{
			MaxLinks: maxCausalLinks, MaxOrigins: maxOrigins, Forget: forgetOrigin, MaxBuffer: maxCausalBuffer,
		},
		Encode: func(v any) ([]byte, error) { return dialect.Append(nil, v) },
		Decode: func(b []byte) (any, error) { return dialect.Parse(b) },
	})
	return m, err
}

// checks is how many candidates a node probes at a time: it is the directory that says
// who has failed, so this is only for those who never were members, and each costs a
// connection.
const checks = 1

// maxSeeds bounds what is remembered for another topology: the newest are.
const maxSeeds = 32

// wire makes the topology that is called wiring.
func (c *Config) wire(wiring string, self overlay.Node, seeds []string, rng *rand.Rand) (cluster.Topology, error) {
	var t Topology
	if err := t.UnmarshalText([]byte(wiring)); err != nil {
		return nil, err
	}
	switch t {
	case HyParView:
		var optimize *hyparview.XBot
		if c.Nearby {
			optimize = new(hyparview.XBot)
		}
		return hyparview.New(hyparview.Config{Self: self, Seeds: seeds, Rand: rng, XBot: optimize, Checks: checks})
	case ClientServer:
		return clientserver.New(clientserver.Config{
			Self: self, Seeds: seeds, Rand: rng, Role: c.Role, RedialMin: c.RedialMin, RedialMax: c.RedialMax,
		})
	case Gossip:
		return gossip.New(gossip.Config{Self: self, Seeds: seeds, Rand: rng})
	case Static:
		return static.New(static.Config{Self: self, Peers: c.Join, Accept: static.Anyone, Rand: rng})
	}
	return fullmesh.New(fullmesh.Config{
		Self: self, Seeds: seeds, Interval: c.Heartbeat, Misses: c.Misses,
		RedialMin: c.RedialMin, RedialMax: c.RedialMax, Rand: rng, Directed: true,
	})
}

// Tick lets time pass in the protocol.
func (m *membership) Tick(now time.Time) overlay.Effects { return m.see(now, m.Core.Tick(now)) }

// Step tells the protocol that ev happened.
func (m *membership) Step(now time.Time, ev overlay.Event) overlay.Effects {
	switch ev := ev.(type) {
	case overlay.LinkUp:
		m.link(ev.Node, now)
		if !ev.Accepted {
			m.dialed[ev.Node] = true
		}
	case overlay.LinkDown:
		m.unlink(ev.Node)
	case overlay.Join:
		for _, addr := range ev.Addrs {
			if !slices.Contains(m.seeds, addr) {
				m.seeds = append(slices.Clone(m.seeds[max(0, len(m.seeds)-maxSeeds+1):]), addr)
			}
		}
	case overlay.Found:
		if ev.Addr == ev.Node.Addr() {
			m.dialed[ev.Node] = true
		}
	case overlay.RTT:
		if v := m.linked[ev.Node]; v != nil {
			v.rtt.Store(int64(ev.RTT))
		}
	case overlay.Received:
		if v := m.linked[ev.From]; v != nil {
			v.heard.store(now)
			if pong, ok := ev.Message.(overlay.Pong); ok && pong.Seq == v.asked {
				v.rtt.Store(int64(now.Sub(v.asking)))
			}
		}
	}
	return m.see(now, m.Core.Step(now, ev))
}

// see notes what effects change.
func (m *membership) see(now time.Time, effects overlay.Effects) overlay.Effects {
	for _, e := range effects {
		switch e := e.(type) {
		case overlay.Up:
			m.view.note(func() { m.view.others[e.Node] = true })
		case overlay.Down:
			if e.Member {
				m.view.note(func() { delete(m.view.others, e.Node) })
			}
			m.unlink(e.Node)
			delete(m.dialed, e.Node)
		case overlay.Send:
			if ping, ok := e.Message.(overlay.Ping); ok && m.linked[e.To] != nil {
				m.linked[e.To].asked, m.linked[e.To].asking = ping.Seq, now
			}
		}
	}
	return effects
}

// link notes that node is linked.
func (m *membership) link(node overlay.Node, now time.Time) {
	v := new(vitals)
	v.heard.store(now)
	m.linked[node] = v
	m.view.note(func() { m.view.linked[node] = v })
}

// unlink notes that it is not.
func (m *membership) unlink(node overlay.Node) {
	if m.linked[node] != nil {
		delete(m.linked, node)
		m.view.note(func() { delete(m.view.linked, node) })
	}
}
