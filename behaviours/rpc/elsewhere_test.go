package rpc_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/rpc"
)

// stuck is a handler that hears only its context.
func stuck(ctx context.Context, _ *actor.Self, _ any) (any, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestLostNodeIsReplacedIfTheCallIsIdempotent(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		first := serve(t, b, rpc.ServerConfig{Handler: stuck})
		second := serve(t, net.start(t, "c"), rpc.ServerConfig{Handler: double})
		asked := 0
		c := client(t, a, rpc.Config{TryTimeout: time.Minute, Alternative: func(to actor.Address, tried []actor.Address) (actor.Address, bool) {
			asked++
			return second, to == actor.Address(first)
		}})
		call := func(opts ...rpc.Option) error {
			result := make(chan error)
			go func() {
				_, err := rpc.Call[int](t.Context(), c, a, first, get{1}, opts...)
				result <- err
			}()
			synctest.Wait()
			time.Sleep(time.Millisecond)
			net.lose("b")
			err := <-result
			net.find("b", b)
			return err
		}
		began := time.Now()
		if err := call(rpc.Idempotent()); err != nil || time.Since(began) > 100*time.Millisecond {
			t.Errorf("idempotent: %v after %v", err, time.Since(began))
		}
		if err := call(); !errors.Is(err, actor.ErrNoConnection) && !errors.Is(err, actor.ErrTimeout) || !errors.Is(err, actor.ErrOutcomeUnknown) {
			t.Errorf("not idempotent: %v", err)
		}
	})
}

func TestServerThatIsGoneIsReplacedInAnyCase(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		first, second := serve(t, b, rpc.ServerConfig{Handler: double}), serve(t, b, rpc.ServerConfig{Handler: double})
		c := client(t, a, rpc.Config{})
		if _, err := rpc.Call[int](t.Context(), c, a, first, get{1}); err != nil {
			t.Fatal(err)
		}
		if err := b.Kill(first); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n, err := rpc.Call[int](t.Context(), c, a, first, get{2}, rpc.Fallback(second)); n != 4 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		_, err := rpc.Call[int](t.Context(), c, a, first, get{2})
		if !errors.Is(err, actor.ErrNoProc) || errors.Is(err, actor.ErrOutcomeUnknown) {
			t.Errorf("without another: %v", err)
		}
	})
}

func TestNameLeadsToTheSuccessor(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		at := actor.NameAt{Name: "users", Node: "b"}
		first := serve(t, b, rpc.ServerConfig{Handler: double}, actor.Name("users"))
		tries := 0
		c := client(t, a, rpc.Config{Observe: func(rpc.Try) { tries++ }})
		if _, err := rpc.Call[int](t.Context(), c, a, at, get{1}); err != nil {
			t.Fatal(err)
		}
		_ = b.Kill(first)
		synctest.Wait()
		serve(t, b, rpc.ServerConfig{Handler: double}, actor.Name("users"))
		if n, err := rpc.Call[int](t.Context(), c, a, at, get{3}); n != 6 || err != nil || tries != 2 {
			t.Errorf("%d, %v with %d tries", n, err, tries)
		}
	})
}

func TestSlowServerIsHedgedAndTheLoserCancelled(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		cancelled := make(chan time.Time, 1)
		slow := serve(t, b, rpc.ServerConfig{Handler: func(ctx context.Context, self *actor.Self, req any) (any, error) {
			defer func() { cancelled <- time.Now() }()
			return stuck(ctx, self, req)
		}})
		quick := serve(t, net.start(t, "c"), rpc.ServerConfig{Handler: double})
		var mu sync.Mutex
		var tries []rpc.Try
		c := client(t, a, rpc.Config{HedgeAfter: 20 * time.Millisecond, Observe: func(try rpc.Try) {
			mu.Lock()
			defer mu.Unlock()
			tries = append(tries, try)
		}})
		began := time.Now()
		n, err := rpc.Call[int](t.Context(), c, a, slow, get{4}, rpc.Idempotent(), rpc.Fallback(quick))
		if took := time.Since(began); n != 8 || err != nil || took > 30*time.Millisecond {
			t.Errorf("%d, %v after %v", n, err, took)
		}
		if at := <-cancelled; at.Sub(began) > 30*time.Millisecond {
			t.Errorf("the loser ran for %v", at.Sub(began))
		}
		if len(tries) != 2 || !tries[0].Hedge || tries[0].To != actor.Address(quick) || tries[1].Hedge {
			t.Errorf("tries: %+v", tries)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := rpc.Call[int](ctx, c, a, slow, get{4}, rpc.Fallback(quick)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call that is not idempotent was hedged: %v", err)
		}
	})
}

func TestHedgeSurvivesTheLossOfItsFirstTry(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		slow := serve(t, b, rpc.ServerConfig{Handler: stuck})
		other := serve(t, net.start(t, "c"), rpc.ServerConfig{Handler: func(ctx context.Context, self *actor.Self, req any) (any, error) {
			time.Sleep(200 * time.Millisecond)
			return double(ctx, self, req)
		}})
		c := client(t, a, rpc.Config{HedgeAfter: 20 * time.Millisecond})
		result := make(chan error)
		go func() {
			n, err := rpc.Call[int](t.Context(), c, a, slow, get{4}, rpc.Idempotent(), rpc.Fallback(other))
			if n != 8 {
				t.Errorf("%d, want 8", n)
			}
			result <- err
		}()
		time.Sleep(50 * time.Millisecond)
		net.lose("b")
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

func TestProcessThatCallsIsInterruptedByItsExit(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		server, other := serve(t, b, rpc.ServerConfig{Handler: stuck}), serve(t, b, rpc.ServerConfig{Handler: stuck})
		for _, hedge := range []time.Duration{0, 10 * time.Millisecond} {
			c := client(t, a, rpc.Config{HedgeAfter: hedge, TryTimeout: time.Hour})
			caller, err := a.Spawn(t.Context(), actor.Func(func(self *actor.Self, _ any) error {
				ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
				defer cancel()
				_, err := rpc.Call[int](ctx, c, self, server, get{}, rpc.Idempotent(), rpc.Fallback(other))
				return err
			}))
			if err != nil {
				t.Fatal(err)
			}
			probe := actortest.NewProbe(t, a)
			probe.Monitor(caller)
			_ = a.Send(caller, "go")
			time.Sleep(time.Second)
			began := time.Now()
			_ = a.Exit(caller, errBroken)
			probe.ExpectDown(caller, errBroken, time.Hour)
			if time.Since(began) > time.Second {
				t.Errorf("hedge after %v: the caller ended after %v", hedge, time.Since(began))
			}
		}
	})
}
