package registry

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/groups"
	"github.com/topos-go/topos/registry/internal/rig"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/memory"
	"github.com/topos-go/topos/supervisor"
)

// sparse is a node with partial views and everything of the registry.
type sparse struct {
	*rig.Node
	names *Names
}

func startSparse(t *testing.T, net *memory.Network, i int) *sparse {
	s := &sparse{}
	cfg := rig.Config{
		Name: fmt.Sprintf("h%d", i), Topology: remote.HyParView,
		Names: func(id actor.NodeID) actor.Names {
			s.names = NewNames(NamesConfig{Node: id})
			return s.names
		},
		Ready: func(node *rig.Node) {
			s.names.Start(node.Cluster(), node.Exit)
			t.Cleanup(s.names.Close)
			g, err := groups.Start(t.Context(), groups.Config{System: node.System, Cluster: node.Cluster()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(g.Close)
			if _, err := supervisor.Spawn(t.Context(), node.System, supervisor.Spec{Children: []supervisor.ChildSpec{{
				ID: "placement", Type: supervisor.Supervisor, Shutdown: supervisor.Infinity,
				Start: StartPlacement(PlacementConfig{Cluster: node.Cluster()}),
			}}}); err != nil {
				t.Fatal(err)
			}
		},
	}
	if i > 0 {
		cfg.Join = []string{"h0"}
	}
	s.Node = rig.Start(t, net, cfg)
	return s
}

// connected is to how many nodes s keeps a connection.
func (s *sparse) connected() int {
	nodes := make(map[actor.NodeID]bool)
	for _, l := range s.Remote.Lanes() {
		if l.Connected {
			nodes[l.Node] = true
		}
	}
	return len(nodes)
}

func (s *sparse) holder(t *testing.T, name string) {
	t.Helper()
	nothing := actor.Func(func(*actor.Self, any) error { return nil })
	if _, err := s.Spawn(t.Context(), nothing, actor.ClusterName(name)); err != nil {
		t.Fatal(err)
	}
}

func TestNodesWithPartialViewsKeepFewConnectionsAndKnowAllNames(t *testing.T) {
	const n = 24
	synctest.Test(t, func(t *testing.T) {
		net := memory.New(memory.Config{})
		net.SetLatency(time.Millisecond)
		var all []*sparse
		for i := range n {
			all = append(all, startSparse(t, net, i))
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		known := func(name string) bool {
			return !slices.ContainsFunc(all, func(s *sparse) bool { _, ok := s.names.Whereis(name); return !ok })
		}
		var took []time.Duration
		for i := range 4 * n {
			name, begun := fmt.Sprint("name", i), time.Now()
			all[(i*7)%n].holder(t, name)
			for !known(name) {
				if time.Since(begun) > 5*time.Second {
					t.Fatalf("%s is not known everywhere after 5 s", name)
				}
				time.Sleep(500 * time.Microsecond)
			}
			took = append(took, time.Since(begun))
		}
		slices.Sort(took)
		t.Logf("a registration was known to all after %v, or %v at most", took[2*n], took[4*n-1])
		if took[2*n] > 30*time.Millisecond {
			t.Errorf("half of the registrations took longer than %v", took[2*n])
		}
		time.Sleep(3 * time.Minute)
		var keeps []int
		var sent uint64
		for _, s := range all {
			keeps = append(keeps, s.connected())
			sent += s.Remote.Stats().ControlSent
		}
		slices.Sort(keeps)
		t.Logf("nodes keep connections with %v", keeps)
		if keeps[n/2] > 12 {
			t.Errorf("of %d nodes half keep connections with more than %d", n, keeps[n/2])
		}
		time.Sleep(time.Minute)
		for _, s := range all {
			sent -= s.Remote.Stats().ControlSent
		}
		if payloads := -int(sent); payloads > 62*3*n { // a sum a second for each of three tables
			t.Errorf("%d nodes at rest sent %d payloads in a minute", n, payloads)
		}
	})
}
