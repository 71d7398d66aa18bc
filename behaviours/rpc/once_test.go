package rpc_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/rpc"
)

func TestRequestsRunExactlyOnceUnderLossAndDuplication(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		net.loss, net.double, net.delay = 0.3, 0.3, 20*time.Millisecond
		var ran counter
		server := serve(t, b, rpc.ServerConfig{Handler: ran.handle, Concurrency: 4})
		c := client(t, a, rpc.Config{TryTimeout: 50 * time.Millisecond, Tries: 100, Timeout: time.Minute,
			Backoff: rpc.Backoff{Initial: 5 * time.Millisecond, Max: 50 * time.Millisecond}})
		const requests, callers = 10_000, 50
		var wg sync.WaitGroup
		for caller := range callers {
			wg.Go(func() {
				for i := caller; i < requests; i += callers {
					if n, err := rpc.Call[int](t.Context(), c, a, server, get{i}); n != 2*i || err != nil {
						t.Errorf("get %d: %d, %v", i, n, err)
					}
				}
			})
		}
		wg.Wait()
		if len(ran.ran) != requests {
			t.Errorf("%d requests ran, want %d", len(ran.ran), requests)
		}
		for i, times := range ran.ran {
			if times != 1 {
				t.Errorf("request %d ran %d times", i, times)
			}
		}
	})
}

func TestTryThatMeetsARunningOneWaitsForItsAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		var ran counter
		server := serve(t, b, rpc.ServerConfig{Handler: func(ctx context.Context, self *actor.Self, req any) (any, error) {
			time.Sleep(350 * time.Millisecond) // three tries long
			return ran.handle(ctx, self, req)
		}})
		tries := 0
		c := client(t, a, rpc.Config{TryTimeout: 100 * time.Millisecond, Tries: 9,
			Backoff: rpc.Backoff{Initial: time.Millisecond, Max: time.Millisecond}, Observe: func(rpc.Try) { tries++ }})
		began := time.Now()
		n, err := rpc.Call[int](t.Context(), c, a, server, get{4})
		if n != 8 || err != nil || ran.total() != 1 {
			t.Errorf("%d, %v after %d runs", n, err, ran.total())
		}
		if took := time.Since(began); tries != 4 || took.Round(10*time.Millisecond) != 350*time.Millisecond {
			t.Errorf("%d tries in %v, want the fourth to be answered when the first ends", tries, took)
		}
	})
}

func TestLostAnswerIsGivenAgain(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		var ran counter
		server := serve(t, b, rpc.ServerConfig{Handler: ran.handle})
		c := client(t, a, rpc.Config{})
		lost := 0
		net.dropping(func(sig actor.Signal) bool {
			if n, ok := sig.Msg.(int); ok && n == 6 && lost < 2 {
				lost++
				return true
			}
			return false
		})
		n, err := rpc.Call[int](t.Context(), c, a, server, get{3})
		if n != 6 || err != nil || lost != 2 || ran.total() != 1 {
			t.Errorf("%d, %v: %d answers lost, %d runs", n, err, lost, ran.total())
		}
	})
}

func TestLateAnswerIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		server := serve(t, b, rpc.ServerConfig{Concurrency: 2, Handler: func(ctx context.Context, self *actor.Self, req any) (any, error) {
			if req.(get).N == 1 {
				time.Sleep(2 * time.Second) // deaf to its context
			}
			return double(ctx, self, req)
		}})
		c := client(t, a, rpc.Config{TryTimeout: 10 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := rpc.Call[int](ctx, c, a, server, get{1}); !errors.Is(err, actor.ErrTimeout) || !errors.Is(err, actor.ErrOutcomeUnknown) {
			t.Errorf("the slow call: %v", err)
		}
		for i := range 100 {
			if n, err := rpc.Call[int](t.Context(), c, a, server, get{i + 2}); n != 2*i+4 || err != nil {
				t.Errorf("get %d: %d, %v", i+2, n, err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
}

func TestWhatFellOutOfTheWindowIsRefused(t *testing.T) {
	for name, window := range map[string]rpc.Window{
		"by count":         {Entries: 3},
		"by age":           {Age: time.Second},
		"with its session": {Sessions: 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
				var ran counter
				server := serve(t, b, rpc.ServerConfig{Handler: ran.handle, Window: window})
				c := client(t, a, rpc.Config{TryTimeout: 2 * time.Second, Backoff: rpc.Backoff{Initial: time.Second, Max: time.Second}})
				if _, err := rpc.Call[int](t.Context(), c, a, server, get{0}); err != nil {
					t.Fatal(err)
				}
				net.dropping(func(sig actor.Signal) bool { return sig.Msg == any(2) }) // the answer to get{1}
				result := make(chan error)
				go func() {
					_, err := rpc.Call[int](t.Context(), c, a, server, get{1})
					result <- err
				}()
				synctest.Wait()
				time.Sleep(time.Millisecond)
				if name == "by count" {
					for i := range 5 {
						_, _ = rpc.Call[int](t.Context(), c, a, server, get{10 + i})
					}
				}
				for range 2 { // other clients
					_, _ = rpc.Call[int](t.Context(), client(t, a, rpc.Config{}), a, server, get{20})
				}
				net.dropping(nil)
				if err := <-result; !errors.Is(err, rpc.ErrForgotten) || !errors.Is(err, actor.ErrOutcomeUnknown) {
					t.Errorf("the call whose answer is forgotten: %v", err)
				}
				if ran.of(1) != 1 {
					t.Errorf("it ran %d times", ran.of(1))
				}
				// The next call begins anew.
				if n, err := rpc.Call[int](t.Context(), c, a, server, get{5}); n != 10 || err != nil {
					t.Errorf("the next call: %d, %v", n, err)
				}
			})
		})
	}
}

func TestCallsWithOneKeyAreOneRequest(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		var ran counter
		server := serve(t, b, rpc.ServerConfig{Handler: ran.handle, Window: rpc.Window{Age: time.Minute}})
		issued := time.Now()
		call := func() error { // as after a crash of the caller: a new client
			n, err := rpc.Call[int](t.Context(), client(t, a, rpc.Config{}), a, server, get{1}, rpc.Key("order 1", issued))
			if err == nil && n != 2 {
				t.Errorf("%d, want 2", n)
			}
			return err
		}
		for range 3 {
			if err := call(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(15 * time.Second)
		}
		if ran.total() != 1 {
			t.Errorf("ran %d times within the window", ran.total())
		}
		time.Sleep(time.Minute)
		if err := call(); !errors.Is(err, rpc.ErrForgotten) {
			t.Errorf("after the window: %v", err)
		}
		issued = time.Now()
		if err := call(); err != nil || ran.total() != 2 {
			t.Errorf("a key issued anew: %v, %d runs", err, ran.total())
		}
	})
}
