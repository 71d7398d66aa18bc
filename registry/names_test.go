package registry

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unique"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hub is a network of fake cluster ends. Payloads arrive at once, unless lost.
type hub struct {
	mu       sync.Mutex
	up       map[actor.NodeID]bool
	handlers map[actor.NodeID]map[string]func(actor.NodeID, []byte)
	watchers map[actor.NodeID]map[int]func(actor.NodeID, bool)
	watches  int
	cut      func(from, to actor.NodeID) bool
}

func newHub() *hub {
	return &hub{
		up:       make(map[actor.NodeID]bool),
		handlers: make(map[actor.NodeID]map[string]func(actor.NodeID, []byte)),
		watchers: make(map[actor.NodeID]map[int]func(actor.NodeID, bool)),
	}
}

// end is one node's end of the hub.
type end struct {
	*hub
	self actor.NodeID
}

func (e end) Self() actor.NodeID { return e.self }

func (e end) Members() []actor.NodeID {
	e.mu.Lock()
	defer e.mu.Unlock()
	var members []actor.NodeID
	for node := range e.up {
		if e.cut == nil || !e.cut(e.self, node) {
			members = append(members, node)
		}
	}
	return members
}

func (e end) SendControl(to actor.NodeID, topic string, payload []byte) error {
	e.mu.Lock()
	handle := e.handlers[to][topic]
	lost := !e.up[e.self] || !e.up[to] || e.cut != nil && e.cut(e.self, to)
	e.mu.Unlock()
	if lost || handle == nil {
		return actor.ErrNoConnection
	}
	handle(e.self, payload)
	return nil
}

func (e end) HandleControl(topic string, f func(actor.NodeID, []byte)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.handlers[e.self] == nil {
		e.handlers[e.self] = make(map[string]func(actor.NodeID, []byte))
	}
	e.handlers[e.self][topic] = f
}

func (e end) Watch(f func(actor.NodeID, bool)) (cancel func()) {
	members := e.Members()
	e.mu.Lock()
	e.watches++
	id := e.watches
	if e.watchers[e.self] == nil {
		e.watchers[e.self] = make(map[int]func(actor.NodeID, bool))
	}
	e.watchers[e.self][id] = f
	e.mu.Unlock()
	for _, m := range members {
		f(m, true)
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watchers[e.self], id)
	}
}

// set brings node up or down for everybody who is not cut off from it.
func (h *hub) set(node actor.NodeID, up bool) {
	h.mu.Lock()
	if up {
		h.up[node] = true
	} else {
		delete(h.up, node)
	}
	h.mu.Unlock()
	h.tell(func(watcher, about actor.NodeID) bool { return about == node && watcher != node }, up)
}

// tell lets watchers know about nodes.
func (h *hub) tell(concerns func(watcher, about actor.NodeID) bool, up bool) {
	type call struct {
		f     func(actor.NodeID, bool)
		about actor.NodeID
	}
	var calls []call
	h.mu.Lock()
	for watcher, fs := range h.watchers {
		for about := range h.handlers {
			for _, f := range fs {
				if h.up[watcher] && concerns(watcher, about) {
					calls = append(calls, call{f, about})
				}
			}
		}
	}
	h.mu.Unlock()
	for _, c := range calls {
		c.f(c.about, up)
	}
}

// split cuts the nodes for which side differs from each other, or heals.
func (h *hub) split(side func(actor.NodeID) bool) {
	h.mu.Lock()
	h.cut = func(a, b actor.NodeID) bool { return side(a) != side(b) }
	cut := h.cut
	h.mu.Unlock()
	h.tell(cut, false)
}

func (h *hub) heal() {
	h.mu.Lock()
	cut := h.cut
	h.cut = nil
	h.mu.Unlock()
	h.tell(cut, true)
}

// place is a node with a system and names.
type place struct {
	id    actor.NodeID
	sys   *actor.System
	names *Names
	end   end
}

func (h *hub) node(t *testing.T, i int) *place {
	t.Helper()
	p := &place{id: testNode(i)}
	p.end = end{h, p.id}
	p.names = NewNames(NamesConfig{Node: p.id})
	sys, err := actor.NewSystem(actor.Config{Node: p.id, Names: p.names})
	if err != nil {
		t.Fatal(err)
	}
	p.sys = sys
	p.names.Start(p.end, sys.Exit)
	h.set(p.id, true)
	t.Cleanup(func() {
		sys.Close(context.Background())
		p.names.Close()
	})
	return p
}

