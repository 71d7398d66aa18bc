package server_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/server"
)

func (f *fixture) send(to actor.Address, req any) *actor.Request[string] {
	ctx, cancel := context.WithTimeout(f.Context(), time.Hour)
	f.Cleanup(cancel)
	return actor.SendRequest[string](ctx, f.sys, to, req)
}

func (f *fixture) wantResponse(r *actor.Request[string], want string) {
	f.Helper()
	if got, err := r.Wait(f.Context()); got != want || err != nil {
		f.Errorf("response %q, %v; want %q", got, err, want)
	}
}

func TestSendRequest(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{}, actor.Name("my_test_name"))
		f.wantResponse(f.send(actor.Name("my_test_name"), startedP{}), "ok")
		f.wantResponse(f.send(pid, delayedAnswer{time.Second}), "delayed")

		// A wait that ends too early leaves the request standing.
		r := f.send(pid, delayedAnswer{time.Minute})
		ctx, cancel := context.WithTimeout(f.Context(), time.Second)
		defer cancel()
		_, err := r.Wait(ctx)
		f.wantFailed("a wait that is too short", err, actor.ErrTimeout)
		if _, _, ok := r.Check(); ok {
			f.Error("there is a response already")
		}
		f.wantResponse(r, "delayed")

		// A receive that ends too early abandons it.
		r = f.send(pid, delayedAnswer{time.Minute})
		ctx, cancel = context.WithTimeout(f.Context(), time.Second)
		defer cancel()
		_, err = r.Receive(ctx)
		f.wantFailed("a receive that is too short", err, actor.ErrTimeout)
		<-r.Done()
		_, err, _ = r.Check()
		f.wantFailed("an abandoned request", err, context.Canceled)

		r = f.send(pid, failWith{errBoom})
		_, err = r.Wait(f.Context())
		f.wantFailed("the server's end", err, errBoom)
		_, err = f.send(pid, startedP{}).Wait(f.Context())
		f.wantFailed("a server that is gone", err, actor.ErrNoProc)
		_, err = f.send(actor.Name("my_test_name"), startedP{}).Wait(f.Context())
		f.wantFailed("a name that is free", err, actor.ErrNoProc)
		_, err = f.send(actor.NameAt{Name: "my_test_name", Node: "foo@node"}, startedP{}).Wait(f.Context())
		f.wantFailed("a node that is not there", err, actor.ErrNoCluster)
	})
}

func TestSendRequestWaitReqidCollection(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{})
		var c server.Requests[string, string]
		if _, err := c.Wait(f.Context()); err != server.ErrNoRequests {
			f.Errorf("wait for nothing: %v", err)
		}
		ctx, cancel := context.WithTimeout(f.Context(), time.Hour)
		defer cancel()
		c.Send(ctx, f.sys, pid, delayedAnswer{3 * time.Second}, "third")
		c.Send(ctx, f.sys, pid, delayedAnswer{2 * time.Second}, "second")
		c.Add("first", f.send(actor.Name("nobody"), startedP{}))
		var labels []string
		for label := range c.All() {
			labels = append(labels, label)
		}
		if len(labels) != 3 || labels[0] != "third" || labels[2] != "first" || c.Len() != 3 {
			f.Errorf("labels %v, %d requests", labels, c.Len())
		}
		for _, want := range []string{"first", "second", "third"} {
			response, err := c.Wait(f.Context())
			if err != nil || response.Label != want {
				f.Errorf("response %+v, %v; want %s", response, err, want)
			}
			if want == "first" {
				f.wantFailed("the first", response.Err, actor.ErrNoProc)
			} else if response.Value != "delayed" {
				f.Errorf("%s: %+v", want, response)
			}
		}
		if c.Len() != 0 {
			f.Errorf("%d requests left", c.Len())
		}
	})
}

func TestSendRequestReceiveReqidCollection(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{})
		var c server.Requests[int, string]
		for i := range 3 {
			c.Send(f.Context(), f.sys, pid, delayedAnswer{time.Duration(i+1) * 900 * time.Millisecond}, i)
		}
		ctx, cancel := context.WithTimeout(f.Context(), time.Second)
		defer cancel()
		if response, err := c.Receive(ctx); err != nil || response.Label != 0 {
			f.Errorf("response %+v, %v", response, err)
		}
		_, err := c.Receive(ctx)
		f.wantFailed("receive", err, actor.ErrTimeout)
		if _, err := c.Receive(f.Context()); err != server.ErrNoRequests {
			f.Errorf("abandoned requests are waited for: %v", err)
		}
	})
}

