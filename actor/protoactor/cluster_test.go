package protoactor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	proto "github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/protoactor"
	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/supervisor"
)

// order is a Go type that both nodes know; secret one that only node 0 does.
type (
	order  struct{ N int }
	secret struct{ N int }
)

// cluster runs f with two nodes, each with a bridge.
func cluster(t *testing.T, f func(t *testing.T, c *clustertest.Cluster, on [2]*stage)) {
	t.Helper()
	clustertest.Run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		f(t, c, [2]*stage{bridged(t, c, 0), bridged(t, c, 1)})
		c.Pass(2 * time.Second) // as in bubble
	}, clustertest.Types(order{}))
}

func bridged(t *testing.T, c *clustertest.Cluster, i int) *stage {
	t.Helper()
	types := codec.Types(order{})
	if i == 0 {
		types = codec.Types(order{}, secret{})
	}
	node := c.Node(i)
	bridge, err := protoactor.Attach(t.Context(), protoactor.Config{
		System: node.System, Types: types,
		Whereis: func(name string) (actor.PID, bool) { pid, ok := node.Names()[name]; return pid, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &stage{t: t, sys: node.System, bridge: bridge}
}

// far returns pid as another node knows it: what a message would carry.
func far(pid *proto.PID) *proto.PID { return proto.NewPID(pid.Address, pid.Id) }

func TestTheirActorsOnTwoNodesExchangeMessages(t *testing.T) {
	cluster(t, func(t *testing.T, c *clustertest.Cluster, on [2]*stage) {
		// Both hosted, by a supervisor or not, and not hosted.
		for _, root := range []*proto.RootContext{on[1].bridge.Root(), on[1].bridge.Actors().Root} {
			server := far(root.Spawn(proto.PropsFromFunc(func(ctx proto.Context) {
				switch m := ctx.Message().(type) {
				case *wrapperspb.StringValue:
					ctx.Respond(wrapperspb.String("echo " + m.Value + ctx.MessageHeader().Get("mood")))
				case order:
					on[1].note(fmt.Sprint("order ", m.N))
				}
			})))
			near := on[0].bridge.Actors().Root
			for i := range 3 {
				near.Send(server, order{i})
			}
			got, err := near.RequestFuture(server, wrapperspb.String("hi"), time.Second).Result()
			if text, ok := got.(*wrapperspb.StringValue); !ok || text.Value != "echo hi" || err != nil {
				t.Errorf("RequestFuture = %v, %v", got, err)
			}
		}
		on[1].expect("order 0", "order 1", "order 2", "order 0", "order 1", "order 2")
	})
}

func TestSenderOnAnotherNodeCanBeKeptAndAnsweredManyTimes(t *testing.T) {
	cluster(t, func(t *testing.T, c *clustertest.Cluster, on [2]*stage) {
		var joined *proto.PID
		server := on[1].bridge.Root().Spawn(proto.PropsFromFunc(func(ctx proto.Context) {
			switch ctx.Message().(type) {
			case *wrapperspb.StringValue:
				joined = ctx.Sender()
			case order:
				ctx.Request(joined, ctx.Message())
			}
		}))
		on[0].bridge.Root().Spawn(proto.PropsFromFunc(func(ctx proto.Context) {
			switch m := ctx.Message().(type) {
			case *proto.Started:
				ctx.Request(far(server), wrapperspb.String("join"))
			case order:
				on[0].note(fmt.Sprint(m.N, ctx.Sender().Id == server.Id))
			}
		}))
		c.Settle()
		for i := range 3 {
			on[1].bridge.Root().Send(server, order{i})
		}
		c.Settle()
		on[0].expect("0 true", "1 true", "2 true")
	})
}

func TestWatchOverNodesTellsTheEndAndTheLossOfTheNode(t *testing.T) {
	cluster(t, func(t *testing.T, c *clustertest.Cluster, on [2]*stage) {
		root := on[1].bridge.Root()
		one, two, three := far(root.Spawn(on[1].echo("one"))), far(root.Spawn(on[1].echo("two"))), far(root.Spawn(on[1].echo("three")))
		nobody := proto.NewPID(one.Address, "nobody")
		names := map[string]string{one.Id: "one", two.Id: "two", three.Id: "three", "nobody": "nobody"}
		watcher := on[0].bridge.Root().Spawn(proto.PropsFromFunc(func(ctx proto.Context) {
			switch m := ctx.Message().(type) {
			case *proto.Started:
				for _, pid := range []*proto.PID{one, two, three, nobody} {
					ctx.Watch(pid)
				}
			case string:
				ctx.Unwatch(three)
			case *proto.Terminated:
				on[0].note(names[m.Who.Id] + " " + m.Why.String())
			}
		}))
		c.Settle()
		on[0].expect("nobody NotFound")
		on[0].bridge.Root().Send(watcher, "unwatch three")
		on[0].bridge.Actors().Root.Stop(one)
		c.Settle()
		on[0].expect("nobody NotFound", "one Stopped")
		c.Kill(1)
		c.WaitMembers(1, 0)
		c.Settle()
		on[0].expect("nobody NotFound", "one Stopped", "two AddressTerminated")
	})
}

func TestUnknownTypeFromAnotherNodeEndsNobody(t *testing.T) {
	cluster(t, func(t *testing.T, c *clustertest.Cluster, on [2]*stage) {
		server := far(on[1].bridge.Root().Spawn(on[1].echo("server")))
		near := on[0].bridge.Actors().Root
		if _, err := near.RequestFuture(server, secret{1}, time.Minute).Result(); !errors.Is(err, proto.ErrDeadLetter) {
			t.Errorf("a type that the receiver does not know: %v", err)
		}
		if _, err := near.RequestFuture(server, struct{ X chan int }{}, time.Minute).Result(); !errors.Is(err, proto.ErrDeadLetter) {
			t.Errorf("a type that nobody knows: %v", err)
		}
		near.Send(server, secret{2})
		for _, garbage := range [][]byte{nil, {0}, {0xff, 1, 2}, make([]byte, 1000)} {
			if len(garbage) > 0 {
				_ = on[0].sys.Send(actor.NameAt{Node: c.Node(1).Name(), Name: protoactor.GatewayName}, garbage)
			}
		}
		// Their guardians panic when they are sent anything.
		guarded := on[1].echo("guarded").Configure(proto.WithGuardian(proto.RestartingSupervisorStrategy()))
		on[1].bridge.Actors().Root.Spawn(guarded)
		for i := range 20 {
			near.Send(proto.NewPID(server.Address, fmt.Sprintf("guardian$%x", i)), "hello")
		}
		if got, err := near.RequestFuture(server, "alive", time.Minute).Result(); got != "server alive" || err != nil {
			t.Errorf("RequestFuture = %v, %v", got, err)
		}
	})
}

func TestPIDOfAnEarlierStartOfANodeReachesNobody(t *testing.T) {
	cluster(t, func(t *testing.T, c *clustertest.Cluster, on [2]*stage) {
		props := on[1].echo("server")
		stale := far(on[1].bridge.ProtoPID(childNamed(t, on[1], props, "server")))
		near := on[0].bridge.Actors().Root
		if got, err := near.RequestFuture(stale, "hi", time.Minute).Result(); got != "server hi" || err != nil {
			t.Fatalf("RequestFuture = %v, %v", got, err)
		}
		c.Kill(1)
		c.WaitMembers(1, 0)
		c.Restart(1)
		c.WaitMembers(2)
		on[1] = bridged(t, c, 1)
		fresh := far(on[1].bridge.ProtoPID(childNamed(t, on[1], on[1].echo("server"), "server")))
		if _, err := near.RequestFuture(stale, "hi", time.Minute).Result(); !errors.Is(err, proto.ErrDeadLetter) {
			t.Errorf("a request to the earlier start: %v", err)
		}
		if got, err := near.RequestFuture(fresh, "hi", time.Minute).Result(); got != "server hi" || err != nil {
			t.Errorf("a request to the later start = %v, %v", got, err)
		}
		on[1].expect("server started")
	})
}

// childNamed starts one supervised actor.
func childNamed(t *testing.T, s *stage, props *proto.Props, name actor.Name, opts ...actor.SpawnOption) actor.PID {
	t.Helper()
	_, pid := s.child(props, append([]actor.SpawnOption{name}, opts...)...)
	return pid
}

func TestHostedActorHasAClusterNameAndIsCalledFromAnotherNode(t *testing.T) {
	cluster(t, func(t *testing.T, c *clustertest.Cluster, on [2]*stage) {
		pid := childNamed(t, on[1], on[1].echo("server"), "server", actor.ClusterName("server"))
		found, err := c.Node(0).Await(t.Context(), "server")
		if err != nil || found != pid {
			t.Fatalf("Await = %v, %v; want %v", found, err, pid)
		}
		if got := on[0].call(actor.ClusterName("server"), "hi"); got != "server hi" {
			t.Errorf("reply is %q", got)
		}
		near := on[0].bridge.Actors().Root
		byName := on[0].bridge.ProtoPID(actor.ClusterName("server"))
		if got, err := near.RequestFuture(byName, "hi", time.Minute).Result(); got != "server hi" || err != nil {
			t.Errorf("RequestFuture by name = %v, %v", got, err)
		}
		theirs := far(on[1].bridge.ProtoPID(pid))
		if got, err := on[0].bridge.Resolve(t.Context(), theirs); got != pid || err != nil {
			t.Errorf("Resolve = %v, %v; want %v", got, err, pid)
		}
		reason := on[0].end(pid)
		near.Stop(byName)
		if err := <-reason; !errors.Is(err, actor.ErrShutdown) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestOurProcessOnAnotherNodeAnswersTheirRequests(t *testing.T) {
	cluster(t, func(t *testing.T, c *clustertest.Cluster, on [2]*stage) {
		pid := on[1].spawn(adder(on[1]))
		near := on[0].bridge.Actors().Root
		to := on[0].bridge.ProtoPID(pid)
		near.Send(to, 40)
		if got, err := near.RequestFuture(to, 2, time.Minute).Result(); got != 42 || err != nil {
			t.Errorf("RequestFuture = %v (%T), %v", got, got, err)
		}
		c.Kill(1)
		if got, err := near.RequestFuture(to, 2, time.Hour).Result(); !errors.Is(err, proto.ErrDeadLetter) {
			t.Errorf("after the node is lost: %v, %v", got, err)
		}
	})
}

func TestPoisonOverNodesWaitsForTheMailBeforeIt(t *testing.T) {
	cluster(t, func(t *testing.T, c *clustertest.Cluster, on [2]*stage) {
		server := far(on[1].bridge.Root().Spawn(on[1].echo("a")))
		near := on[0].bridge.Actors().Root
		near.Send(server, "one")
		near.Send(server, "two")
		if err := near.PoisonFuture(server).Wait(); err != nil {
			t.Fatal(err)
		}
		on[1].expect("a started", "a got one", "a got two", "a stopping", "a stopped")
	})
}

func TestReplyToACallTravelsBackOverNodes(t *testing.T) {
	cluster(t, func(t *testing.T, c *clustertest.Cluster, on [2]*stage) {
		// A call of ours on node 0, forwarded by theirs to theirs on node 1.
		last := far(on[1].bridge.Root().Spawn(on[1].echo("last")))
		_, first := on[0].child(proto.PropsFromFunc(func(ctx proto.Context) {
			if _, ok := ctx.Message().(string); ok {
				ctx.Forward(last)
			}
		}))
		if got := on[0].call(first, "hi"); got != "last hi" {
			t.Errorf("reply is %q", got)
		}
	})
}

func TestPlacedActorMovesWhenItsNodeIsLost(t *testing.T) {
	cluster(t, func(t *testing.T, c *clustertest.Cluster, on [2]*stage) {
		for i := range on {
			err := c.Node(i).Place(t.Context(), supervisor.ChildSpec{
				ID: "echo", Start: on[i].bridge.Child(on[i].echo(fmt.Sprint("on ", i)), actor.ClusterName("echo")),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		pid, err := c.Node(0).Await(t.Context(), "echo")
		if err != nil {
			t.Fatal(err)
		}
		lost, left := 0, 1
		if pid.Node().Name == c.Node(1).Name() {
			lost, left = 1, 0
		}
		c.Kill(lost)
		c.Eventually(time.Minute, func() bool {
			got, err := actor.Call[string](t.Context(), on[left].sys, actor.ClusterName("echo"), "hi")
			return err == nil && got == fmt.Sprintf("on %d hi", left)
		})
	})
}
