package partition_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/remote"
)

const visits = actor.Name("visits")

func replicated(msg any) partition.Class {
	if crdtactor.IsUpdate(msg) {
		return partition.Write
	}
	return partition.Read
}

func visit(s *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter { return s.Add(me, 1) }

// hall is a cluster with a guarded replica of a counter on each node.
type hall struct {
	*clustertest.Cluster
	t *testing.T
}

func (h hall) visit(i int, opts ...crdtactor.UpdateOption) error {
	return crdtactor.Update(h.t.Context(), h.Node(i), visits, visit, opts...)
}

func (h hall) sees(n int64, nodes ...int) {
	h.t.Helper()
	h.Eventually(time.Minute, func() bool {
		return !slices.ContainsFunc(nodes, func(i int) bool {
			s, err := crdtactor.Get[*crdt.PNCounter](h.t.Context(), h.Node(i), visits)
			return err != nil || s.Value() != n
		})
	})
}

// open runs f with n nodes whose guards are as edit has them.
func open(t *testing.T, n int, edit func(i int, cfg *partition.Config), f func(t *testing.T, h hall)) {
	t.Helper()
	clustertest.Run(t, n, func(t *testing.T, c *clustertest.Cluster) {
		for i := range n {
			node := c.Node(i)
			cfg := partition.Config{Name: visits, Cluster: member{node}, Classify: replicated}
			edit(i, &cfg)
			guard := partition.New(cfg, crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
				Name: visits, New: func() *crdt.PNCounter { return new(crdt.PNCounter) }, Members: node.Members,
			}))
			if _, err := node.Spawn(t.Context(), guard, visits); err != nil {
				t.Fatal(err)
			}
		}
		f(t, hall{c, t})
	})
}

func TestReplicatedStateGoesOnLocallyAndIsJoined(t *testing.T) {
	open(t, 3, strategy(partition.ContinueLocal), func(t *testing.T, h hall) {
		h.Partition([]int{0, 1}, []int{2})
		h.WaitMembers(2, 0, 1)
		for i := range 3 {
			if err := h.visit(i); err != nil {
				t.Fatal(err)
			}
		}
		h.sees(2, 0, 1)
		h.sees(1, 2)
		h.Heal()
		h.sees(3, 0, 1, 2)
	})
}

func TestReadOnlyRefusesUpdatesOfAReplicaAndNothingElse(t *testing.T) {
	open(t, 4, strategy(partition.ReadOnly), func(t *testing.T, h hall) {
		if err := h.visit(0, crdtactor.Copies(4)); err != nil {
			t.Fatal(err)
		}
		h.Pause(3) // it hears of nothing, and is nobody's loss yet
		for i := range 3 {
			if err := h.visit(i); err != nil {
				t.Fatal(err)
			}
		}
		h.sees(4, 0, 1, 2)
		h.Partition([]int{0, 1}, []int{2, 3})
		h.Resume(3)
		h.WaitMembers(2, 0, 1, 2, 3)
		for i := range 4 {
			for _, opts := range [][]crdtactor.UpdateOption{nil, {crdtactor.Copies(2)}} {
				if err := h.visit(i, opts...); !errors.Is(err, partition.ErrReadOnly) {
					t.Errorf("node %d: %v", i, err)
				}
			}
		}
		// The replicas of a side go on telling each other: node 3 lacks what only
		// node 2 can tell it now.
		h.sees(4, 0, 1, 2, 3)
		h.Heal()
		h.WaitMembers(4)
		h.Eventually(time.Minute, func() bool { return h.visit(3) == nil })
		h.sees(5, 0, 1, 2, 3)
	})
}

func TestOnlyTheSideOfTheLeaderUpdatesAReplica(t *testing.T) {
	ballots := []*ballot{new(ballot), new(ballot), new(ballot)}
	edit := func(i int, cfg *partition.Config) { cfg.Strategy, cfg.Leader = partition.ElectLeader, ballots[i] }
	open(t, 3, edit, func(t *testing.T, h hall) {
		for i, b := range ballots {
			b.elect(h.Node(2).Node(), i == 2)
		}
		h.Partition([]int{0, 1}, []int{2})
		h.WaitMembers(2, 0, 1)
		h.WaitMembers(1, 2)
		h.Settle()
		for i := range 2 {
			if err := h.visit(i); !errors.Is(err, partition.ErrReadOnly) {
				t.Errorf("node %d: %v", i, err)
			}
		}
		if err := h.visit(2); err != nil {
			t.Error(err)
		}
		h.sees(0, 0, 1)
		h.sees(1, 2)
		h.Heal()
		h.sees(1, 0, 1, 2)
	})
}

// Example_replicated keeps a replicated state from being changed while the cluster is
// parted; it is read, and replicas go on telling each other.
func Example_replicated() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	cluster := new(stagehand) // in a program, the node itself
	guard := partition.New(partition.Config{
		Name: visits, Strategy: partition.ReadOnly, Cluster: cluster,
		Classify: func(msg any) partition.Class {
			if crdtactor.IsUpdate(msg) {
				return partition.Write
			}
			return partition.Read
		},
	}, crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
		Name: visits, New: func() *crdt.PNCounter { return new(crdt.PNCounter) },
		Members: func() []actor.NodeID { return nil }, // in a program, node.Members
	}))
	if _, err := sys.Spawn(ctx, guard, visits); err != nil {
		panic(err)
	}
	other := actor.NodeID{Name: "b@10.0.0.2:4000", Incarnation: actor.Incarnation{Boot: 1}}
	fmt.Println(crdtactor.Update(ctx, sys, visits, visit))
	cluster.tell(remote.MemberEvent{Kind: remote.MemberUp, Node: other})
	cluster.tell(remote.MemberEvent{Kind: remote.MemberDown, Node: other})
	fmt.Println(errors.Is(crdtactor.Update(ctx, sys, visits, visit), partition.ErrReadOnly))
	state, err := crdtactor.Get[*crdt.PNCounter](ctx, sys, visits)
	fmt.Println(state.Value(), err)
	// Output:
	// <nil>
	// true
	// 1 <nil>
}
