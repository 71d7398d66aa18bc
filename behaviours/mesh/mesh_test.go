package mesh_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/mesh"
)

func TestCircuitOfASickInstanceOpensAndCloses(t *testing.T) {
	bubble(t, mesh.Config{Tries: 1}, func(t *testing.T, w *world) {
		d := orders()
		d.Breaker = mesh.Breaker{FailureThreshold: 3, ResetTimeout: 10 * time.Second, HalfOpenSuccesses: 2}
		bad, good := w.add(d), w.add(d)
		bad.set(func(i *instance) { i.err = mesh.Failed(errBroken) })
		s := w.service("")
		failed := 0
		for range 100 {
			if w.call(s) != nil {
				failed++
			}
		}
		if failed != 3 || bad.count() != 3 || good.count() != 97 {
			t.Errorf("%d calls failed; %d went to the bad one and %d to the good one", failed, bad.count(), good.count())
		}
		if st := s.Status(); st.Circuit != mesh.Closed || w.saw(mesh.CircuitChanged) != 1 {
			t.Errorf("the service's circuit is %v after %d changes", st.Circuit, w.saw(mesh.CircuitChanged))
		}
		time.Sleep(11 * time.Second)
		if w.call(s) != nil {
			failed++
		}
		if w.call(s) != nil {
			failed++
		}
		if failed != 4 || bad.count() != 4 {
			t.Errorf("half-open: %d calls went to the bad one", bad.count()-3)
		}
		bad.set(func(i *instance) { i.err = nil })
		time.Sleep(11 * time.Second)
		for range 100 {
			if err := w.call(s); err != nil {
				t.Error(err)
			}
		}
		if n := bad.count(); n < 4+45 {
			t.Errorf("healed, it has %d of 100 calls", n-4)
		}
	})
}

func TestCircuitOfTheServiceOpensWhenAllFail(t *testing.T) {
	bubble(t, mesh.Config{Tries: 1}, func(t *testing.T, w *world) {
		list := w.addMany(10, orders())
		for _, i := range list {
			i.set(func(i *instance) { i.err = mesh.Failed(errBroken) })
		}
		s := w.service("")
		total := func() (n int) {
			for _, i := range list {
				n += i.count()
			}
			return n
		}
		for range 100 {
			_ = w.call(s)
		}
		if total() != 5 || s.Status().Circuit != mesh.Open {
			t.Errorf("%d calls came through, the circuit is %v", total(), s.Status().Circuit)
		}
		if err := w.call(s); !errors.Is(err, mesh.ErrCircuitOpen) {
			t.Error(err)
		}
		for _, i := range list {
			i.set(func(i *instance) { i.err = nil })
		}
		time.Sleep(31 * time.Second)
		for range 10 {
			if err := w.call(s); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestInstanceThatDoesWorseIsEjectedForAWhile(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		d := orders()
		d.Breaker.Off = true
		d.Outlier = mesh.Outlier{Failures: 0.3, Slower: 5, Interval: 2 * time.Second, Calls: 10, Eject: 10 * time.Second}
		list := w.addMany(6, d)
		for _, i := range list {
			i.set(func(i *instance) { i.slow = time.Millisecond })
		}
		list[1].set(func(i *instance) { i.err = mesh.Failed(errBroken) })
		list[4].set(func(i *instance) { i.slow = 20 * time.Millisecond })
		s := w.service("")
		for range 600 {
			if err := w.call(s); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		status := s.Status()
		for k, in := range status.Instances {
			bad := in.PID == list[1].pid || in.PID == list[4].pid
			if in.Ejected != bad {
				t.Errorf("instance %d: ejected %v: %+v", k, in.Ejected, in)
			}
		}
		before := list[1].count()
		for range 100 {
			if err := w.call(s); err != nil {
				t.Fatal(err)
			}
		}
		if list[1].count() != before {
			t.Error("an ejected instance was called")
		}
		list[1].set(func(i *instance) { i.err = nil })
		list[4].set(func(i *instance) { i.slow = time.Millisecond })
		time.Sleep(12 * time.Second)
		if w.saw(mesh.Readmitted) != 2 {
			t.Errorf("%d were readmitted", w.saw(mesh.Readmitted))
		}
		for range 60 {
			_ = w.call(s)
		}
		if list[1].count() == before {
			t.Error("it is not called any more")
		}
	})
}

func TestTraceFollowsACallThroughTheMesh(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, _ *world) {
		recorder := tracetest.NewSpanRecorder()
		provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
		w := newWorld(t, mesh.Config{Tracer: provider})
		pid, err := w.sys.Spawn(t.Context(), actor.Func(func(self *actor.Self, msg any) error {
			_, span := w.Serve(self.Context(), "handle")
			span.End()
			return self.Reply(msg)
		}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Register(t.Context(), orders(), pid); err != nil {
			t.Fatal(err)
		}
		ctx, root := provider.Tracer("test").Start(t.Context(), "root")
		if _, err := mesh.Call[int](ctx, w.service(""), w.sys, 7); err != nil {
			t.Fatal(err)
		}
		missing, err := w.Service("missing", "")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = mesh.Call[int](ctx, missing, w.sys, 7)
		root.End()
		byName := make(map[string]sdktrace.ReadOnlySpan)
		for _, s := range recorder.Ended() {
			byName[s.Name()] = s
		}
		for name, parent := range map[string]string{"handle": "call orders", "call orders": "root", "call missing": "root"} {
			child, mother := byName[name], byName[parent]
			if child == nil || mother == nil {
				t.Fatalf("spans: %v", byName)
			}
			if child.Parent().SpanID() != mother.SpanContext().SpanID() || child.SpanContext().TraceID() != root.SpanContext().TraceID() {
				t.Errorf("%q is not the child of %q", name, parent)
			}
		}
		if byName["handle"].SpanKind() != trace.SpanKindServer || byName["call missing"].Status().Description == "" {
			t.Errorf("kind %v, status %+v", byName["handle"].SpanKind(), byName["call missing"].Status())
		}
	})
}

func TestDefinitionThatCannotBeReadIsLeftOut(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		good := w.add(orders())
		for _, metadata := range []map[string]string{nil, {"definition": "{"}, {"definition": `{"Name":"orders","Version":"x"}`},
			{"definition": `{"Name":"orders","Version":"9.0.0","Weight":-5}`}} {
			pid, err := w.sys.Spawn(t.Context(), new(instance))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.groups.Join("mesh/orders", pid, metadata); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		s := w.service("")
		for range 10 {
			if err := w.call(s); err != nil {
				t.Error(err)
			}
		}
		if good.count() != 10 {
			t.Errorf("the good one had %d of 10 calls", good.count())
		}
	})
}

func TestPolicyIsThatOfTheHighestVersion(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		old, next := orders(), orders()
		old.Version, old.Balancing = "1.0.0", mesh.RoundRobin
		next.Version, next.Balancing = "1.1.0", mesh.ConsistentHash
		a, b := w.add(old), w.add(next)
		s := w.service("")
		for range 20 {
			if err := w.call(s, mesh.Key("the same")); err != nil {
				t.Error(err)
			}
		}
		if a.count() != 0 && b.count() != 0 {
			t.Errorf("one key went to both: %d and %d calls", a.count(), b.count())
		}
	})
}

