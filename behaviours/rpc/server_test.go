package rpc_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/rpc"
	"github.com/topos-go/topos/supervisor"
)

func TestOwnErrorOfTheServerIsNotTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		runs, answer := 0, errBroken
		server := serve(t, b, rpc.ServerConfig{Handler: func(context.Context, *actor.Self, any) (any, error) {
			runs++
			return nil, answer
		}})
		c := client(t, a, rpc.Config{})
		_, err := rpc.Call[int](t.Context(), c, a, server, get{1}, rpc.Idempotent(), rpc.Fallback(server))
		if runs != 1 || !errors.Is(err, rpc.ErrServer) || !errors.Is(err, errBroken) || errors.Is(err, actor.ErrOutcomeUnknown) {
			t.Errorf("ran %d times: %v", runs, err)
		}
		answer = rpc.Retry(errBroken)
		if _, err = rpc.Call[int](t.Context(), c, a, server, get{1}); runs != 1+rpc.DefaultTries || !errors.Is(err, errBroken) {
			t.Errorf("an error that says so: ran %d times, %v", runs-1, err)
		}
	})
}

func TestUsersJudgeComesFirst(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		broken := serve(t, b, rpc.ServerConfig{Handler: func(context.Context, *actor.Self, any) (any, error) { return nil, errBroken }})
		sound := serve(t, b, rpc.ServerConfig{Handler: double})
		c := client(t, a, rpc.Config{Judge: func(err error) rpc.Verdict {
			if errors.Is(err, errBroken) {
				return rpc.ElsewhereUnrun
			}
			return rpc.Unjudged
		}})
		if n, err := rpc.Call[int](t.Context(), c, a, broken, get{2}, rpc.Fallback(sound)); n != 4 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestPanicFailsItsRequestAlone(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		server := serve(t, a, rpc.ServerConfig{Handler: func(ctx context.Context, self *actor.Self, req any) (any, error) {
			if req.(get).N == 0 {
				panic("zero")
			}
			return double(ctx, self, req)
		}})
		c := client(t, a, rpc.Config{})
		for range 3 {
			_, err := rpc.Call[int](t.Context(), c, a, server, get{0})
			if p, ok := errors.AsType[*actor.PanicError](err); !ok || p.Value != "zero" || !errors.Is(err, rpc.ErrServer) {
				t.Errorf("the panic arrives as %v", err)
			}
			if n, err := rpc.Call[int](t.Context(), c, a, server, get{1}); n != 2 || err != nil {
				t.Errorf("the next request: %d, %v", n, err)
			}
		}
	})
}

