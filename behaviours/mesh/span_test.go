package mesh_test

import (
	"errors"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/mesh"
)

func TestSpanSaysWhomTheCallHasReachedAndHowOftenItWasTried(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, _ *world) {
		recorder := tracetest.NewSpanRecorder()
		w := newWorld(t, mesh.Config{Tracer: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))})
		failures := 0
		var pid actor.PID
		for range 2 {
			var err error
			pid, err = w.sys.Spawn(t.Context(), actor.Func(func(self *actor.Self, msg any) error {
				if failures > 0 {
					failures--
					return self.ReplyError(mesh.Failed(errBroken))
				}
				pid = self.PID() // that has answered
				return self.Reply(msg)
			}))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Register(t.Context(), orders(), pid); err != nil {
				t.Fatal(err)
			}
		}
		s := w.service("")
		said := func(fails int) (sdktrace.ReadOnlySpan, map[attribute.Key]attribute.Value, error) {
			failures = fails
			_, err := mesh.Call[int](t.Context(), s, w.sys, 7)
			spans := recorder.Ended()
			last, attributes := spans[len(spans)-1], make(map[attribute.Key]attribute.Value)
			for _, a := range last.Attributes() {
				attributes[a.Key] = a.Value
			}
			return last, attributes, err
		}
		for fails, tries := range []int64{0, 2} {
			span, has, err := said(fails)
			if err != nil {
				t.Fatal(err)
			}
			if has["mesh.instance"].AsString() != pid.String() || has["mesh.version"].AsString() != orders().Version || has["mesh.tries"].AsInt64() != tries {
				t.Errorf("after %d failures the span says %v, answered by %v", fails, has, pid)
			}
			scope := span.InstrumentationScope().Attributes
			if name, _ := scope.Value("mesh.service"); name.AsString() != "orders" || span.Status().Code != codes.Unset {
				t.Errorf("service %v, status %+v", name, span.Status())
			}
		}
		span, _, err := said(9)
		if !errors.Is(err, errBroken) || span.Status().Code != codes.Error || len(span.Events()) != 1 {
			t.Errorf("%v: status %+v, events %v", err, span.Status(), span.Events())
		}
	})
}
