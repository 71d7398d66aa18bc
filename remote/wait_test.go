package remote_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// A process that waits for room ends when it is told to, not when there is room.
func TestSenderThatWaitsForRoomCanBeEnded(t *testing.T) {
	for name, opts := range map[string][]actor.SendOption{
		"on its channel":           {actor.Channel("narrow")},
		"of acknowledged messages": {actor.Channel("narrow"), actor.Ack()},
		"of its receiver":          {actor.Channel("wide")},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				a, b := w.pairOn(
					remote.Channel{Name: "narrow", QueueBytes: 64 << 10, Wait: time.Hour},
					remote.Channel{Name: "wide", QueueBytes: 1 << 30, Wait: time.Hour},
				)
				s := &stopped{let: make(chan struct{})}
				defer close(s.let)
				pid := a.spawn(t, s)
				if name != "of its receiver" {
					w.net.Partition("a", "b")
				}
				for end, want := range map[error]error{errBroken: errBroken, actor.ErrKilled: actor.ErrKilled} {
					sent := make(chan error, 1)
					sender := b.spawn(t, actor.Func(func(self *actor.Self, _ any) error {
						for {
							if err := self.Send(pid, make([]byte, 32<<10), opts...); err != nil {
								sent <- err
								return nil
							}
						}
					}))
					if err := b.sys.Send(sender, "begin"); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
					if len(sent) > 0 {
						t.Fatalf("it did not wait: %v", <-sent)
					}
					begun := time.Now()
					if err := b.sys.Exit(sender, end); err != nil {
						t.Fatal(err)
					}
					if err := <-sent; !errors.Is(err, want) {
						t.Errorf("got %v, want %v", err, want)
					}
					if waited := time.Since(begun); waited > 0 {
						t.Errorf("it went on waiting for %v", waited)
					}
					synctest.Wait()
					if b.sys.Alive(sender) {
						t.Error("the sender is alive")
					}
				}
			})
		})
	}
}
