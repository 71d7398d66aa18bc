package statem_test

import (
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/statem"
)

// message is what the benchmarks send: one pointer, made once.
var message any = &struct{ n int }{1}

// meter counts events, and says done when there were n.
type meter struct {
	n    int
	done chan struct{}
}

func (m *meter) count() {
	if m.n--; m.n == 0 {
		m.done <- struct{}{}
	}
}

func (m *meter) Receive(*actor.Self, any) error {
	m.count()
	return nil
}

// counting is a machine in one state.
type counting struct{ meter }

func (c *counting) Init(*statem.Turn[int]) (int, error) { return 0, nil }

func (c *counting) Handle(_ *statem.Turn[int], e statem.Event) error {
	if e.Kind == statem.Cast {
		c.count()
	}
	return nil
}

// flipping is a machine that changes its state with every event.
type flipping struct{ meter }

func (f *flipping) Init(*statem.Turn[int]) (int, error) { return 0, nil }

func (f *flipping) Handle(t *statem.Turn[int], _ statem.Event) error {
	f.count()
	t.Next(1 - t.State())
	return nil
}

func benchmarkTell(b *testing.B, m *meter, a actor.Actor) {
	sys := actortest.NewSystem(b)
	pid, err := sys.Spawn(b.Context(), a)
	if err != nil {
		b.Fatal(err)
	}
	m.n, m.done = b.N, make(chan struct{}, 1)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		_ = sys.Send(pid, message)
	}
	<-m.done
}

// BenchmarkBareTell is a message to a plain actor.
func BenchmarkBareTell(b *testing.B) {
	m := new(meter)
	benchmarkTell(b, m, m)
}

// BenchmarkStatemEvent is the same message to a machine that stays in its state.
func BenchmarkStatemEvent(b *testing.B) {
	m := new(counting)
	benchmarkTell(b, &m.meter, statem.New[int](m))
}

// BenchmarkStatemChange is the same with a change of state for each.
func BenchmarkStatemChange(b *testing.B) {
	m := new(flipping)
	benchmarkTell(b, &m.meter, statem.New[int](m))
}

// BenchmarkStatemFunctions is the same with a function for each state.
func BenchmarkStatemFunctions(b *testing.B) {
	m := new(meter)
	handle := func(*statem.Turn[int], statem.Event) error {
		m.count()
		return nil
	}
	benchmarkTell(b, m, statem.New(statem.Functions(
		func(*statem.Turn[int]) (int, error) { return 0, nil },
		map[int]statem.State[int]{0: {Handle: handle}})))
}

// BenchmarkEventAboveTell alternates bursts of a tell and of an event to a
// machine, each handled alone and with nobody sending meanwhile, so that what is
// measured is the time of one processor and whatever else the machine does meets
// both. It reports how many nanoseconds the event takes above the tell.
func BenchmarkEventAboveTell(b *testing.B) {
	sys := actortest.NewSystem(b)
	plain, machine := new(meter), new(counting)
	machine.done, plain.done = make(chan struct{}, 1), make(chan struct{}, 1)
	meters := []*meter{plain, &machine.meter}
	var pids []actor.PID
	for _, a := range []actor.Actor{plain, statem.New[int](machine)} {
		pid, err := sys.Spawn(b.Context(), &gated{Actor: a})
		if err != nil {
			b.Fatal(err)
		}
		pids = append(pids, pid)
	}
	const burst = 2000
	var took [2]time.Duration
	for b.Loop() {
		for i, pid := range pids {
			g := make(gate)
			_ = sys.Send(pid, g)
			meters[i].n = burst
			for range burst {
				_ = sys.Send(pid, message)
			}
			began := time.Now()
			close(g)
			<-meters[i].done
			took[i] += time.Since(began)
		}
	}
	b.ReportMetric(float64(took[1]-took[0])/float64(b.N*burst), "ns-above-tell")
}

// gate holds an actor up until it is closed.
type gate chan struct{}

type gated struct{ actor.Actor }

func (g *gated) Init(self *actor.Self) error {
	if init, ok := g.Actor.(actor.Initializer); ok {
		return init.Init(self)
	}
	return nil
}

func (g *gated) Receive(self *actor.Self, msg any) error {
	if hold, ok := msg.(gate); ok {
		<-hold
		return nil
	}
	return g.Actor.Receive(self, msg)
}
