package topos_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/registry"
	"github.com/topos-go/topos/registry/strong"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/discovery"
	"github.com/topos-go/topos/remote/memory"
	"github.com/topos-go/topos/supervisor"
)

// sink is an actor that keeps what it gets.
type sink struct {
	mu  sync.Mutex
	got []any
}

func (s *sink) Receive(_ *actor.Self, msg any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, msg)
	return nil
}

func (s *sink) all() []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func spawn(t *testing.T, n *topos.Node, a actor.Actor) actor.PID {
	t.Helper()
	pid, err := n.Spawn(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestGroupsAreSeenOnOtherNodesUntilTheNodeOfAMemberIsKilled(t *testing.T) {
	clustertest.Run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		a := spawn(t, c.Node(0), new(sink))
		b := spawn(t, c.Node(1), new(sink))
		if err := errors.Join(
			c.Node(0).Groups().Join("workers", a, map[string]string{"zone": "eu"}),
			c.Node(1).Groups().Join("workers", b, nil)); err != nil {
			t.Fatal(err)
		}
		seen := func(want ...actor.PID) func() bool {
			return func() bool {
				var pids []actor.PID
				for _, m := range c.Node(2).Groups().Members("workers") {
					if m.PID == a && m.Metadata["zone"] != "eu" {
						t.Errorf("the member has lost its metadata: %v", m)
					}
					pids = append(pids, m.PID)
				}
				return len(pids) == len(want) && !slices.ContainsFunc(want, func(p actor.PID) bool { return !slices.Contains(pids, p) })
			}
		}
		c.Eventually(time.Second, seen(a, b))
		c.Kill(0)
		c.Eventually(time.Minute, seen(b))
	})
}

func TestTopicsReachTheSubscribersOfAllNodes(t *testing.T) {
	clustertest.Run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		var sinks [3]sink
		for i := range sinks {
			if err := c.Node(i).Topics().Subscribe(t.Context(), "prices", spawn(t, c.Node(i), &sinks[i])); err != nil {
				t.Fatal(err)
			}
		}
		c.Eventually(time.Second, func() bool { return len(c.Node(0).Topics().Nodes("prices")) == 3 })
		if nodes, err := c.Node(0).Topics().Publish(c.Node(0), "prices", add{7}); nodes != 3 || err != nil {
			t.Errorf("published to %d nodes, %v", nodes, err)
		}
		c.Settle()
		for i := range sinks {
			if got := sinks[i].all(); !slices.Equal(got, []any{add{7}}) {
				t.Errorf("node %d got %v", i, got)
			}
		}
	}, clustertest.Types(add{}))
}

// strongly lets the nodes of a cluster have a strong registry in which all vote.
func strongly(n int) clustertest.Option {
	var voters []string
	for i := range n {
		voters = append(voters, fmt.Sprintf("n%d@n%d:4000", i, i))
	}
	return clustertest.WithConfig(func(_ *clustertest.Cluster, _ int, cfg *topos.Config) {
		cfg.Strong = &strong.Config{Voters: voters, Bootstrap: true}
	})
}

func TestStrongLeasesAreExclusiveAndTokensGrowAfterAKill(t *testing.T) {
	clustertest.Run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		first, err := c.Node(0).Strong().Acquire(t.Context(), "billing")
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Node(1).Strong().Acquire(t.Context(), "billing")
		var held *strong.HeldError
		if !errors.As(err, &held) || held.Owner.Node != c.Node(0).Node() || held.Owner.Token != first {
			t.Errorf("a second owner: %v", err)
		}
		c.Kill(0)
		killed := time.Now()
		hold, err := c.Node(1).Strong().Hold(t.Context(), "billing")
		if err != nil {
			t.Fatal(err)
		}
		if !first.Less(hold.Token()) {
			t.Errorf("token %v after %v", hold.Token(), first)
		}
		if took := time.Since(killed); took < c.Node(1).Strong().TTL()/2 {
			t.Errorf("the lease of a killed node lasted only %v", took)
		}
		if err := hold.Release(t.Context()); err != nil {
			t.Error(err)
		}
	}, strongly(3))
}

