package statem_test

import (
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/statem"
)

func TestTimerThatIsSetAgainFiresOnceAndAtItsNewTime(t *testing.T) {
	for name, set := range map[string]func(t *statem.Turn[string], d time.Duration){
		"state": func(t *statem.Turn[string], d time.Duration) { t.StateTimeout(d, d) },
		"named": func(t *statem.Turn[string], d time.Duration) { t.Timeout("name", d, d) },
		"event": func(t *statem.Turn[string], d time.Duration) { t.EventTimeout(d, d) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fixture) {
				began := time.Now()
				var fired []time.Duration
				pid := f.spawn(statem.New[string](&script[string]{handle: func(t *statem.Turn[string], e statem.Event) error {
					if e.Kind != statem.Cast {
						if e.Content != 10*time.Second {
							f.Errorf("content %v", e.Content)
						}
						fired = append(fired, time.Since(began))
						return nil
					}
					set(t, e.Content.(time.Duration))
					return nil
				}}))
				for _, d := range []time.Duration{time.Second, time.Minute, 2 * time.Second, 10 * time.Second} {
					if err := f.sys.Send(pid, d); err != nil {
						f.Fatal(err)
					}
					time.Sleep(100 * time.Millisecond)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				if want := []time.Duration{10*time.Second + 300*time.Millisecond}; !slices.Equal(fired, want) {
					f.Errorf("it has fired at %v, want %v", fired, want)
				}
			})
		})
	}
}

// payload is large enough to be missed.
type payload [1 << 16]byte

func TestEventThatWasHandledIsNotHeldByAMachineThatWaits(t *testing.T) {
	sys := actortest.NewSystem(t)
	pid, err := sys.Spawn(t.Context(), statem.New[string](&script[string]{handle: func(t *statem.Turn[string], e statem.Event) error {
		if e.Kind == statem.Call {
			return t.Reply(true)
		}
		t.Internal("a consequence") // the events are in the queue, too
		return nil
	}}))
	if err != nil {
		t.Fatal(err)
	}
	held := func() weak.Pointer[payload] {
		p := new(payload)
		if _, err := actor.Call[bool](t.Context(), sys, pid, p); err != nil {
			t.Fatal(err)
		}
		return weak.Make(p)
	}()
	for range 100 {
		if runtime.GC(); held.Value() == nil {
			return
		}
		runtime.Gosched()
	}
	t.Error("it holds the event that it has handled last")
}
