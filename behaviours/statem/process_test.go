package statem

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
)

// naming is a machine that sets a timer with a new name for each event.
type naming struct{}

func (naming) Init(*Turn[int]) (int, error) { return 0, nil }

func (naming) Handle(t *Turn[int], e Event) error {
	p := t.process
	switch {
	case e.Kind == Call:
		return t.Reply([]int{len(p.named), len(p.core.named), cap(t.inserted), cap(p.core.queue)})
	case e.Content == "hibernate":
		t.Internal("now")
		t.Hibernate()
	case e.Content == "now":
		t.Hibernate()
	case e.Kind == Cast:
		t.Timeout(e.Content, time.Second, nil)
	}
	return nil
}

func TestTimerThatHasEndedLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys, err := actor.NewSystem(actor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		pid, err := sys.Spawn(t.Context(), New[int](naming{}))
		if err != nil {
			t.Fatal(err)
		}
		want := func(what string, want ...int) {
			t.Helper()
			got, err := actor.Call[[]int](t.Context(), sys, pid, "what is left?")
			if err != nil || !slices.Equal(got[:len(want)], want) {
				t.Errorf("%s: %v, %v; want %v", what, got, err, want)
			}
		}
		for i := range 100 {
			_ = sys.Send(pid, i)
		}
		want("timers that run", 100, 100)
		time.Sleep(time.Minute)
		synctest.Wait()
		want("timers when all have ended", 0, 0)
		_ = sys.Send(pid, "hibernate")
		want("timers and room for events when it hibernates", 0, 0, 0, 0)
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
