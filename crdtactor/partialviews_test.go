package crdtactor_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/remote"
)

// sparse is a cluster whose nodes are connected with a few others, as HyParView has
// them, and a counter on each, whose peers are these.
type sparse struct {
	*clustertest.Cluster
	t *testing.T
}

// topology lets all nodes have one; tests of this layer cannot name topos.Config.
func topology(value remote.Topology) clustertest.Option {
	with := reflect.ValueOf(clustertest.WithConfig)
	set := reflect.MakeFunc(with.Type().In(0), func(args []reflect.Value) []reflect.Value {
		args[2].Elem().FieldByName("Topology").Set(reflect.ValueOf(value))
		return nil
	})
	return with.Call([]reflect.Value{set})[0].Interface().(clustertest.Option)
}

func withPartialViews(t *testing.T, n int, f func(t *testing.T, s sparse)) {
	clustertest.Run(t, n, func(t *testing.T, c *clustertest.Cluster) {
		s := sparse{c, t}
		c.Pass(30 * time.Second) // until views are as they stay
		for i := range n {
			s.start(i)
		}
		f(t, s)
	}, topology(remote.HyParView))
}

func (s sparse) start(i int) {
	s.t.Helper()
	node := s.Node(i)
	_, err := node.Spawn(s.t.Context(), crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
		Name: visits, New: func() *crdt.PNCounter { return new(crdt.PNCounter) }, Members: node.Members, Peers: node.Peers,
	}), visits)
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s sparse) add(i int, opts ...crdtactor.UpdateOption) {
	s.t.Helper()
	if err := crdtactor.Update(s.t.Context(), s.Node(i), visits, addOne, opts...); err != nil {
		s.t.Fatalf("node %d: %v", i, err)
	}
}

// sees waits until the counter is n on the given nodes, or on all.
func (s sparse) sees(n int64, nodes ...int) {
	s.t.Helper()
	if len(nodes) == 0 {
		for i := range s.Size() {
			nodes = append(nodes, i)
		}
	}
	s.Eventually(time.Minute, func() bool {
		return !slices.ContainsFunc(nodes, func(i int) bool {
			c, err := crdtactor.Get[*crdt.PNCounter](s.t.Context(), s.Node(i), visits)
			return err != nil || c.Value() != n
		})
	})
}

func TestUpdatesReachAllNodesOfPartialViews(t *testing.T) {
	const n = 12
	withPartialViews(t, n, func(t *testing.T, s sparse) {
		for i := range n {
			if peers := len(s.Node(i).Peers()); peers < 1 || peers > n/2 {
				t.Fatalf("node %d has %d peers: views are not partial", i, peers)
			}
			s.add(i)
		}
		s.sees(n)
		s.add(0, crdtactor.Copies(n)) // nodes that are no peers of its count, too
		s.sees(n + 1)
	})
}

func TestSidesOfAPartitionWithPartialViewsAreJoined(t *testing.T) {
	const n = 10
	withPartialViews(t, n, func(t *testing.T, s sparse) {
		s.add(0)
		s.sees(1)
		few, many := []int{0, 1, 2, 3}, []int{4, 5, 6, 7, 8, 9}
		s.Partition(few, many)
		s.WaitMembers(len(few), few...)
		s.WaitMembers(len(many), many...)
		for i := range n {
			s.add(i)
		}
		s.sees(1+int64(len(few)), few...)
		s.sees(1+int64(len(many)), many...)
		s.Heal()
		s.WaitMembers(n)
		s.sees(1 + n)
	})
}

func TestNodeThatIsKilledAmongPartialViewsLosesNothingOfTheOthers(t *testing.T) {
	const n, gone = 10, 3
	withPartialViews(t, n, func(t *testing.T, s sparse) {
		for i := range n {
			s.add(i, crdtactor.Copies(2))
		}
		s.Kill(gone)
		var rest []int
		for i := range n {
			if i != gone {
				rest = append(rest, i)
				s.add(i)
			}
		}
		s.sees(n+int64(len(rest)), rest...)
		s.Restart(gone)
		s.start(gone)
		s.add(gone)
		s.sees(n + int64(len(rest)) + 1)
	})
}
