package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/behaviours/adaptive"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/supervisor"
)

// description is what a member is told when it starts.
type description struct {
	Name   string
	Secret string
	Join   []string
}

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

// runMember runs one node until in ends, and tells on out what happens: first
// its address, then every decision and every topology.
func runMember(ctx context.Context, text string, in io.Reader, out io.Writer) error {
	var d description
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return err
	}
	var mu sync.Mutex
	tell := func(kind, format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(out, kind, fmt.Sprintf(format, args...))
	}
	node, err := topos.Start(ctx, topos.Config{
		Name: d.Name, Secret: d.Secret, Join: d.Join, Types: topos.Types(adaptive.WireTypes()...),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	defer func() { _ = node.Close(context.WithoutCancel(ctx)) }()
	tell("addr", "%s", node.Addr())
	defer node.ObserveRemote(func(ev remote.Event) {
		if ev, ok := ev.(remote.TopologyChanged); ok {
			tell("topology", "%v", ev.To)
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
					tell("says", "%d nodes, half of the round trips within %v: rule %q, so %v becomes %v",
						ev.Metrics.Nodes, ev.Metrics.P50.Round(10*time.Microsecond), ev.Decision.Rule, ev.Decision.From, ev.Decision.To)
				}
			case adaptive.Failed:
				tell("says", "%v was not possible: %v", ev.To, ev.Err)
			}
		},
	})
	if _, err := node.Supervise(ctx, supervisor.Spec{Children: []supervisor.ChildSpec{{ID: "topology", Start: manager}}}); err != nil {
		return err
	}
	left := make(chan struct{})
	go func() { // ends with in, or with the program
		_, _ = io.Copy(io.Discard, in)
		close(left)
	}()
	select {
	case <-left:
	case <-ctx.Done():
	case <-node.Done():
		return node.Err()
	}
	return nil
}
