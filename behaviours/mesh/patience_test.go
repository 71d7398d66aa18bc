package mesh_test

import (
	"context"
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
