package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/internal/crowd"
)

// command tells a member when the first name is to be registered.
type command struct{ Start time.Time }

// event is what a member tells the director.
type event struct {
	Kind string // "met" or "seen"

	// Of seen, by the number of the name, wall clock, ns: when this node began to
	// register it, if it is its own, and when it saw it.
	Made []int64 `json:",omitempty"`
	Seen []int64 `json:",omitempty"`
}

// serve takes part in one measurement, as one node.
func serve(ctx context.Context, setup crowd.Setup, commands <-chan command, tell func(event)) (err error) {
	var p plan
	if err := setup.Decode(&p); err != nil {
		return err
	}
	node, err := topos.Start(ctx, topos.Config{
		Name: setup.Name, Listen: setup.Listen, Join: setup.Join, Secret: "names",
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.Close(ctx)) }()
	met := make(chan struct{}, p.Nodes)
	cancel := node.Watch(func(_ actor.NodeID, up bool) {
		if up {
			met <- struct{}{}
		}
	})
	for range p.Nodes - 1 {
		<-met
	}
	cancel()
	tell(event{Kind: "met"})
	e := event{Kind: "seen", Made: make([]int64, p.Names), Seen: make([]int64, p.Names)}
	var watching sync.WaitGroup
	failed := make(chan error, p.Names)
	for k := range p.Names {
		watching.Go(func() {
			if _, err := node.Await(ctx, name(k)); err != nil {
				failed <- err
			}
			e.Seen[k] = time.Now().UnixNano()
		})
	}
	begin, ok := <-commands
	if !ok {
		return errors.New("the director is gone")
	}
	if err := register(ctx, node, setup.Index, p, begin.Start, e.Made); err != nil {
		return err
	}
	watching.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	tell(e)
	for range commands { // the processes stay until all have seen them
	}
	return nil
}

func name(k int) actor.ClusterName { return actor.ClusterName(fmt.Sprintf("customer/%d/cart", k)) }

// register spawns this node's share of processes under their names, each at its time.
func register(ctx context.Context, node *topos.Node, index int, p plan, start time.Time, made []int64) error {
	nothing := actor.Func(func(*actor.Self, any) error { return nil })
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for k := index; k < p.Names; k += p.Nodes {
		timer.Reset(time.Until(start.Add(time.Duration(k) * time.Second / time.Duration(p.Rate))))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		made[k] = time.Now().UnixNano()
		if _, err := node.Spawn(ctx, nothing, name(k)); err != nil {
			return err
		}
	}
	return nil
}