func TestFullServerRefusesWhatItCannotQueue(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		var ran counter
		server := serve(t, b, rpc.ServerConfig{Concurrency: 2, Queue: 3, Handler: func(ctx context.Context, self *actor.Self, req any) (any, error) {
			time.Sleep(100 * time.Millisecond)
			return ran.handle(ctx, self, req)
		}})
		hasty := client(t, a, rpc.Config{Tries: 1})
		var mu sync.Mutex
		refused := 0
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := rpc.Call[int](t.Context(), hasty, a, server, get{i})
				mu.Lock()
				defer mu.Unlock()
				if errors.Is(err, rpc.ErrOverloaded) && !errors.Is(err, actor.ErrOutcomeUnknown) {
					refused++
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if refused != 3 || ran.total() != 5 {
			t.Errorf("%d were refused and %d ran, want 3 and 5", refused, ran.total())
		}
		// One that is patient gets its turn. Waits are drawn: those of the default number of
		// tries may all be short.
		patient := client(t, a, rpc.Config{Tries: 30})
		for i := range 8 {
			wg.Go(func() {
				if _, err := rpc.Call[int](t.Context(), patient, a, server, get{10 + i}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

// Nobody wants its answer, even if the server has not been told.
func TestRequestWhoseTimeIsOverInTheQueueDoesNotRun(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		net.dropping(func(sig actor.Signal) bool { _, cancel := sig.Msg.(rpc.Cancel); return cancel })
		var ran counter
		server := serve(t, b, rpc.ServerConfig{Handler: func(ctx context.Context, self *actor.Self, req any) (any, error) {
			time.Sleep(10 * time.Second)
			return ran.handle(ctx, self, req)
		}})
		c := client(t, a, rpc.Config{TryTimeout: time.Hour})
		ask := func(n int, within time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			_, err := rpc.Call[int](ctx, c, a, server, get{n})
			return err
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := ask(1, time.Hour); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if err := ask(2, time.Second); !errors.Is(err, actor.ErrTimeout) {
			t.Errorf("the second: %v", err)
		}
		wg.Wait()
		if err := ask(3, time.Hour); err != nil {
			t.Error(err)
		}
		if ran.of(1) != 1 || ran.of(2) != 0 || ran.of(3) != 1 {
			t.Errorf("they ran %d, %d and %d times", ran.of(1), ran.of(2), ran.of(3))
		}
	})
}

func TestCancelledCallEndsTheContextOfItsHandler(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		ended := make(chan error, 1)
		server := serve(t, b, rpc.ServerConfig{Handler: func(ctx context.Context, _ *actor.Self, req any) (any, error) {
			if _, ok := req.(get); ok {
				return 1, nil
			}
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}})
		c := client(t, a, rpc.Config{TryTimeout: time.Hour})
		result := make(chan error)
		call := func() context.CancelFunc {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			go func() {
				_, err := rpc.Call[int](ctx, c, a, server, wait{})
				result <- err
			}()
			time.Sleep(time.Millisecond)
			return cancel
		}
		cancelRunning, cancelQueued := call(), call()
		began := time.Now()
		for _, cancel := range []context.CancelFunc{cancelQueued, cancelRunning} {
			cancel()
			if err := <-result; !errors.Is(err, context.Canceled) {
				t.Errorf("the call: %v", err)
			}
			time.Sleep(time.Millisecond)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) || time.Since(began) > time.Second {
			t.Errorf("the handler's context ended after %v: %v", time.Since(began), err)
		}
		if n, err := rpc.Call[int](t.Context(), c, a, server, get{}); n != 1 || err != nil {
			t.Errorf("the server then: %d, %v", n, err)
		}
		if len(ended) != 0 {
			t.Error("a request ran that was cancelled while it waited")
		}
	})
}

func TestCancelThatOvertakesItsRequestHoldsItBack(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		var ran counter
		server := serve(t, b, rpc.ServerConfig{Handler: ran.handle})
		c := client(t, a, rpc.Config{TryTimeout: time.Hour})
		if _, err := rpc.Call[int](t.Context(), c, a, server, get{0}); err != nil {
			t.Fatal(err)
		}
		var late []actor.Signal
		net.dropping(func(sig actor.Signal) bool {
			if _, ok := sig.Msg.(rpc.Request); ok {
				late = append(late, sig)
				return true
			}
			return false
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		result := make(chan error)
		go func() {
			_, err := rpc.Call[int](ctx, c, a, server, get{1})
			result <- err
		}()
		synctest.Wait()
		cancel()
		<-result
		time.Sleep(time.Millisecond)
		for _, sig := range late {
			sig.Origin = a.NodeHandle()
			b.Deliver(sig)
		}
		synctest.Wait()
		if len(late) != 1 || ran.of(1) != 0 {
			t.Errorf("of %d requests that came after their cancel %d ran", len(late), ran.of(1))
		}
	})
}

func TestCancelOfOneCallerLeavesAKeyToTheOther(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		server := serve(t, b, rpc.ServerConfig{Handler: func(ctx context.Context, _ *actor.Self, req any) (any, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Second):
				return 7, nil
			}
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		issued := time.Now()
		result := make(chan error)
		for _, ctx := range []context.Context{ctx, t.Context()} {
			c := client(t, a, rpc.Config{TryTimeout: time.Minute})
			go func() {
				_, err := rpc.Call[int](ctx, c, a, server, get{}, rpc.Key("k", issued))
				result <- err
			}()
			synctest.Wait()
			time.Sleep(time.Millisecond)
		}
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("the one that gave up: %v", err)
		}
		if err := <-result; err != nil {
			t.Errorf("the other: %v", err)
		}
	})
}

func TestHandlerHasTheDeadlineOfTheCallNotOfTheTry(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		server := serve(t, b, rpc.ServerConfig{Handler: func(ctx context.Context, _ *actor.Self, _ any) (any, error) {
			deadline, _ := ctx.Deadline()
			return int(time.Until(deadline).Round(time.Second) / time.Second), nil
		}})
		c := client(t, a, rpc.Config{TryTimeout: time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if n, err := rpc.Call[int](ctx, c, a, server, get{}); n != 30 || err != nil {
			t.Errorf("the handler has %d seconds, %v", n, err)
		}
	})
}

func TestHandlersEndBeforeTheServersSuccessorStarts(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		var mu sync.Mutex
		running, most := 0, 0
		handler := func(ctx context.Context, _ *actor.Self, _ any) (any, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-ctx.Done()
			time.Sleep(500 * time.Millisecond) // tidies up
			mu.Lock()
			running--
			mu.Unlock()
			return nil, ctx.Err()
		}
		super, err := supervisor.New(supervisor.Spec{Children: []supervisor.ChildSpec{{
			ID: "server", Start: rpc.Start(rpc.ServerConfig{Handler: handler, Types: codecTypes}, actor.Name("server")),
		}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Spawn(t.Context(), super); err != nil {
			t.Fatal(err)
		}
		c := client(t, a, rpc.Config{})
		result := make(chan error, 1)
		go func() {
			_, err := rpc.Call[int](t.Context(), c, a, actor.Name("server"), get{}, rpc.Idempotent())
			result <- err
		}()
		synctest.Wait()
		server, _ := a.Whereis("server")
		if err := a.Exit(server, errBroken); err != nil {
			t.Fatal(err)
		}
		if err := <-result; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the call: %v", err)
		}
		if next, _ := a.Whereis("server"); next == server || next.IsZero() {
			t.Error("the server was not started again")
		}
		mu.Lock()
		defer mu.Unlock()
		if most != 1 {
			t.Errorf("%d handlers ran at a time", most)
		}
	})
}

func TestServerRefusesWhatIsNotARequest(t *testing.T) {
	bubble(t, func(t *testing.T, net *wires, a, b *actor.System) {
		server := serve(t, a, rpc.ServerConfig{Handler: double})
		if _, err := actor.Call[int](t.Context(), a, server, get{1}); !errors.Is(err, actor.ErrRequestType) {
			t.Errorf("a bare call: %v", err)
		}
		// None of these may end it.
		for _, msg := range []any{get{1}, rpc.Request{}, rpc.Cancel{}, rpc.Cancel{Session: 1, Seq: 1}, "?"} {
			_ = a.Send(server, msg)
		}
		for _, r := range []rpc.Request{{}, {Session: 99, Seq: 1}, {Session: 1, Seq: 1, Done: 1 << 63}} {
			_, _ = actor.Call[int](t.Context(), a, server, r)
		}
		if n, err := rpc.Call[int](t.Context(), client(t, a, rpc.Config{}), a, server, get{1}); n != 2 || err != nil {
			t.Errorf("afterwards: %d, %v", n, err)
		}
	})
}

func TestMistakesInConfigsAreToldAllAtOnce(t *testing.T) {
	_, err := rpc.NewServer(rpc.ServerConfig{Concurrency: -1, Window: rpc.Window{Age: -1, Entries: -1}})
	_, err2 := rpc.New(rpc.Config{Tries: -1, TryTimeout: -1, Backoff: rpc.Backoff{Multiplier: 0.5}})
	for _, want := range []string{"Handler", "Concurrency", "Age", "Entries", "System", "Tries", "TryTimeout", "Backoff"} {
		if !strings.Contains(errors.Join(err, err2).Error(), want) {
			t.Errorf("no word of %s in %v, %v", want, err, err2)
		}
	}
}
