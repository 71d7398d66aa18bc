package groups_test

import (
	"context"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/groups"
)

// lonely returns the groups of a node that is alone, and n processes.
func lonely(tb testing.TB, n int) (*groups.Groups, []actor.PID) {
	tb.Helper()
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{Node: nodeID(1)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = sys.Close(ctx) })
	g, err := groups.Start(ctx, groups.Config{System: sys, Cluster: alone{sys.Node()}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(g.Close)
	var pids []actor.PID
	for range n {
		pid, err := sys.Spawn(ctx, actor.Func(func(*actor.Self, any) error { return nil }))
		if err != nil {
			tb.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return g, pids
}

func TestMembersIsReadWithoutAllocation(t *testing.T) {
	g, pids := lonely(t, 100)
	for _, pid := range pids {
		if err := g.Join("g", pid, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(g.Members("g")) != 100 || len(g.LocalMembers("g")) != 100 {
		t.Fatal("not all are there")
	}
	for _, group := range []string{"g", "none"} {
		if n := testing.AllocsPerRun(20_000, func() { // beside which what the exchange does counts for nothing
			g.Members(group)
			g.LocalMembers(group)
		}); n > 0 {
			t.Errorf("members of %q: %v allocations", group, n)
		}
	}
}

func BenchmarkMembersOfAGroup(b *testing.B) {
	g, pids := lonely(b, 100)
	for _, pid := range pids {
		if err := g.Join("g", pid, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if len(g.Members("g")) != 100 {
				b.Error("not all are there")
				return
			}
		}
	})
}

// BenchmarkJoinAndLeaveOfALargeGroup is both of a process while 10,000 others
// are in the group.
func BenchmarkJoinAndLeaveOfALargeGroup(b *testing.B) {
	g, pids := lonely(b, 10_001)
	for _, pid := range pids[1:] {
		if err := g.Join("g", pid, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := g.Join("g", pids[0], nil); err != nil {
			b.Fatal(err)
		}
		if err := g.Leave("g", pids[0]); err != nil {
			b.Fatal(err)
		}
	}
}
