package rpc_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/rpc"
	"github.com/topos-go/topos/remote/codec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type (
	get  struct{ N int }
	wait struct{ For time.Duration }
)

var errBroken = errors.New("broken")

// wires connects systems in memory and loses, delays and doubles what goes
// between them. Unlike the remote layer's, its connections do not repair that.
type wires struct {
	loss, double float64
	delay        time.Duration // at random up to it, so that messages overtake

	mu     sync.Mutex
	random *rand.Rand
	nodes  map[string]*actor.System
	flying sync.WaitGroup
	closed bool
	drop   func(sig actor.Signal) bool // if not nil
}

// end is one node's router.
type end struct {
	net  *wires
	self actor.NodeHandle
}

func (net *wires) start(t testing.TB, name string) *actor.System {
	e := &end{net: net}
	sys := actortest.NewSystemConfig(t, actor.Config{
		Node: actor.NodeID{Name: name, Incarnation: actor.Incarnation{Boot: 1, Unique: "u"}}, Router: e,
	})
	e.self = sys.NodeHandle()
	if net.nodes == nil {
		net.nodes = make(map[string]*actor.System)
		net.random = rand.New(rand.NewPCG(1, 2))
	}
	net.nodes[name] = sys
	t.Cleanup(func() {
		net.mu.Lock()
		net.closed = true
		net.mu.Unlock()
		net.flying.Wait()
	})
	return sys
}

// Route implements actor.Router. Only calls and replies are lost.
func (e *end) Route(sig actor.Signal) error {
	to := sig.Name.Node
	if sig.To.NodeHandle() != (actor.NodeHandle{}) {
		to = sig.To.NodeHandle().Value().Name
	}
	net := e.net
	net.mu.Lock()
	defer net.mu.Unlock()
	sys := net.nodes[to]
	if sys == nil || net.closed {
		return actor.ErrNoConnection
	}
	sig.Origin = e.self
	copies := 1
	if sig.Kind == actor.SignalCall || sig.Kind == actor.SignalReply || sig.Kind == actor.SignalMessage {
		if net.drop != nil && net.drop(sig) {
			return nil
		}
		if net.random.Float64() < net.loss {
			copies = 0
		}
		if net.random.Float64() < net.double {
			copies++
		}
	}
	for range copies {
		d := time.Duration(0)
		if net.delay > 0 {
			d = time.Duration(net.random.Int64N(int64(net.delay)))
		}
		net.flying.Add(1)
		time.AfterFunc(d, func() {
			defer net.flying.Done()
			sys.Deliver(sig)
		})
	}
	return nil
}

// dropping loses what f says, or nothing any more if f is nil. f is called with
// mu held.
func (net *wires) dropping(f func(sig actor.Signal) bool) {
	net.mu.Lock()
	defer net.mu.Unlock()
	net.drop = f
}

// find lets a node be there again.
func (net *wires) find(name string, sys *actor.System) {
	net.mu.Lock()
	defer net.mu.Unlock()
	net.nodes[name] = sys
}

// lose lets a node vanish for the others.
func (net *wires) lose(name string) {
	net.mu.Lock()
	gone := net.nodes[name]
	delete(net.nodes, name)
	var rest []*actor.System
	for _, sys := range net.nodes {
		rest = append(rest, sys)
	}
	net.mu.Unlock()
	for _, sys := range rest {
		sys.NodeDown(gone.Node(), actor.ErrNoConnection)
	}
}

// bubble runs f in a bubble with two connected systems.
func bubble(t *testing.T, f func(t *testing.T, net *wires, a, b *actor.System)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		net := new(wires)
		f(t, net, net.start(t, "a"), net.start(t, "b"))
	})
}

var codecTypes = codec.Types(get{}, wait{})

func serve(t testing.TB, sys *actor.System, cfg rpc.ServerConfig, opts ...actor.SpawnOption) actor.PID {
	t.Helper()
	cfg.Types = codecTypes
	s, err := rpc.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := sys.Spawn(t.Context(), s, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func client(t testing.TB, sys *actor.System, cfg rpc.Config) *rpc.Client {
	t.Helper()
	cfg.System, cfg.Types = sys, codecTypes
	c, err := rpc.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// double answers a get with twice its number.
func double(_ context.Context, _ *actor.Self, req any) (any, error) { return 2 * req.(get).N, nil }

// counter is a handler that counts how often each get has run.
type counter struct {
	mu  sync.Mutex
	ran map[int]int
}

func (c *counter) handle(ctx context.Context, self *actor.Self, req any) (any, error) {
	c.mu.Lock()
	if c.ran == nil {
		c.ran = make(map[int]int)
	}
	c.ran[req.(get).N]++
	c.mu.Unlock()
	return double(ctx, self, req)
}

// of is how often get{n} has run.
func (c *counter) of(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ran[n]
}

func (c *counter) total() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, times := range c.ran {
		n += times
	}
	return n
}
