package server_test

import (
	"context"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/server"
)

// echo answers what it is asked.
type echo struct{}

func (echo) HandleCall(self *actor.Self, req any) (server.Next, error) {
	return server.Next{}, self.Reply(req)
}

func (echo) HandleCast(*actor.Self, any) (server.Next, error) { return server.Next{}, nil }

// typedEcho is echo with types.
type typedEcho struct{}

func (typedEcho) HandleCall(_ *actor.Self, req *ping, caller server.Caller[*ping]) (server.Next, error) {
	return server.Next{}, caller.Reply(req)
}

func (typedEcho) HandleCast(*actor.Self, *ping) (server.Next, error) { return server.Next{}, nil }

type ping struct{}

// bareEcho is the same without a behaviour.
func bareEcho(self *actor.Self, req any) error { return self.Reply(req) }

func benchmarkCall(b *testing.B, a actor.Actor) {
	sys := actortest.NewSystem(b)
	pid, err := sys.Spawn(b.Context(), a)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		call(b, sys, pid)
	}
}

func call(b *testing.B, sys *actor.System, pid actor.PID) {
	if _, err := actor.Call[*ping](context.Background(), sys, pid, (*ping)(nil)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkBareCall is a call of a plain actor.
func BenchmarkBareCall(b *testing.B) { benchmarkCall(b, actor.Func(bareEcho)) }

// BenchmarkServerCall is the same call of a server.
func BenchmarkServerCall(b *testing.B) { benchmarkCall(b, server.New(echo{})) }

// BenchmarkTypedCall is the same call of a server with types.
func BenchmarkTypedCall(b *testing.B) {
	benchmarkCall(b, server.New(server.Typed[*ping, *ping, *ping](typedEcho{})))
}

// BenchmarkServerToBare alternates stretches of both, so that whatever else the
// machine does meets both, and reports how many times as long a server takes.
func BenchmarkServerToBare(b *testing.B) {
	sys := actortest.NewSystem(b)
	var pids [2]actor.PID
	for i, a := range []actor.Actor{actor.Func(bareEcho), server.New(echo{})} {
		pid, err := sys.Spawn(b.Context(), a)
		if err != nil {
			b.Fatal(err)
		}
		pids[i] = pid
	}
	var took [2]time.Duration
	const stretch = 1000
	for b.Loop() {
		for i, pid := range pids {
			began := time.Now()
			for range stretch {
				call(b, sys, pid)
			}
			took[i] += time.Since(began)
		}
	}
	b.ReportMetric(float64(took[1])/float64(took[0]), "times-bare")
}

// BenchmarkSendRequest is a request whose response is waited for at once.
func BenchmarkSendRequest(b *testing.B) {
	sys := actortest.NewSystem(b)
	pid, err := sys.Spawn(b.Context(), server.New(echo{}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := actor.SendRequest[*ping](context.Background(), sys, pid, (*ping)(nil)).Wait(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
