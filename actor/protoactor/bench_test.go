package protoactor_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/protoactor"
)

// BenchmarkSend sends messages from outside of any actor and waits until the
// last is handled: within the library, over the bridge to a process of ours, to
// a hosted actor, and within Topos.
func BenchmarkSend(b *testing.B) {
	var handled sync.WaitGroup
	theirs := proto.PropsFromFunc(func(ctx proto.Context) {
		if _, ok := ctx.Message().(*message); ok {
			handled.Done()
		}
	})
	ours := actor.Func(func(*actor.Self, any) error {
		handled.Done()
		return nil
	})
	sys, bridge := newBridge(b)
	root := bridge.Actors().Root
	process, err := sys.Spawn(context.Background(), ours)
	if err != nil {
		b.Fatal(err)
	}
	for name, to := range map[string]*proto.PID{
		"native": root.Spawn(theirs),
		"bridge": bridge.ProtoPID(process),
		"hosted": bridge.Root().Spawn(theirs),
	} {
		b.Run(name, func(b *testing.B) {
			handled.Add(b.N)
			m := &message{}
			b.ReportAllocs()
			for range b.N {
				root.Send(to, m)
			}
			handled.Wait()
		})
	}
	b.Run("topos", func(b *testing.B) {
		m := &message{}
		handled.Add(b.N)
		b.ReportAllocs()
		for range b.N {
			_ = sys.Send(process, m)
		}
		handled.Wait()
	})
}

type message struct{}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

func newBridge(tb testing.TB) (*actor.System, *protoactor.Bridge) {
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := sys.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	bridge, err := protoactor.Attach(context.Background(), protoactor.Config{System: sys})
	if err != nil {
		tb.Fatal(err)
	}
	return sys, bridge
}

// hopMessages is how many messages one sample of BenchmarkHop sends.
const hopMessages = 50_000

// BenchmarkHop measures what the bridge adds to a message: it sends to an actor
// of theirs and over the bridge to a process of ours in turns, so that both see
// the same machine, and reports the median of the differences.
func BenchmarkHop(b *testing.B) {
	sys, bridge := newBridge(b)
	root := bridge.Actors().Root
	done := make(chan struct{}, 1)
	n := 0
	count := func() {
		if n++; n == hopMessages {
			n = 0
			done <- struct{}{}
		}
	}
	native := root.Spawn(proto.PropsFromFunc(func(ctx proto.Context) {
		if _, ok := ctx.Message().(*message); ok {
			count()
		}
	}))
	pid, err := sys.Spawn(context.Background(), actor.Func(func(*actor.Self, any) error { count(); return nil }))
	if err != nil {
		b.Fatal(err)
	}
	bridged, hosted := bridge.ProtoPID(pid), bridge.Root().Spawn(proto.PropsFromFunc(func(ctx proto.Context) {
		if _, ok := ctx.Message().(*message); ok {
			count()
		}
	}))
	m := &message{}
	sample := func(to *proto.PID) float64 {
		began := time.Now()
		for range hopMessages {
			root.Send(to, m)
		}
		<-done
		return float64(time.Since(began).Nanoseconds()) / hopMessages
	}
	var natives, overBridge, overHost []float64
	for b.Loop() {
		base := sample(native)
		natives = append(natives, base)
		overBridge = append(overBridge, sample(bridged)-base)
		overHost = append(overHost, sample(hosted)-base)
	}
	b.ReportMetric(median(natives), "native-ns/msg")
	b.ReportMetric(median(overBridge), "bridge-adds-ns/msg")
	b.ReportMetric(median(overHost), "hosted-adds-ns/msg")
	b.ReportMetric(0, "ns/op")
}