func TestPickAndAlternativeGoAroundTheInstances(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		w.addMany(4, orders())
		s := w.service("")
		first, err := s.Pick()
		if err != nil {
			t.Fatal(err)
		}
		asked := []actor.Address{first}
		for range 3 {
			next, ok := s.Alternative(first, asked)
			for _, other := range asked {
				if !ok || next == other {
					t.Fatalf("%v after %v", next, asked)
				}
			}
			asked = append(asked, next)
		}
		if next, ok := s.Alternative(first, asked); ok {
			t.Errorf("a fifth of four: %v", next)
		}
		missing, _ := w.Service("missing", "")
		if _, err := missing.Pick(); !errors.Is(err, mesh.ErrServiceNotFound) {
			t.Error(err)
		}
	})
}

func TestInstanceThatCallsItsOwnServiceReachesAnother(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		s := w.service("")
		caller, err := w.sys.Spawn(t.Context(), actor.Func(func(self *actor.Self, msg any) error {
			n, err := mesh.Call[int](self.Context(), s, self, msg)
			if err != nil {
				return self.ReplyError(err)
			}
			return self.Reply(n)
		}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Register(t.Context(), orders(), caller); err != nil {
			t.Fatal(err)
		}
		if _, err := actor.Call[int](t.Context(), w.sys, caller, 7); !errors.Is(err, actor.ErrCallSelf) {
			t.Errorf("alone: %v", err)
		}
		other := w.add(orders())
		for range 20 {
			if n, err := actor.Call[int](t.Context(), w.sys, caller, 7); n != 7 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}
		if other.count() != 20 {
			t.Errorf("the other had %d of 20 calls", other.count())
		}
	})
}

func TestClosedServiceIsNotFollowedAnyMore(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		a, b := w.service(""), w.service("")
		a.Close()
		w.add(orders())
		if err := w.call(a); !errors.Is(err, mesh.ErrClosed) {
			t.Errorf("the closed one: %v", err)
		}
		if err := w.call(b); err != nil {
			t.Errorf("the other: %v", err)
		}
	})
}

func TestManyCallersWhileInstancesComeAndGo(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		d := orders()
		d.Balancing = mesh.PowerOfTwo
		w.addMany(3, d)
		s := w.service("")
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 1)
		const callers = 8
		for range callers {
			go func() {
				var first error
				for ctx.Err() == nil {
					if err := w.call(s, mesh.Idempotent()); err != nil && first == nil {
						first = err
					}
					time.Sleep(time.Millisecond)
				}
				errs <- first
			}()
		}
		for k := range 60 {
			i := w.add(d)
			time.Sleep(5 * time.Millisecond)
			if k%2 == 0 {
				_ = w.sys.Kill(i.pid)
			} else if err := i.reg.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		cancel()
		for range callers {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		for _, in := range s.Status().Instances {
			if in.InFlight != 0 {
				t.Errorf("%d calls are under way for ever", in.InFlight)
			}
		}
	})
}
