package actor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// world is a stress test: members do random things to each other, and what must
// hold of it is checked while it runs and at the end.
type world struct {
	t   *testing.T
	sys *actor.System

	mu      sync.Mutex
	members []actor.PID
	born    map[actor.PID]bool

	steps atomic.Int64 // left
}

// member is a process of the world. It sees that numbers from each sender grow,
// that each of its monitors fires once, and never after it was taken back.
type member struct {
	w        *world
	random   *rand.Rand
	sent     map[actor.PID]int
	seen     map[actor.PID]int
	monitors map[actor.MonitorRef]actor.PID
	gone     map[actor.PID]bool // a Down of it was received
}

type numbered struct {
	from actor.PID
	n    int
}

type question int

func (w *world) add(pid actor.PID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.born[pid] {
		w.t.Errorf("%v was given out twice", pid)
	}
	w.born[pid] = true
	w.members = append(w.members, pid)
}

// some returns a random member, dead or alive, rather a young one.
func (m *member) some() actor.PID {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	if n := len(m.w.members); n > 20 && m.random.IntN(4) > 0 {
		return m.w.members[n-1-m.random.IntN(20)]
	}
	return m.w.members[m.random.IntN(len(m.w.members))]
}

func (w *world) newMember(seed uint64) *member {
	return &member{
		w: w, random: rand.New(rand.NewPCG(seed, 1)),
		sent: make(map[actor.PID]int), seen: make(map[actor.PID]int),
		monitors: make(map[actor.MonitorRef]actor.PID), gone: make(map[actor.PID]bool),
	}
}

func (m *member) Init(self *actor.Self) error {
	self.TrapExit(m.random.IntN(2) == 0)
	if m.random.IntN(10) == 0 {
		return errOther
	}
	m.w.add(self.PID())
	_ = self.Send(self.PID(), "step") // refused if it has been killed already
	return nil
}

func (m *member) Terminate(self *actor.Self, _ error) {
	if !m.w.sys.Alive(self.PID()) {
		m.w.t.Error("a process that terminates is not alive")
	}
}

func (m *member) Receive(self *actor.Self, msg any) error {
	switch x := msg.(type) {
	case string:
		if m.w.steps.Add(-1) > 0 {
			_ = self.Send(self.PID(), "step")
			return m.step(self)
		}
	case numbered:
		if x.n <= m.seen[x.from] || m.gone[x.from] {
			m.w.t.Errorf("%v received %d from %v after %d; its Down before: %v", self.PID(), x.n, x.from, m.seen[x.from], m.gone[x.from])
		}
		m.seen[x.from] = x.n
	case question:
		if m.random.IntN(8) == 0 {
			go self.From().Reply(x)
			return nil
		}
		return self.Reply(x)
	case actor.Down:
		of, ok := m.monitors[x.Ref]
		if !ok || of != x.Of || m.w.sys.Alive(of) {
			m.w.t.Errorf("unwanted Down %+v, alive %v", x, m.w.sys.Alive(of))
		}
		delete(m.monitors, x.Ref)
		m.gone[of] = true
	case actor.Exit:
		if m.random.IntN(3) == 0 {
			return x.Reason
		}
	}
	return nil
}

// step does one random thing.
func (m *member) step(self *actor.Self) error {
	other := m.some()
	switch m.random.IntN(16) {
	case 0, 1:
		child := m.w.newMember(m.random.Uint64())
		name := actor.Name(fmt.Sprint("n", m.random.IntN(8)))
		if m.random.IntN(2) == 0 { // fails if the name is taken or the child is ended in its Init
			_, _ = self.Spawn(child, name)
		} else {
			_, _ = self.SpawnLink(child, name)
		}
	case 2:
		_, _ = self.SpawnLink(m.w.newMember(m.random.Uint64()), actor.Mailbox{Capacity: 8, Overflow: actor.Overflow(m.random.IntN(4)), Wait: time.Millisecond})
	case 3, 4:
		_ = self.Link(other)
	case 5:
		self.Unlink(other)
	case 6, 7:
		m.monitors[self.Monitor(other)] = other
	case 8:
		for ref := range m.monitors {
			self.DemonitorFlush(ref)
			delete(m.monitors, ref) // from now on a Down of it is an error
			break
		}
	case 9:
		if m.random.IntN(4) == 0 {
			_ = self.Exit(other, []error{errBoom, actor.ErrKilled, actor.ErrNormal, actor.ErrShutdown}[m.random.IntN(4)])
		}
	case 10:
		m.call(self, other)
	case 11:
		name := actor.Name(fmt.Sprint("r", m.random.IntN(8)))
		if self.Register(name) == nil && m.random.IntN(2) == 0 && !self.Unregister(name) {
			m.w.t.Error("a name just registered could not be unregistered")
		}
	case 12:
		if m.random.IntN(10) == 0 {
			return errBoom
		}
	default:
		m.sent[other]++
		if other != self.PID() && m.random.IntN(3) > 0 {
			_ = self.Send(other, numbered{self.PID(), m.sent[other]})
		}
	}
	return nil
}

