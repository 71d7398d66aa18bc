package partition_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
)

type (
	Incr struct{ By int }
	Read struct{}
)

// Total is an actor whose writes can be merged: additions commute.
type Total struct{ n int }

func (t *Total) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case Incr: // not with MergeOnReconnect
		t.n += m.By
		return self.Reply(t.n)
	case Read:
		return self.Reply(t.n)
	}
	return nil
}

func (t *Total) Apply(_ *actor.Self, op partition.Operation) (reply any, err error) {
	t.n += op.Message.(Incr).By
	return t.n, nil
}

func (t *Total) Snapshot() ([]byte, error) { return strconv.AppendInt(nil, int64(t.n), 10), nil }

func (t *Total) Restore(data []byte) (err error) {
	t.n, err = strconv.Atoi(string(data))
	return err
}

func class(msg any) partition.Class {
	if _, ok := msg.(Incr); ok {
		return partition.Write
	}
	return partition.Read
}

// stagehand tells a guard of members that are only imagined.
type stagehand struct{ tell func(remote.MemberEvent) }

func (s *stagehand) Subscribe(f func(remote.MemberEvent)) (cancel func()) {
	s.tell = f
	return func() {}
}

func (s *stagehand) ObserveRemote(func(remote.Event)) (cancel func()) { return func() {} }

// crown is an election with one voter.
type crown struct{ on bool }

func (c *crown) IsLeader() bool { return c.on }

func (c *crown) Token() (epoch, index uint64, ok bool) { return 1, 1, c.on }

func (c *crown) Watch(f func(leader actor.NodeID)) (cancel func()) { return func() {} }

func Example() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	cluster := new(stagehand) // in a program, the node itself
	guard := partition.New(partition.Config{
		Name: "total", Strategy: partition.ReadOnly, Cluster: cluster, Classify: class,
	}, new(Total))
	if _, err := sys.Spawn(ctx, guard, actor.Name("total")); err != nil {
		panic(err)
	}
	add := func() {
		n, err := actor.Call[int](ctx, sys, actor.Name("total"), Incr{2})
		var refused *partition.RefusedError
		if errors.As(err, &refused) {
			fmt.Println("refused by", refused.Strategy, "because of", refused.Lost[0].Name)
			return
		}
		fmt.Println(n)
	}
	other := actor.NodeID{Name: "b@10.0.0.2:4000", Incarnation: actor.Incarnation{Boot: 1}}
	cluster.tell(remote.MemberEvent{Kind: remote.MemberUp, Node: other})
	add()
	cluster.tell(remote.MemberEvent{Kind: remote.MemberDown, Node: other, Reason: overlay.ErrSilent})
	add()
	st, err := partition.GetStatus(ctx, sys, actor.Name("total"))
	fmt.Println(st.Parted, st.Refuses != nil, err)
	cluster.tell(remote.MemberEvent{Kind: remote.MemberUp, Node: other})
	add()
	// Output:
	// 2
	// refused by read-only because of b@10.0.0.2:4000
	// true true <nil>
	// 4
}

func ExampleLeader() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	election := new(crown) // in a program, a lease of the registry's
	guard := partition.New(partition.Config{
		Name: "total", Strategy: partition.ElectLeader, Leader: election, LeaderOnly: true,
		Cluster: new(stagehand), Classify: class,
	}, new(Total))
	pid, err := sys.Spawn(ctx, guard, actor.Name("total"))
	if err != nil {
		panic(err)
	}
	_, err = actor.Call[int](ctx, sys, pid, Incr{1})
	fmt.Println(errors.Is(err, partition.ErrReadOnly))
	fmt.Println(actor.Call[int](ctx, sys, pid, Read{}))
	// Output:
	// true
	// 0 <nil>
}

func ExampleMerger() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	var total partition.Merger = new(Total)
	guard := partition.New(partition.Config{
		Name: "total", Strategy: partition.MergeOnReconnect, Cluster: new(stagehand), Classify: class,
		Types: codec.Types(Incr{}), // topos.Types
	}, total)
	pid, err := sys.Spawn(ctx, guard, actor.Name("total"))
	if err != nil {
		panic(err)
	}
	fmt.Println(actor.Call[int](ctx, sys, pid, Incr{2}))
	fmt.Println(actor.Call[int](ctx, sys, pid, Incr{3}))
	st, err := partition.GetStatus(ctx, sys, pid)
	fmt.Println(st.Logged, "in the log,", st.Unstable, "not everywhere", err)
	// Output:
	// 2 <nil>
	// 5 <nil>
	// 2 in the log, 0 not everywhere <nil>
}
