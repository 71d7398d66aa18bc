package event_test

import (
	"fmt"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/event"
)

// BenchmarkNotify is an event to some handlers.
func BenchmarkNotify(b *testing.B) {
	for _, n := range []int{1, 4, 16} {
		b.Run(fmt.Sprint(n, " handlers"), func(b *testing.B) {
			sys := actortest.NewSystem(b)
			mgr, err := sys.Spawn(b.Context(), event.New())
			if err != nil {
				b.Fatal(err)
			}
			for i := range n {
				h := event.On(func(*actor.Self, *int) (event.Next, error) { return event.Next{}, nil })
				if err := event.Add(b.Context(), sys, mgr, event.ID(fmt.Sprint(i)), h); err != nil {
					b.Fatal(err)
				}
			}
			e := new(int)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				_ = event.Notify(sys, mgr, e)
			}
			if err := event.SyncNotify(b.Context(), sys, mgr, e); err != nil {
				b.Fatal(err)
			}
		})
	}
}