func TestSendRequestCheckReqidCollection(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{})
		var c server.Requests[int, string]
		kept := c.Send(f.Context(), f.sys, pid, delayedAnswer{time.Second}, 1)
		removed := c.Send(f.Context(), f.sys, pid, delayedAnswer{time.Second}, 2)
		if _, ok := c.Check(); ok {
			f.Error("a response is there too soon")
		}
		if !c.Remove(removed) || c.Remove(removed) {
			f.Error("Remove does not say what it does")
		}
		c.Add(3, kept) // another label
		time.Sleep(2 * time.Second)
		if response, ok := c.Check(); !ok || response.Label != 3 || response.Value != "delayed" {
			f.Errorf("response %+v, %v", response, ok)
		}
		if _, ok := c.Check(); ok || c.Len() != 0 {
			f.Error("a response came twice, or after its removal")
		}
	})
}

// Responses that are there already are handed out in the order in which they came.
func TestResponsesComeOutInTheOrderInWhichTheyCame(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{})
		var c server.Requests[int, string]
		for i := range 10 {
			c.Send(f.Context(), f.sys, pid, delayedAnswer{time.Duration(i*7%10+1) * 100 * time.Millisecond}, i*7%10)
		}
		time.Sleep(2 * time.Second)
		for want := range 10 {
			if response, err := c.Wait(f.Context()); err != nil || response.Label != want {
				f.Fatalf("response %+v, %v; want %d", response, err, want)
			}
		}
	})
}

func TestRequestsOfACollectionThatIsAbandonedAreGivenUp(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{})
		var c server.Requests[int, string]
		var sent []*actor.Request[string]
		for i := range 3 {
			sent = append(sent, c.Send(f.Context(), f.sys, pid, delayedAnswer{time.Second}, i))
		}
		c.Abandon()
		for _, r := range sent {
			_, err := r.Wait(f.Context())
			f.wantFailed("request", err, context.Canceled)
		}
		if c.Len() != 0 {
			f.Errorf("%d requests are left", c.Len())
		}
	})
}

// A process that is notified goes on with its other messages meanwhile.
func TestNotifyTellsAProcessThatTheResponseIsThere(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{})
		var r *actor.Request[string]
		f.probe.Do(func(self *actor.Self) error {
			ctx, cancel := context.WithTimeout(f.Context(), time.Minute)
			f.Cleanup(cancel)
			r = actor.SendRequest[string](ctx, self, pid, delayedAnswer{time.Second})
			r.Notify(self.PID(), "response")
			return self.Send(self.PID(), "other")
		})
		f.probe.ExpectMessage("other", soon)
		f.probe.ExpectMessage("response", soon)
		if got, err, ok := r.Check(); got != "delayed" || err != nil || !ok {
			f.Errorf("response %q, %v, %v", got, err, ok)
		}
		r.Notify(f.probe.PID(), "at once")
		f.probe.ExpectMessage("at once", soon)
	})
}

// recorder is a process that shows in which order requests and messages come.
func (f *fixture) recorder(opts ...actor.SpawnOption) actor.PID {
	pid, err := f.sys.Spawn(f.Context(), actor.Func(func(self *actor.Self, msg any) error {
		_ = self.Send(f.probe.PID(), msg)
		return self.Reply("ok")
	}), opts...)
	if err != nil {
		f.Fatal(err)
	}
	return pid
}

func TestRequestHasItsPlaceAmongTheMessagesOfItsSender(t *testing.T) {
	for name, opts := range map[string][]actor.SpawnOption{
		"no bound": nil,
		"bounded":  {actor.Mailbox{Capacity: 3, Overflow: actor.OverflowBlock, Wait: time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fixture) {
				pid := f.recorder(opts...)
				sender, err := f.sys.Spawn(f.Context(), actor.Func(func(self *actor.Self, _ any) error {
					for i := 0; i < 300; i += 3 {
						_ = self.Send(pid, i)
						actor.SendRequest[string](f.Context(), self, pid, i+1)
						actor.SendRequest[string](f.Context(), self, pid, i+2)
					}
					return nil
				}))
				if err != nil {
					f.Fatal(err)
				}
				_ = f.sys.Send(sender, "go")
				for i := range 300 {
					f.probe.ExpectMessage(i, soon)
				}
			})
		})
	}
}