func (m *member) call(self *actor.Self, other actor.PID) {
	ctx, cancel := context.WithTimeout(self.Context(), 2*time.Millisecond)
	defer cancel()
	want := question(m.random.Int())
	if got, err := actor.Call[question](ctx, self, other, want); err == nil && got != want {
		m.w.t.Errorf("asked %v, got the answer to %v", want, got)
	}
}

// TestRandomWorldKeepsItsPromises is repeated with other seeds by -count.
func TestRandomWorldKeepsItsPromises(t *testing.T) {
	for seed := range uint64(3) {
		sys := actortest.NewSystem(t)
		events := newCensus(sys)
		w := &world{t: t, sys: sys, born: make(map[actor.PID]bool)}
		w.steps.Store(6000)
		// Monitors from outside the chaos: exactly one Down each.
		probe := actortest.NewProbe(t, sys)
		refs := make(map[actor.MonitorRef]actor.PID)
		for i := seed << 32; w.steps.Load() > 0; i++ {
			if sys.Stats().Processes < 40 { // they die faster than they multiply
				_, _ = sys.Spawn(context.Background(), w.newMember(i))
			}
			w.mu.Lock()
			young := w.members[max(0, len(w.members)-5):]
			w.mu.Unlock()
			for _, pid := range young {
				refs[probe.Monitor(pid)] = pid
			}
		}
		for pid := range sys.Processes() {
			if pid != probe.PID() {
				_ = sys.Kill(pid)
			}
		}
		for len(refs) > 0 {
			down := actortest.Await[actor.Down](probe, time.Minute)
			if refs[down.Ref] != down.Of {
				t.Fatalf("seed %d: Down of %v, ref of %v", seed, down.Of, refs[down.Ref])
			}
			delete(refs, down.Ref)
		}
		if err := sys.Close(context.Background()); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		w.epilogue(seed, probe, events)
	}
}

// epilogue checks what must hold when everybody is gone.
func (w *world) epilogue(seed uint64, probe *actortest.Probe, events *census) {
	w.t.Helper()
	w.t.Logf("seed %d: %d processes", seed, len(w.born))
	if n := probe.Len(); n != 0 {
		w.t.Errorf("seed %d: %d more Downs than monitors", seed, n)
	}
	if n := w.sys.Stats(); n.Processes != 0 || n.Zombies != 0 {
		w.t.Errorf("seed %d: left: %+v", seed, n)
	}
	for pid := range w.born {
		if w.sys.Alive(pid) || !errors.Is(w.sys.Send(pid, 1), actor.ErrNoProc) {
			w.t.Errorf("seed %d: the dead %v is found", seed, pid)
		}
		if events.exits[pid] != 1 {
			w.t.Errorf("seed %d: %v exited %d times", seed, pid, events.exits[pid])
		}
	}
	for _, kind := range []string{"n", "r"} {
		for i := range 8 {
			if pid, ok := w.sys.Whereis(actor.Name(fmt.Sprint(kind, i))); ok {
				w.t.Errorf("seed %d: the dead %v holds a name", seed, pid)
			}
		}
	}
}

// census counts exits.
type census struct {
	mu    sync.Mutex
	exits map[actor.PID]int
}

func newCensus(sys *actor.System) *census {
	c := &census{exits: make(map[actor.PID]int)}
	sys.Observe(func(e actor.Event) {
		if exited, ok := e.(actor.ProcessExited); ok {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.exits[exited.PID]++
		}
	})
	return c
}
