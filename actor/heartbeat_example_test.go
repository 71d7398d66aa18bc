package actor_test

import (
	"context"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
)

// A process wants to know within a third of a second that a node does not answer. Here
// there is no way to any node at all.
func ExampleHeartbeat() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	lost := make(chan actor.NodeDown, 1)
	pid, err := sys.Spawn(ctx, actor.Func(func(self *actor.Self, msg any) error {
		switch m := msg.(type) {
		case actor.NodeID:
			var how actor.NodeMonitorOption = actor.Heartbeat(100*time.Millisecond, 3)
			self.MonitorNode(m, how)
		case actor.NodeDown:
			lost <- m
		}
		return nil
	}))
	if err != nil {
		panic(err)
	}
	_ = sys.Send(pid, actor.NodeID{Name: "b@10.0.0.8:4000"})
	down := <-lost
	fmt.Println(down.Node.Name, "is lost:", down.Reason)
	// Output:
	// b@10.0.0.8:4000 is lost: actor: system is not part of a cluster
}
