package topos_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
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

func TestConfigMistakesAreReportedAllAtOnceByName(t *testing.T) {
	_, err := topos.Start(t.Context(), topos.Config{
		Name: "no good/name", Join: []string{"x:1"}, Settle: -1, KillGrace: -1, Heartbeat: -1, MaxMessage: -1,
	})
	if err == nil {
		t.Fatal("a node was started")
	}
	for _, field := range []string{"Name", "Join", "Settle", "KillGrace", "Heartbeat", "MaxMessage"} {
		if !strings.Contains(err.Error(), "Config."+field) {
			t.Errorf("Config.%s is not mentioned in:\n%v", field, err)
		}
	}
}

func TestAnOpenListenerIsRefusedUnlessToldInsecure(t *testing.T) {
	_, err := topos.Start(t.Context(), topos.Config{Name: "a", Listen: "0.0.0.0:0", Logger: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, remote.ErrInsecure) {
		t.Errorf("Start = %v, want ErrInsecure", err)
	}
}

func TestANodeWithAnotherSecretDoesNotGetIn(t *testing.T) {
	a := start(t, "a")
	stranger, err := topos.Start(t.Context(), topos.Config{
		Name: "b", Secret: "wrong", Join: []string{a.Addr()}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	refused := make(chan error, 16)
	defer a.ObserveRemote(func(e remote.Event) {
		if r, ok := e.(remote.ConnectionRefused); ok {
			select {
			case refused <- r.Reason:
			default:
			}
		}
	})()
	<-refused // it tries again and again
	if n := len(a.Members()); n != 1 {
		t.Errorf("there are %d members", n)
	}
	if err := stranger.Close(t.Context()); err != nil {
		t.Error(err)
	}
	// The node goes on as before.
	if _, err := a.Spawn(t.Context(), startCounter(), actor.Name("c")); err != nil {
		t.Fatal(err)
	}
	if n, err := actor.Call[int](t.Context(), a, actor.Name("c"), get{}); n != 0 || err != nil {
		t.Errorf("Call = %v, %v", n, err)
	}
}

func TestTheNodeEndsWhenItsRootSupervisorGivesUp(t *testing.T) {
	node, err := topos.Start(t.Context(), topos.Config{Name: "a", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	crashing := supervisor.ChildSpec{ID: "c", Start: actor.Start(startCounter, actor.Name("c"))}
	if _, err := node.Supervise(t.Context(), supervisor.Spec{Intensity: supervisor.AtMost(0), Children: []supervisor.ChildSpec{crashing}}); err != nil {
		t.Fatal(err)
	}
	for done := false; !done; {
		// Every crash ends the supervisor, whose own restarts it twice at most.
		_ = node.Send(actor.Name("c"), add{-1})
		select {
		case <-node.Done():
			done = true
		case <-time.After(time.Millisecond):
		}
	}
	if err := node.Err(); !errors.Is(err, supervisor.ErrIntensity) {
		t.Errorf("Err = %v, want ErrIntensity", err)
	}
	if err := node.Close(t.Context()); err != nil {
		t.Errorf("Close after the end: %v", err)
	}
}

func TestCloseStopsTheTreeAndTheOthersSeeTheNodeLeave(t *testing.T) {
	a := start(t, "a")
	b := start(t, "b", a)
	stopped := make(chan error, 1)
	if _, err := b.Supervise(t.Context(), supervisor.Spec{Children: []supervisor.ChildSpec{
		{ID: "c", Start: actor.Start(func() actor.Actor { return &polite{stopped: stopped} }, actor.ClusterName("polite"))},
	}}); err != nil {
		t.Fatal(err)
	}
	pid := await(t, a, "polite")
	down := make(chan actor.Down, 1)
	if _, err := a.Spawn(t.Context(), &watcher{pid, down}); err != nil {
		t.Fatal(err)
	}
	if _, err := actor.Call[bool](t.Context(), a, pid, get{}); err != nil {
		t.Fatal(err)
	}
	left := make(chan struct{})
	defer a.Watch(func(_ actor.NodeID, up bool) {
		if !up {
			close(left)
		}
	})()
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if reason := <-stopped; !errors.Is(reason, actor.ErrShutdown) {
		t.Errorf("Terminate got %v", reason)
	}
	if d := <-down; !errors.Is(d.Reason, actor.ErrShutdown) {
		t.Errorf("the monitor on another node got %v", d.Reason)
	}
	<-left
	if n := len(a.Members()); n != 1 {
		t.Errorf("there are %d members", n)
	}
	if _, there := a.Names()["polite"]; there {
		t.Error("the name of a node that left is still there")
	}
}

// polite is a child that says goodbye.
type polite struct{ stopped chan error }

func (p *polite) Receive(self *actor.Self, _ any) error { return self.Reply(true) }

func (p *polite) Terminate(_ *actor.Self, reason error) { p.stopped <- reason }

// watcher monitors a process and passes the Down on.
type watcher struct {
	of   actor.Address
	down chan actor.Down
}

func (w *watcher) Init(self *actor.Self) error {
	self.Monitor(w.of)
	return nil
}

func (w *watcher) Receive(_ *actor.Self, msg any) error {
	if d, ok := msg.(actor.Down); ok {
		w.down <- d
	}
	return nil
}
