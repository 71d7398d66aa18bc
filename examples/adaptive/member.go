package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/behaviours/adaptive"
	"github.com/topos-go/topos/internal/crowd"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/supervisor"
)

// event is something that a member tells.
type event struct{ Kind, Text string } // "addr", "topology" or "says"

// rules are the usual ones, for a cluster that is large with more than five
// nodes, so that a laptop can show it.
func rules() []adaptive.Rule {
	return []adaptive.Rule{
		{Name: "parted", Topology: remote.Gossip, Parted: true, Urgent: true},
		{Name: "large", Topology: remote.HyParView, Nodes: adaptive.Range[int]{Above: adaptive.Band[int]{Enter: 5, Leave: 5}}},
		{Name: "small", Topology: remote.FullMesh, Nodes: adaptive.Range[int]{Below: adaptive.Band[int]{Enter: 4, Leave: 4}}},
		{Name: "otherwise", Topology: remote.ClientServer},
	}
}

// serve runs one node until it is to leave, and tells what happens: first its
// address, then every decision and every topology.
func serve(ctx context.Context, setup crowd.Setup, commands <-chan struct{}, tell func(event)) error {
	var secret string
	if err := setup.Decode(&secret); err != nil {
		return err
	}
	node, err := topos.Start(ctx, topos.Config{
		Name: setup.Name, Secret: secret, Join: setup.Join, Types: topos.Types(adaptive.WireTypes()...),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	defer func() { _ = node.Close(context.WithoutCancel(ctx)) }()
	tell(event{"addr", node.Addr()})
	defer node.ObserveRemote(func(ev remote.Event) {
		if ev, ok := ev.(remote.TopologyChanged); ok {
			tell(event{"topology", ev.To.String()})
		}
	})()
	manager := adaptive.Start(adaptive.Config{
		Name: "topology", Cluster: node, Rules: rules(),
		// Much less than production wants, since nobody likes to wait.
		Interval: 200 * time.Millisecond, Hold: time.Second, CoolDown: 2 * time.Second,
		Observe: func(ev adaptive.Event) {
			switch ev := ev.(type) {
			case adaptive.Decided:
				if ev.Acting && ev.Decision.Switch {
					tell(event{"says", fmt.Sprintf("%d nodes, half of the round trips within %v: rule %q, so %v becomes %v",
						ev.Metrics.Nodes, ev.Metrics.P50.Round(10*time.Microsecond), ev.Decision.Rule, ev.Decision.From, ev.Decision.To)})
				}
			case adaptive.Failed:
				tell(event{"says", fmt.Sprintf("%v was not possible: %v", ev.To, ev.Err)})
			}
		},
	})
	if _, err := node.Supervise(ctx, supervisor.Spec{Children: []supervisor.ChildSpec{{ID: "topology", Start: manager}}}); err != nil {
		return err
	}
	select {
	case <-commands: // there are none: it ends
	case <-ctx.Done():
	case <-node.Done():
		return node.Err()
	}
	return nil
}