func TestNodesWithoutConfigStrongHaveNone(t *testing.T) {
	clustertest.Run(t, 1, func(t *testing.T, c *clustertest.Cluster) {
		if c.Node(0).Strong() != nil {
			t.Error("there is a strong registry")
		}
		err := c.Node(0).Declare(t.Context(), registry.Child{Strong: true, Spec: supervisor.ChildSpec{ID: "x", Start: actor.Start(startCounter)}})
		if err != nil {
			t.Error(err)
		}
		c.Pass(10 * time.Second)
		if _, err := c.Node(0).Locate(t.Context(), "x"); !errors.Is(err, registry.ErrNotRunning) {
			t.Errorf("a Strong child without leases: %v", err)
		}
	})
}

func TestStrongChildIsDeclaredEverywhereAndRunsOnceWithALease(t *testing.T) {
	tenures := make(chan registry.Tenure, 16)
	child := registry.Child{Strong: true, Spec: supervisor.ChildSpec{
		ID: "ledger", Start: actor.StartWith(func(args ...any) actor.Actor {
			tenures <- args[len(args)-1].(registry.Tenure)
			return startCounter()
		}),
	}}
	clustertest.Run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		for _, n := range c.Nodes() {
			if err := n.Declare(t.Context(), child); err != nil {
				t.Fatal(err)
			}
		}
		var pid actor.PID
		located := func() bool {
			var pids []actor.PID
			for _, n := range c.Nodes() {
				if p, err := n.Locate(t.Context(), "ledger"); err == nil {
					pids = append(pids, p)
				}
			}
			if len(pids) < len(c.Nodes()) || len(slices.Compact(pids)) > 1 {
				return false
			}
			pid = pids[0]
			return true
		}
		c.Eventually(time.Minute, located)
		first := <-tenures
		old := slices.IndexFunc(c.Nodes(), func(n *topos.Node) bool { return n.Node() == pid.Node() })
		c.Kill(old)
		c.Eventually(time.Minute, func() bool { return located() && pid.Node() != c.Node(old).Node() })
		second := <-tenures
		if len(tenures) > 0 || second.Token.Compare(first.Token) <= 0 {
			t.Errorf("tenures %v, %v and %d more", first, second, len(tenures))
		}
	}, strongly(3))
}

func TestChildrenHaveMovedBeforeAClosedNodeHasLeft(t *testing.T) {
	const children = 9
	clustertest.Run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		for _, n := range c.Nodes() {
			for i := range children {
				if err := n.Place(t.Context(), supervisor.ChildSpec{ID: fmt.Sprint(i), Start: actor.Start(startCounter)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		// where returns how many children run on a node, as another sees it.
		where := func(seen *topos.Node, on actor.NodeID) (n, all int) {
			for i := range children {
				if pid, err := seen.Locate(t.Context(), fmt.Sprint(i)); err == nil {
					all++
					if pid.Node() == on {
						n++
					}
				}
			}
			return n, all
		}
		leaving := c.Node(0).Node()
		c.Eventually(time.Minute, func() bool {
			n, all := where(c.Node(1), leaving)
			return n > 0 && all == children
		})
		var mu sync.Mutex
		left := false
		defer c.Node(1).Watch(func(node actor.NodeID, up bool) {
			mu.Lock()
			defer mu.Unlock()
			left = left || node == leaving && !up
		})()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c.Stop(0)
		}()
		before := false
		for done := false; !done; {
			n, all := where(c.Node(1), leaving)
			mu.Lock()
			gone := left
			mu.Unlock()
			if gone {
				done = true
				if n > 0 || all < children {
					t.Errorf("the node has left, and %d children run there, %d in all", n, all)
				}
			} else if n == 0 && all == children {
				before = true
			}
			c.Pass(time.Millisecond)
		}
		<-ended
		if !before {
			t.Error("the children moved only when the node had left")
		}
	})
}

func TestNodeThatRunsNothingPlacedClosesAtOnce(t *testing.T) {
	clustertest.Run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		began := time.Now()
		c.Stop(0)
		if took := time.Since(began); took > 50*time.Millisecond {
			t.Errorf("closing a node took %v", took)
		}
	})
}

func TestNodesFoundByDiscoveryMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := memory.New(memory.Config{})
		begin := func(name string, sources ...discovery.Source) *topos.Node {
			n, err := topos.Start(t.Context(), topos.Config{
				Name: name, Listen: name + ":4000", Secret: "s", Transport: net.Host(name),
				Logger: slog.New(slog.DiscardHandler), Discovery: sources,
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		var mu sync.Mutex
		var known []string
		find := discovery.Func(func(context.Context) ([]string, error) {
			mu.Lock()
			defer mu.Unlock()
			if len(known) == 0 {
				return nil, discovery.ErrNone
			}
			return slices.Clone(known), nil
		})
		a := begin("a")
		b := begin("b", find)
		time.Sleep(5 * time.Second)
		if n := len(b.Members()); n != 1 {
			t.Errorf("%d members before anything was found", n)
		}
		mu.Lock()
		known = []string{a.Addr()}
		mu.Unlock()
		time.Sleep(discovery.DefaultInterval)
		for _, n := range []*topos.Node{a, b} {
			if got := len(n.Members()); got != 2 {
				t.Errorf("%s has %d members", n.Name(), got)
			}
		}
		if err := errors.Join(b.Close(t.Context()), a.Close(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

func TestBroadcastIsHandledOnceOnEveryNode(t *testing.T) {
	clustertest.Run(t, 4, func(t *testing.T, c *clustertest.Cluster) {
		var mu sync.Mutex
		heard := make(map[string][]string)
		for _, n := range c.Nodes() {
			n.HandleBroadcast("news", func(from actor.NodeID, payload []byte) {
				mu.Lock()
				defer mu.Unlock()
				heard[n.Name()] = append(heard[n.Name()], from.Name+": "+string(payload))
			})
		}
		if err := c.Node(2).Broadcast("news", []byte("hello"), remote.InCausalOrder()); err != nil {
			t.Fatal(err)
		}
		c.Pass(10 * time.Second) // nothing orders the two kinds
		if err := c.Node(2).Broadcast("news", []byte("again")); err != nil {
			t.Fatal(err)
		}
		c.Pass(10 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		for _, n := range c.Nodes() {
			want := []string{c.Node(2).Name() + ": hello", c.Node(2).Name() + ": again"}
			if got := heard[n.Name()]; !slices.Equal(got, want) {
				t.Errorf("%s has heard %q", n.Name(), got)
			}
		}
	})
}

func TestOnlyTheFirstMemberChangesTheTopologyOfAll(t *testing.T) {
	clustertest.Run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		lowest := c.Node(0).Members()[0]
		for _, n := range c.Nodes() {
			if n.Node() != lowest {
				if err := n.SetTopology(t.Context(), remote.HyParView); !errors.Is(err, remote.ErrNotLowest) {
					t.Errorf("%s: %v", n.Name(), err)
				}
			}
		}
		for _, n := range c.Nodes() {
			if n.Topology() != remote.FullMesh {
				t.Errorf("%s has changed to %v", n.Name(), n.Topology())
			}
		}
		for _, n := range c.Nodes() {
			if n.Node() == lowest {
				if err := n.SetTopology(t.Context(), remote.HyParView); err != nil {
					t.Fatal(err)
				}
			}
		}
		c.Eventually(time.Minute, func() bool {
			return !slices.ContainsFunc(c.Nodes(), func(n *topos.Node) bool { return n.Topology() != remote.HyParView })
		})
		c.WaitMembers(3)
	})
}
