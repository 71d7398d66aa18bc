package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/rpc"
	"github.com/topos-go/topos/clustertest"
)

// nodes runs f with real nodes that know this package's messages.
func nodes(t *testing.T, n int, f func(t *testing.T, c *clustertest.Cluster)) {
	t.Helper()
	clustertest.Run(t, n, f, clustertest.Types(append(rpc.WireTypes(), get{}, wait{})...),
		clustertest.Errors(errBroken))
}

func TestRequestsAndErrorsPassBetweenNodes(t *testing.T) {
	nodes(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		server := serve(t, c.Node(1).System, rpc.ServerConfig{Handler: func(ctx context.Context, self *actor.Self, req any) (any, error) {
			deadline, _ := ctx.Deadline()
			if left := time.Until(deadline); left < 25*time.Second || left > 30*time.Second {
				return nil, fmt.Errorf("the handler has %v left", left)
			}
			if string(actor.TraceFrom(ctx)) != "trace" {
				return nil, errors.New("the handler has no trace")
			}
			if n := req.(get).N; n > 0 {
				return []int{n, 2 * n}, nil
			}
			return nil, rpc.Retry(fmt.Errorf("cannot: %w", errBroken))
		}})
		node := c.Node(0)
		cl := client(t, node.System, rpc.Config{})
		ctx, cancel := context.WithTimeout(actor.ContextWithTrace(t.Context(), []byte("trace")), 30*time.Second)
		defer cancel()
		pair, err := rpc.Call[[]int](ctx, cl, node, server, get{4})
		if err != nil || len(pair) != 2 || pair[1] != 8 {
			t.Errorf("%v, %v", pair, err)
		}
		_, err = rpc.Call[int](ctx, cl, node, server, get{0})
		for _, want := range []error{rpc.ErrServer, rpc.ErrRetry, errBroken} {
			if !errors.Is(err, want) {
				t.Errorf("%v is not %v", err, want)
			}
		}
		if _, err := rpc.Call[int](ctx, cl, node, server, struct{ N int }{}); err == nil {
			t.Error("a type that nobody knows was sent")
		}
	})
}

func TestPartitionThatHealsCostsNoSecondRun(t *testing.T) {
	nodes(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		var ran counter
		server := serve(t, c.Node(1).System, rpc.ServerConfig{Handler: ran.handle})
		node := c.Node(0)
		cl := client(t, node.System, rpc.Config{Tries: 1000, Timeout: time.Hour})
		if _, err := rpc.Call[int](t.Context(), cl, node, server, get{0}); err != nil {
			t.Fatal(err)
		}
		answers := c.Drop(clustertest.OfKind(actor.SignalReply), clustertest.To(0))
		result := make(chan error)
		go func() {
			n, err := rpc.Call[int](t.Context(), cl, node, server, get{9})
			if err == nil && n != 18 {
				err = fmt.Errorf("the answer is %d", n)
			}
			result <- err
		}()
		c.Eventually(time.Minute, func() bool { return answers.Count() > 0 })
		c.Partition([]int{0}, []int{1})
		answers.Stop()
		c.WaitMembers(1)
		c.Pass(10 * time.Second)
		c.Heal()
		if err := <-result; err != nil {
			t.Error(err)
		}
		if ran.of(9) != 1 {
			t.Errorf("it ran %d times", ran.of(9))
		}
	})
}

func TestKilledNodesRequestsGoToAnother(t *testing.T) {
	nodes(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		first := serve(t, c.Node(1).System, rpc.ServerConfig{Handler: stuck})
		second := serve(t, c.Node(2).System, rpc.ServerConfig{Handler: double})
		node := c.Node(0)
		cl := client(t, node.System, rpc.Config{TryTimeout: time.Minute, Timeout: time.Minute})
		result := make(chan error)
		go func() {
			_, err := rpc.Call[int](t.Context(), cl, node, first, get{9}, rpc.Idempotent(), rpc.Fallback(second))
			result <- err
		}()
		synctest.Wait()
		c.Pass(time.Second)
		c.Kill(1)
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

func TestCancelReachesAHandlerOnAnotherNode(t *testing.T) {
	nodes(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		ended := make(chan struct{})
		server := serve(t, c.Node(1).System, rpc.ServerConfig{Handler: func(ctx context.Context, self *actor.Self, req any) (any, error) {
			defer close(ended)
			return stuck(ctx, self, req)
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		result := make(chan error)
		go func() {
			_, err := rpc.Call[int](ctx, client(t, c.Node(0).System, rpc.Config{TryTimeout: time.Hour}), c.Node(0), server, get{})
			result <- err
		}()
		c.Pass(time.Second)
		cancel()
		<-result
		began := time.Now()
		<-ended
		if time.Since(began) > time.Second {
			t.Errorf("the handler heard of it after %v", time.Since(began))
		}
	})
}
