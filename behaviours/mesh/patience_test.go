package mesh_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/mesh"
)

// Callers who wait no longer, by their own choice or because they end, say nothing
// of whom they have asked.
func TestCallersThatGiveUpOpenNoCircuit(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		mute := w.add(orders())
		mute.set(func(i *instance) { i.mute = true })
		s := w.service("")
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel)
			if _, err := mesh.Call[int](ctx, s, w.sys, 7); err == nil {
				t.Fatal("it has answered")
			}
			caller, err := w.sys.Spawn(t.Context(), actor.Func(func(self *actor.Self, _ any) error {
				_, _ = mesh.Call[int](context.Background(), s, self, 7)
				return nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.sys.Send(caller, "call"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
			_ = w.sys.Exit(caller, errBroken)
			time.Sleep(time.Millisecond)
		}
		status := s.Status()
		if in := status.Instances[0]; status.Circuit != mesh.Closed || in.Circuit != mesh.Closed || in.Failures != 0 || in.InFlight != 0 {
			t.Errorf("the service's circuit is %v, the instance's %v with %d failures and %d calls under way", status.Circuit, in.Circuit, in.Failures, in.InFlight)
		}
		if n := mute.count(); n != 40 {
			t.Errorf("%d calls came, want 40", n)
		}
	})
}

func TestInstanceHasTheTimeOfATryAndTheNextTheRest(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, _ *world) {
		w := newWorld(t, mesh.Config{TryTimeout: time.Second})
		list := w.addMany(2, orders())
		for _, in := range list {
			in.set(func(i *instance) { i.mute = true })
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ask := func(opts ...mesh.Option) (time.Duration, error) {
			began := time.Now()
			_, err := mesh.Call[int](ctx, w.service(""), w.sys, 7, opts...)
			return time.Since(began), err
		}
		if took, err := ask(); !errors.Is(err, mesh.ErrServiceTimeout) || took != time.Second {
			t.Errorf("not idempotent: %v after %v", err, took)
		}
		asked := list[0]
		if asked.count() == 0 {
			asked = list[1]
		}
		other := list[0]
		if asked == other {
			other = list[1]
		}
		other.set(func(i *instance) { i.mute = false })
		late := 0
		for range 3 {
			took, err := ask(mesh.Idempotent())
			if err != nil || took != 0 && took != time.Second {
				t.Errorf("idempotent: %v after %v", err, took)
			}
			if took > 0 {
				late++
			}
		}
		if n := other.count(); n != 3 || late != asked.count()-1 {
			t.Errorf("the one that answers had %d calls of 3, the other %d, %d were late", n, asked.count()-1, late)
		}
	})
}
