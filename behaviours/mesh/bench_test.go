package mesh_test

import (
	"context"
	"runtime"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/mesh"
)

// echo answers each call at once.
var echo = actor.Func(func(self *actor.Self, msg any) error { return self.Reply(msg) })

func benchmarkCall(b *testing.B, tracer trace.TracerProvider) {
	w := newWorld(b, mesh.Config{Tracer: tracer})
	d := orders()
	d.Balancing, d.Outlier = mesh.PowerOfTwo, mesh.Outlier{Failures: 0.5, Slower: 5}
	for range 5 {
		pid, err := w.sys.Spawn(b.Context(), echo)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.Register(b.Context(), d, pid); err != nil {
			b.Fatal(err)
		}
	}
	s := w.service("^1", mesh.Idempotent())
	var req any = 7
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mesh.Call[int](b.Context(), s, w.sys, req); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCall is a call through the mesh on one node with everything on but
// spans; compare with BenchmarkBareCall.
func BenchmarkCall(b *testing.B) { benchmarkCall(b, nil) }

// BenchmarkTracedCall has spans too, which are recorded: each is handed over when
// it ends, as to an exporter.
func BenchmarkTracedCall(b *testing.B) { benchmarkCall(b, recording()) }

// BenchmarkTracedCallBesideAHeap is that in a program that has something to
// remember, as programs have: with nothing else alive the collector runs a
// hundred times a second for the spans alone.
func BenchmarkTracedCallBesideAHeap(b *testing.B) {
	heap := make([][]byte, 64<<10)
	for i := range heap {
		heap[i] = make([]byte, 1<<10)
	}
	benchmarkCall(b, recording())
	runtime.KeepAlive(heap)
}

// handed is a span processor that keeps the last span.
type handed struct{ last sdktrace.ReadOnlySpan }

func (h *handed) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (h *handed) OnEnd(s sdktrace.ReadOnlySpan)                   { h.last = s }
func (h *handed) Shutdown(context.Context) error                  { return nil }
func (h *handed) ForceFlush(context.Context) error                { return nil }

func recording() trace.TracerProvider {
	return sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.AlwaysSample()), sdktrace.WithSpanProcessor(new(handed)))
}

func BenchmarkBareCall(b *testing.B) {
	sys := actortest.NewSystem(b)
	pid, err := sys.Spawn(b.Context(), echo)
	if err != nil {
		b.Fatal(err)
	}
	var req any = 7
	b.ReportAllocs()
	for b.Loop() {
		if _, err := actor.Call[int](b.Context(), sys, pid, req); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSpan is what such a span costs by itself, with a caller's attributes.
func BenchmarkSpan(b *testing.B) {
	tracer := recording().Tracer("test")
	attributes := []attribute.KeyValue{attribute.String("a", "x"), attribute.String("b", "y"), attribute.String("c", "z")}
	b.ReportAllocs()
	for b.Loop() {
		_, span := tracer.Start(b.Context(), "call")
		span.SetAttributes(attributes...)
		span.End()
	}
}
