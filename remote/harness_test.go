package remote_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/remote/memory"
)

func TestMain(m *testing.M) {
	if join := os.Getenv(childEnv); join != "" {
		child(join) // see tcp_test.go
		return
	}
	goleak.VerifyTestMain(m)
}

// The messages of these tests.
type (
	Add  struct{ N int }
	Get  struct{}
	Ask  struct{ Of actor.PID }
	Fail struct{ How string }
	Big  struct{ Data []byte }
	// Secret is not registered on any node.
	Secret struct{ N int }
)

var errBroken = errors.New("test: broken")

// host is a node with its system.
type host struct {
	*remote.Node
	sys  *actor.System
	news chan remote.MemberEvent
}

// config is what all nodes of these tests have in common.
func config(name string, join ...string) remote.Config {
	return remote.Config{
		Name:   name,
		Secret: "a secret of some length",
		Join:   join,
		Types:  codec.Types(Add{}, Get{}, Ask{}, Fail{}, Big{}),
		Errors: []error{errBroken},
	}
}

// start starts a node that is closed when the test ends.
func start(t *testing.T, cfg remote.Config, prepare ...func(*remote.Node)) *host {
	t.Helper()
	if cfg.Logger == nil {
		// The lines show up if the test fails.
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	n, err := remote.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	sys, err := actor.NewSystem(actor.Config{Node: n.ID(), Router: n, Constructors: constructors()})
	if err != nil {
		t.Fatal(err)
	}
	h := &host{Node: n, sys: sys, news: make(chan remote.MemberEvent, 1000)}
	n.Subscribe(func(ev remote.MemberEvent) { h.news <- ev })
	for _, f := range prepare {
		f(n)
	}
	if err := n.Start(sys); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.stop(t) })
	return h
}

// stop ends a node and its system.
func (h *host) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := h.sys.Close(ctx); err != nil {
		t.Error(err)
	}
}

// await waits for the next member event and checks it.
func (h *host) await(t *testing.T, kind remote.MemberEventKind, node actor.NodeID) remote.MemberEvent {
	t.Helper()
	select {
	case ev := <-h.news:
		if ev.Kind != kind || ev.Node != node {
			t.Fatalf("%v: got %v %v (%v), want %v %v", h.ID().Name, ev.Kind, ev.Node, ev.Reason, kind, node)
		}
		return ev
	case <-time.After(20 * time.Second):
		t.Fatalf("%v: no event; want %v %v", h.ID().Name, kind, node)
	}
	panic("unreachable")
}

// quiet checks that there is no member event waiting.
func (h *host) quiet(t *testing.T) {
	t.Helper()
	select {
	case ev := <-h.news:
		t.Fatalf("%v: unexpected %v %v (%v)", h.ID().Name, ev.Kind, ev.Node, ev.Reason)
	default:
	}
}

// spawn starts an actor on h.
func (h *host) spawn(t *testing.T, a actor.Actor, opts ...actor.SpawnOption) actor.PID {
	t.Helper()
	pid, err := h.sys.Spawn(context.Background(), a, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// meet waits until all hosts have seen each other, in any order.
func meet(t *testing.T, hosts ...*host) {
	t.Helper()
	for _, h := range hosts {
		for range len(hosts) - 1 {
			select {
			case ev := <-h.news:
				if ev.Kind != remote.MemberUp {
					t.Fatalf("%v: %v %v (%v) while joining", h.ID().Name, ev.Kind, ev.Node, ev.Reason)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%v has not met the others: %v", h.ID().Name, h.Members())
			}
		}
	}
}

// world is a memory network in a bubble.
type world struct {
	*testing.T
	net *memory.Network
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, f func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) { f(t, &world{t, memory.NewNetwork()}) })
}

// pass lets virtual time pass.
func (w *world) pass(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
	synctest.Wait() // what happens at that moment has happened, and may be looked at
}

// config is config on a host of the memory network.
func (w *world) config(name string, join ...*host) remote.Config {
	cfg := config(name)
	for _, h := range join {
		cfg.Join = append(cfg.Join, h.Addr())
	}
	cfg.Listen = name + ":1"
	cfg.Transport = w.net.Host(name)
	return cfg
}

func (w *world) start(name string, join ...*host) *host { return start(w.T, w.config(name, join...)) }

// cluster starts nodes that know each other.
func (w *world) cluster(names ...string) []*host {
	var hosts []*host
	for i, name := range names {
		hosts = append(hosts, w.start(name, hosts[:min(i, 1)]...))
	}
	meet(w.T, hosts...)
	return hosts
}

// counter counts, and ends as it is told.
type counter struct {
	n    int
	mu   *sync.Mutex
	seen *[]int
}

func (c *counter) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case Add:
		c.n += m.N
		if c.seen != nil {
			c.mu.Lock()
			*c.seen = append(*c.seen, m.N)
			c.mu.Unlock()
		}
	case Get:
		return self.Reply(c.n)
	case Ask:
		n, err := actor.Call[int](self.Context(), self, m.Of, Get{})
		if err != nil {
			return self.ReplyError(err)
		}
		return self.Reply(n)
	case Big:
		return self.Reply(len(m.Data))
	case []byte:
		return self.Reply(m)
	case Fail:
		switch m.How {
		case "broken":
			return fmt.Errorf("handling %q: %w", m.How, errBroken)
		case "panic":
			panic("out of order")
		case "normal":
			return actor.ErrNormal
		case "never":
			self.From()
			return nil
		}
		return errors.New(m.How)
	}
	return nil
}

// probe passes on what it receives, and does what it is told on its own
// goroutine.
type probe struct {
	got  chan any
	trap bool
}

func newProbe(trap bool) *probe { return &probe{got: make(chan any, 1000), trap: trap} }

func (p *probe) Init(self *actor.Self) error {
	self.TrapExit(p.trap)
	return nil
}

func (p *probe) Receive(self *actor.Self, msg any) error {
	if do, ok := msg.(func(*actor.Self)); ok {
		do(self)
		return nil
	}
	p.got <- msg
	return nil
}

// next returns the next message the probe received.
func next[M any](t *testing.T, p *probe) M {
	t.Helper()
	select {
	case got := <-p.got:
		m, ok := got.(M)
		if !ok {
			t.Fatalf("received %T %v, want a %T", got, got, m)
		}
		return m
	case <-time.After(20 * time.Second):
		var m M
		t.Fatalf("received nothing, want a %T", m)
	}
	panic("unreachable")
}

// do runs f in the process of a probe.
func (h *host) do(t *testing.T, pid actor.PID, f func(*actor.Self)) {
	t.Helper()
	done := make(chan struct{})
	err := h.sys.Send(pid, func(self *actor.Self) {
		f(self)
		close(done)
	})
	if err != nil {
		t.Fatal(err)
	}
	<-done
}