// holder spawns a process that holds name.
func (p *place) holder(t *testing.T, name string) actor.PID {
	t.Helper()
	pid, err := p.sys.Spawn(t.Context(), actor.Func(func(*actor.Self, any) error { return nil }), actor.ClusterName(name))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestANameIsKnownOnEveryNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		a, b := h.node(t, 1), h.node(t, 2)
		pid := a.holder(t, "x")
		synctest.Wait()
		c := h.node(t, 3) // comes later
		synctest.Wait()
		for _, p := range []*place{a, b, c} {
			if got, ok := p.names.Whereis("x"); !ok || got != pid {
				t.Errorf("on %s: %v, %v", p.id.Name, got, ok)
			}
		}
		if _, err := b.sys.Spawn(t.Context(), actor.Func(nil), actor.ClusterName("x")); !errors.Is(err, actor.ErrNameTaken) {
			t.Errorf("a second holder: %v, want ErrNameTaken", err)
		}
	})
}

func TestANameGoesWithItsProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		a, b := h.node(t, 1), h.node(t, 2)
		pid := a.holder(t, "x")
		synctest.Wait()
		a.sys.Kill(pid)
		synctest.Wait()
		if got, ok := b.names.Whereis("x"); ok {
			t.Errorf("still held by %v", got)
		}
		if again := b.holder(t, "x"); again == pid {
			t.Error("the same process")
		}
	})
}

func TestNamesOfALostNodeVanishAndReturnWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		a, b := h.node(t, 1), h.node(t, 2)
		pid := a.holder(t, "x")
		synctest.Wait()
		h.split(func(n actor.NodeID) bool { return n == a.id })
		synctest.Wait()
		if _, ok := b.names.Whereis("x"); ok {
			t.Error("a name beyond a partition is still there")
		}
		h.heal()
		synctest.Wait()
		if got, _ := b.names.Whereis("x"); got != pid {
			t.Errorf("after healing: %v", got)
		}
	})
}

func TestAfterAPartitionTheOlderHolderKeepsTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		a, b := h.node(t, 1), h.node(t, 2)
		synctest.Wait()
		h.split(func(n actor.NodeID) bool { return n == a.id })
		older := b.holder(t, "x")
		time.Sleep(time.Second)
		ends := make(chan error, 1)
		cancel := a.sys.Observe(func(e actor.Event) {
			if exit, ok := e.(actor.ProcessExited); ok {
				ends <- exit.Reason
			}
		})
		defer cancel()
		a.holder(t, "x")
		h.heal()
		reason := <-ends
		var conflict *ConflictError
		if !errors.As(reason, &conflict) || conflict.Winner != older || conflict.Name != "x" {
			t.Errorf("the younger holder ended with %v", reason)
		}
		if !errors.Is(reason, ErrConflict) || !errors.Is(reason, actor.ErrNameTaken) {
			t.Errorf("%v is not ErrConflict", reason)
		}
		synctest.Wait()
		for _, p := range []*place{a, b} {
			if got, _ := p.names.Whereis("x"); got != older {
				t.Errorf("on %s the holder is %v, want %v", p.id.Name, got, older)
			}
		}
	})
}

func TestAwaitReturnsWhenTheNameIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		a, b := h.node(t, 1), h.node(t, 2)
		got := make(chan actor.PID, 1)
		go func() {
			pid, err := b.names.Await(t.Context(), "x")
			if err != nil {
				t.Error(err)
			}
			got <- pid
		}()
		synctest.Wait()
		if pid := a.holder(t, "x"); <-got != pid {
			t.Error("Await returned somebody else")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.names.Await(ctx, "never"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Await = %v", err)
		}
		if len(b.names.waiters) != 0 {
			t.Error("a waiter that gave up is still there")
		}
	})
}

func TestALostUpdateIsMadeUpForByAntiEntropy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		a, b := h.node(t, 1), h.node(t, 2)
		synctest.Wait()
		h.mu.Lock()
		h.cut = func(x, y actor.NodeID) bool { return x != y } // nobody is told
		h.mu.Unlock()
		pid := a.holder(t, "x")
		synctest.Wait()
		h.mu.Lock()
		h.cut = nil
		h.mu.Unlock()
		time.Sleep(DefaultAntiEntropy + time.Second)
		if got, _ := b.names.Whereis("x"); got != pid {
			t.Errorf("after anti-entropy: %v, want %v", got, pid)
		}
	})
}

func TestGarbageAboutNamesIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		a := h.node(t, 1)
		pid := a.holder(t, "x")
		for _, garbage := range [][]byte{nil, {0xff}, []byte("not cbor at all"), {0xa1, 0x01, 0xf6}} {
			a.names.handle(testNode(9), garbage)
		}
		if got, _ := a.names.Whereis("x"); got != pid {
			t.Errorf("holder = %v", got)
		}
	})
}

func BenchmarkWhereis(b *testing.B) {
	n := NewNames(NamesConfig{Node: testNode(1)})
	pid := actor.MakePID(unique.Make(testNode(1)), 1<<28)
	if err := n.Register("x", pid); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := n.Whereis("x"); !ok {
			b.Fatal("gone")
		}
	}
}
