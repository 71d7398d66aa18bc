package actor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
)

// awaiter is a process whose Init, Receive and Terminate are given by the test.
type awaiter struct {
	init      func(*actor.Self) error
	receive   func(*actor.Self, any) error
	terminate func(*actor.Self)
}

func (a *awaiter) Init(self *actor.Self) error {
	if a.init == nil {
		return nil
	}
	return a.init(self)
}

func (a *awaiter) Receive(self *actor.Self, msg any) error {
	if a.receive == nil {
		return nil
	}
	return a.receive(self, msg)
}

func (a *awaiter) Terminate(self *actor.Self, _ error) {
	if a.terminate != nil {
		a.terminate(self)
	}
}

type awaited struct {
	down actor.Down
	err  error
}

// inAwaitBubble runs test in a synctest bubble with a system that ends with it.
func inAwaitBubble(t *testing.T, test func(t *testing.T, sys *actor.System)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sys, err := actor.NewSystem(actor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		test(t, sys)
		if err := sys.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func awaitSpawn(t *testing.T, sys *actor.System, a actor.Actor) actor.PID {
	t.Helper()
	pid, err := sys.Spawn(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

var errAwaited = errors.New("ended")

// awaitMortal ends with any error that it is sent.
func awaitMortal(_ *actor.Self, msg any) error { return msg.(error) }

func TestAwaitDownInTerminateReturnsWhenTheMonitorFires(t *testing.T) {
	inAwaitBubble(t, func(t *testing.T, sys *actor.System) {
		other := awaitSpawn(t, sys, actor.Func(awaitMortal))
		got := make(chan awaited, 1)
		var ref actor.MonitorRef
		waiter := awaitSpawn(t, sys, &awaiter{
			init: func(self *actor.Self) error { ref = self.Monitor(other); return nil },
			terminate: func(self *actor.Self) {
				down, err := self.AwaitDown(context.Background(), ref)
				got <- awaited{down, err}
			},
		})
		sys.Exit(waiter, actor.ErrShutdown)
		synctest.Wait()
		if len(got) != 0 {
			t.Fatal("AwaitDown returned before the process had ended")
		}
		sys.Send(other, errAwaited)
		want := actor.Down{Ref: ref, Of: other, Reason: errAwaited}
		if a := <-got; a.down != want || a.err != nil {
			t.Errorf("AwaitDown = %+v, %v; want %+v", a.down, a.err, want)
		}
	})
}

func TestAwaitDownTakesTheDownOutOfTheMailbox(t *testing.T) {
	inAwaitBubble(t, func(t *testing.T, sys *actor.System) {
		received := make(chan any, 10)
		awaitSpawn(t, sys, &awaiter{
			init: func(self *actor.Self) error {
				if err := self.Send(self.PID(), "mail"); err != nil {
					return err
				}
				ref := self.Monitor(actor.Name("nobody")) // fires at once
				down, err := self.AwaitDown(self.Context(), ref)
				if err != nil || down.Ref != ref || !errors.Is(down.Reason, actor.ErrNoProc) {
					t.Errorf("AwaitDown = %+v, %v; want ErrNoProc as reason", down, err)
				}
				if _, err = self.AwaitDown(self.Context(), ref); !errors.Is(err, actor.ErrNoMonitor) {
					t.Errorf("AwaitDown of a monitor that has fired fails with %v, want ErrNoMonitor", err)
				}
				return nil
			},
			receive: func(_ *actor.Self, msg any) error { received <- msg; return nil },
		})
		synctest.Wait()
		if len(received) != 1 || <-received != "mail" {
			t.Error("received something else than the one message sent")
		}
	})
}

func TestAwaitDownEndsWithItsContext(t *testing.T) {
	inAwaitBubble(t, func(t *testing.T, sys *actor.System) {
		other := awaitSpawn(t, sys, actor.Func(awaitMortal))
		received := make(chan any, 1)
		awaitSpawn(t, sys, &awaiter{
			init: func(self *actor.Self) error {
				ref := self.Monitor(other)
				began := time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				if _, err := self.AwaitDown(ctx, ref); !errors.Is(err, actor.ErrTimeout) {
					t.Errorf("AwaitDown fails with %v, want ErrTimeout", err)
				}
				if d := time.Since(began); d != time.Minute {
					t.Errorf("AwaitDown returned after %v, want 1m", d)
				}
				cancelled, cancel := context.WithCancel(context.Background())
				cancel()
				if _, err := self.AwaitDown(cancelled, ref); !errors.Is(err, context.Canceled) {
					t.Errorf("AwaitDown fails with %v, want Canceled", err)
				}
				return nil
			},
			receive: func(_ *actor.Self, msg any) error { received <- msg; return nil },
		})
		sys.Send(other, errAwaited)
		if down, ok := (<-received).(actor.Down); !ok || down.Reason != errAwaited {
			t.Errorf("received %+v; the monitor should have stood", down)
		}
	})
}

func TestAwaitDownEndsWithAKillButNotWithAnExitSignal(t *testing.T) {
	inAwaitBubble(t, func(t *testing.T, sys *actor.System) {
		other := awaitSpawn(t, sys, actor.Func(awaitMortal))
		got := make(chan error, 1)
		var waiter actor.PID
		waiting := make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			_, _ = sys.Spawn(ctx, &awaiter{init: func(self *actor.Self) error {
				waiter = self.PID()
				ref := self.Monitor(other)
				close(waiting)
				_, err := self.AwaitDown(context.Background(), ref)
				got <- err
				return nil
			}})
		}()
		<-waiting
		cancel() // acts on a process in Init as an exit signal
		synctest.Wait()
		if len(got) != 0 {
			t.Fatalf("AwaitDown ended with an exit signal: %v", <-got)
		}
		sys.Kill(waiter)
		if err := <-got; !errors.Is(err, actor.ErrKilled) {
			t.Errorf("AwaitDown fails with %v, want ErrKilled", err)
		}
	})
}