func TestRequestEndsWithTheProcessThatSentIt(t *testing.T) {
	bubble(t, func(f *fixture) {
		gaveUp := make(chan struct{})
		callee, err := f.sys.Spawn(f.Context(), actor.Func(func(self *actor.Self, _ any) error {
			from, ctx := self.From(), self.Context()
			context.AfterFunc(ctx, func() {
				if !from.Waiting() {
					close(gaveUp)
				}
			})
			return nil
		}))
		if err != nil {
			f.Fatal(err)
		}
		var r *actor.Request[string]
		f.probe.Do(func(self *actor.Self) error {
			r = actor.SendRequest[string](context.Background(), self, callee, "?")
			return nil
		})
		f.probe.End(errBoom)
		<-r.Done()
		_, err, _ = r.Check()
		f.wantFailed("request", err, context.Canceled)
		<-gaveUp
	})
}

func TestRequestOfAKilledProcessIsNotSent(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.recorder()
		victim, err := f.sys.Spawn(f.Context(), actor.Func(func(self *actor.Self, _ any) error {
			_ = f.sys.Kill(self.PID())
			_, err := actor.SendRequest[string](context.Background(), self, pid, "too late").Wait(context.Background())
			f.wantFailed("request", err, context.Canceled)
			return nil
		}))
		if err != nil {
			f.Fatal(err)
		}
		_ = f.sys.Send(victim, "go")
		synctest.Wait()
		f.probe.ExpectNothing(time.Second)
	})
}

func TestRequestWithoutDeadlineHasThatOfACall(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{})
		began := time.Now()
		r := actor.SendRequest[string](context.Background(), f.sys, pid, delayedAnswer{time.Hour})
		_, err := r.Wait(f.Context())
		f.wantFailed("request", err, actor.ErrTimeout)
		if took := time.Since(began); took != actor.DefaultCallTimeout {
			f.Errorf("took %v", took)
		}
		_, err = actor.SendRequest[string](context.Background(), f.sys, pid, nil).Wait(f.Context())
		f.wantFailed("request of nothing", err, actor.ErrNilMessage)
		_, err = actor.SendRequest[int](context.Background(), f.sys, pid, startedP{}).Wait(f.Context())
		f.wantFailed("response of another type", err, actor.ErrReplyType)
	})
}

func TestCollectionsAreSafeForManyGoroutines(t *testing.T) {
	sys := actortest.NewSystem(t)
	pid, err := sys.Spawn(t.Context(), server.New(&suite{}))
	if err != nil {
		t.Fatal(err)
	}
	var c server.Requests[int, string]
	const each, senders = 100, 4
	for range senders {
		go func() {
			for i := range each {
				c.Send(t.Context(), sys, pid, startedP{}, i)
			}
		}()
	}
	for got := 0; got < each*senders; {
		response, err := c.Wait(t.Context())
		switch {
		case err == server.ErrNoRequests: // none has been sent yet
		case err != nil || response.Value != "ok":
			t.Fatalf("response %+v, %v", response, err)
		default:
			got++
		}
	}
}

// Each response is one waiter's, and who finds none left is told.
func TestCollectionLeavesNoneOfItsWaitersBehind(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(&suite{})
		ctx, cancel := context.WithTimeout(f.Context(), time.Hour)
		defer cancel()
		for _, empty := range []func(c *server.Requests[int, string]){
			func(*server.Requests[int, string]) {}, // they are answered
			func(c *server.Requests[int, string]) { c.Abandon() },
			func(c *server.Requests[int, string]) {
				for _, r := range c.All() {
					c.Remove(r)
				}
			},
		} {
			var c server.Requests[int, string]
			const n, more = 8, 5
			for i := range n {
				c.Send(ctx, f.sys, pid, delayedAnswer{time.Second}, i)
			}
			errs := make(chan error, n+more)
			for range n + more {
				go func() { _, err := c.Wait(ctx); errs <- err }()
			}
			synctest.Wait()
			empty(&c)
			left := c.Len()
			time.Sleep(time.Minute)
			if len(errs) != n+more {
				f.Errorf("%d of %d have returned", len(errs), n+more)
			}
			got := 0
			for range len(errs) {
				if err := <-errs; err == nil {
					got++
				} else if err != server.ErrNoRequests {
					f.Error(err)
				}
			}
			if got != left {
				f.Errorf("%d responses of %d", got, left)
			}
		}
	})
}
