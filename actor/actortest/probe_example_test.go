package actortest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// ExampleProbe is the body of a test. Here t is made up, so that it can run as
// an example.
func ExampleProbe() {
	run(func(t testing.TB) {
		sys := actortest.NewSystem(t)
		probe := actortest.NewProbe(t, sys)
		errFull := errors.New("full")
		pid := probe.SpawnLink(actor.Func(func(self *actor.Self, msg any) error {
			if msg == "overflow" {
				return errFull
			}
			return self.Send(probe.PID(), fmt.Sprintf("got %v", msg))
		}))

		_ = probe.Send(pid, 1)
		fmt.Println(actortest.Expect[string](probe, time.Second))

		_ = probe.Send(pid, "overflow")
		exit := probe.ExpectExit(pid, errFull, time.Second)
		fmt.Println(exit.Reason)
	})
	// Output:
	// got 1
	// full
}

// ExampleObserve records what happens in a system.
func ExampleObserve() {
	run(func(t testing.TB) {
		sys := actortest.NewSystem(t)
		var events *actortest.Recorder = actortest.Observe(t, sys)
		_ = sys.Send(actor.Name("nobody"), "hello")
		letter := actortest.Expect[actor.DeadLetter](events, time.Second)
		fmt.Println(letter.Message, errors.Is(letter.Reason, actor.ErrNoProc))
	})
	// Output: hello true
}
