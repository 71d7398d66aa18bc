package mesh_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/mesh"
	"github.com/topos-go/topos/registry/groups"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errBroken = errors.New("broken")
	errOwn    = errors.New("no such order")
)

// alone is the Cluster of a node that has no others.
type alone struct{ self actor.NodeID }

func (a alone) Self() actor.NodeID                                     { return a.self }
func (a alone) Members() []actor.NodeID                                { return []actor.NodeID{a.self} }
func (a alone) SendControl(actor.NodeID, string, []byte) error         { return actor.ErrNoConnection }
func (a alone) HandleControl(string, func(actor.NodeID, []byte))       {}
func (a alone) Watch(func(node actor.NodeID, up bool)) (cancel func()) { return func() {} }

// world is one node with a mesh.
type world struct {
	*mesh.Mesh
	t      testing.TB
	sys    *actor.System
	groups *groups.Groups

	mu     sync.Mutex
	events []mesh.Event
}

func newWorld(t testing.TB, cfg mesh.Config) *world {
	t.Helper()
	w := &world{t: t, sys: actortest.NewSystem(t)}
	var err error
	if w.groups, err = groups.Start(context.Background(), groups.Config{System: w.sys, Cluster: alone{w.sys.Node()}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.groups.Close)
	cfg.System, cfg.Groups, cfg.Seed = w.sys, w.groups, 1
	if cfg.Observe == nil {
		cfg.Observe = w.observe
	}
	if w.Mesh, err = mesh.Start(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) observe(e mesh.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// saw counts the events of a kind.
func (w *world) saw(kind mesh.EventKind) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// bubble runs f in a bubble with a world.
func bubble(t *testing.T, cfg mesh.Config, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newWorld(t, cfg)) })
}

// instance is a process of a service that counts its calls.
type instance struct {
	pid actor.PID
	reg *mesh.Registration

	mu    sync.Mutex
	calls int
	err   error         // what it answers, if not nil
	slow  time.Duration // how long each call takes, in parallel
	mute  bool          // it keeps requests and does not answer
	end   error         // what it ends with, if not nil
}

func (i *instance) Receive(self *actor.Self, msg any) error {
	if !self.IsCall() {
		return actor.ErrNormal
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.calls++
	from := self.From()
	switch {
	case i.mute:
	case i.end != nil:
		return i.end
	case i.err != nil:
		from.ReplyError(i.err)
	case i.slow > 0:
		time.AfterFunc(i.slow, func() { from.Reply(msg) })
	default:
		from.Reply(msg)
	}
	return nil
}

func (i *instance) set(f func(i *instance)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	f(i)
}

func (i *instance) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.calls
}

// add spawns an instance and registers it.
func (w *world) add(d mesh.Definition) *instance {
	w.t.Helper()
	i := new(instance)
	var err error
	if i.pid, err = w.sys.Spawn(context.Background(), i); err != nil {
		w.t.Fatal(err)
	}
	if i.reg, err = w.Register(context.Background(), d, i.pid); err != nil {
		w.t.Fatal(err)
	}
	return i
}

func (w *world) addMany(n int, d mesh.Definition) []*instance {
	w.t.Helper()
	list := make([]*instance, n)
	for k := range list {
		list[k] = w.add(d)
	}
	return list
}

func (w *world) service(versions string, opts ...mesh.Option) *mesh.Service {
	w.t.Helper()
	s, err := w.Service("orders", versions, opts...)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func orders() mesh.Definition { return mesh.Definition{Name: "orders", Version: "1.2.0"} }

func (w *world) call(s *mesh.Service, opts ...mesh.Option) error {
	_, err := mesh.Call[int](context.Background(), s, w.sys, 7, opts...)
	return err
}
