package topos_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type add struct{ N int }
type get struct{}

type counter struct{ n int }

var errNegative = errors.New("negative")

func (c *counter) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case add:
		if m.N < 0 {
			return errNegative
		}
		c.n += m.N
	case get:
		return self.Reply(c.n)
	}
	return nil
}

func startCounter() actor.Actor { return new(counter) }

// start starts a node that is closed at the end of the test.
func start(t *testing.T, name string, join ...*topos.Node) *topos.Node {
	t.Helper()
	cfg := topos.Config{
		Name:   name,
		Secret: "s",
		Types:  topos.Types(add{}, get{}),
		Errors: []error{errNegative},
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Settle: 200 * time.Millisecond,
	}
	for _, n := range join {
		cfg.Join = append(cfg.Join, n.Addr())
	}
	node, err := topos.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := node.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return node
}

// await waits for a name, for a while.
func await(t *testing.T, node *topos.Node, name actor.ClusterName) actor.PID {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	pid, err := node.Await(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestACounterIsCalledFromAnotherNodeByItsClusterName(t *testing.T) {
	a := start(t, "a")
	b := start(t, "b", a)
	if _, err := a.Supervise(t.Context(), supervisor.Spec{Children: []supervisor.ChildSpec{
		{ID: "counter", Start: actor.Start(startCounter, actor.ClusterName("counter"))},
	}}); err != nil {
		t.Fatal(err)
	}
	pid := await(t, b, "counter")
	if pid.Node().Name != a.Name() {
		t.Errorf("the counter is on %s", pid.Node().Name)
	}
	if err := b.Send(pid, add{2}); err != nil {
		t.Fatal(err)
	}
	if n, err := actor.Call[int](t.Context(), b, pid, get{}); n != 2 || err != nil {
		t.Errorf("Call = %d, %v; want 2", n, err)
	}
	if _, err := actor.Call[int](t.Context(), b, actor.ClusterName("counter"), add{-1}); !errors.Is(err, errNegative) {
		t.Errorf("a call that crashes the counter fails with %v, want %v", err, errNegative)
	}
}

func TestAPlacedChildMovesWhenItsNodeIsKilled(t *testing.T) {
	a := start(t, "a")
	b := start(t, "b", a)
	c := start(t, "c", a, b)
	nodes := []*topos.Node{a, b, c}
	const children = 9
	for _, n := range nodes {
		for i := range children {
			name := fmt.Sprint("child/", i)
			if err := n.Place(t.Context(), supervisor.ChildSpec{ID: name, Start: actor.Start(startCounter, actor.ClusterName(name))}); err != nil {
				t.Fatal(err)
			}
		}
	}
	owners := make(map[string]int)
	for i := range children {
		owners[await(t, c, actor.ClusterName(fmt.Sprint("child/", i))).Node().Name]++
	}
	if len(owners) < 2 {
		t.Fatalf("all children are on %v", owners)
	}
	a.Kill()
	deadline := time.Now().Add(10 * time.Second)
	for i := range children {
		name := actor.ClusterName(fmt.Sprint("child/", i))
		for {
			ctx, cancel := context.WithDeadline(t.Context(), deadline)
			n, err := actor.Call[int](ctx, c, name, get{})
			cancel()
			if err == nil && n == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %v", name, err)
			}
			await(t, c, name)
		}
	}
}
