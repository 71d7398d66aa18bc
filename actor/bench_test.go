package actor_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// message is what the benchmarks send: one pointer, made once.
var message any = &struct{ n int }{1}

// countdown is an actor that says done when it has received n messages.
func countdown(n int) (a actor.Actor, done chan struct{}) {
	done = make(chan struct{})
	return actor.Func(func(*actor.Self, any) error {
		if n--; n == 0 {
			close(done)
		}
		return nil
	}), done
}

// BenchmarkTell is one goroutine that sends to one process.
func BenchmarkTell(b *testing.B) {
	sys := actortest.NewSystem(b)
	a, done := countdown(b.N)
	pid := spawn(b, sys, a)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		_ = sys.Send(pid, message)
	}
	<-done
}

// BenchmarkFanIn is eight goroutines that send to one process.
func BenchmarkFanIn(b *testing.B) {
	const senders = 8
	each := (b.N + senders - 1) / senders
	sys := actortest.NewSystem(b)
	a, done := countdown(each * senders)
	pid := spawn(b, sys, a)
	b.ReportAllocs()
	b.ResetTimer()
	for range senders {
		go func() {
			for range each {
				_ = sys.Send(pid, message)
			}
		}()
	}
	<-done
}

// player sends what it receives on to its peer until it has done so n times.
type player struct {
	peer actor.PID
	n    int
	done chan<- struct{}
}

func (p *player) Receive(self *actor.Self, msg any) error {
	if p.n == 0 {
		p.done <- struct{}{}
		return nil
	}
	p.n--
	return self.Send(p.peer, msg)
}

// BenchmarkBusy is 1,000 processes in 500 pairs, each pair with one message.
func BenchmarkBusy(b *testing.B) {
	const pairs = 500
	sys := actortest.NewSystem(b)
	done := make(chan struct{}, pairs)
	var starts []actor.PID
	for range pairs {
		x, y := &player{n: b.N/(2*pairs) + 1, done: done}, &player{n: b.N/(2*pairs) + 1, done: done}
		x.peer, y.peer = spawn(b, sys, y), spawn(b, sys, x)
		starts = append(starts, y.peer)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, pid := range starts {
		_ = sys.Send(pid, message)
	}
	for range pairs {
		<-done
	}
}

// BenchmarkCall is one goroutine that calls one process.
func BenchmarkCall(b *testing.B) {
	sys := actortest.NewSystem(b)
	pid := spawn(b, sys, actor.Func(func(self *actor.Self, msg any) error { return self.Reply(msg) }))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := actor.Call[any](context.Background(), sys, pid, message); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSpawn starts processes and lets them live.
func BenchmarkSpawn(b *testing.B) {
	sys := actortest.NewSystem(b)
	a := actor.Func(func(*actor.Self, any) error { return nil })
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := sys.Spawn(context.Background(), a); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer() // Close is not counted
}

// BenchmarkIdleBytes is the memory of a process that has nothing to do: fresh,
// and after it has handled a burst of 100 queued messages.
func BenchmarkIdleBytes(b *testing.B) {
	for name, burst := range map[string]int{"fresh": 0, "after a burst": 100} {
		b.Run(name, func(b *testing.B) {
			const n = 10_000
			for b.Loop() {
				b.ReportMetric(idleBytes(b, n, burst), "bytes/process")
			}
		})
	}
}

func idleBytes(b *testing.B, n, burst int) float64 {
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		b.Fatal(err)
	}
	pids := make([]actor.PID, n)
	gate := make(chan struct{})
	before := heap()
	for i := range pids {
		pids[i] = spawn(b, sys, actor.Func(func(self *actor.Self, msg any) error {
			if msg == message {
				return nil
			}
			<-gate
			return nil
		}))
	}
	for _, pid := range pids[:min(burst, 1)*n] {
		for range burst {
			_ = sys.Send(pid, message)
		}
	}
	for _, pid := range pids[:min(burst, 1)*n] { // until all is handled
		if _, err := actor.Call[any](context.Background(), sys, pid, message); err == nil {
			b.Fatal("answered")
		}
	}
	used := heap() - before
	close(gate)
	if err := sys.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
	return used / float64(n)
}

// heap is how many bytes are in use after a full collection, pools emptied.
func heap() float64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
