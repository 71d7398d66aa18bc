// Kv is a distributed key-value store with hand-off, as Riak's core has it in
// Erlang: each key is kept by two nodes, of which every node knows which; when a
// node is lost, or joins, the keys that concerns move, and nothing else does.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func startStore(parent *actor.Self, _ ...any) (actor.PID, error) {
	return parent.SpawnLink(server.New(newStore()), storeName)
}

// start starts a node with a store.
func start(ctx context.Context, name string, join ...string) (*topos.Node, error) {
	node, err := topos.Start(ctx, topos.Config{
		Name: name, Cluster: "kv", Secret: "not so secret in an example", Join: join,
		Types: topos.Types(append(wireTypes(), Resend{})...), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	_, err = node.Supervise(ctx, spec(node))
	return node, err
}

const keys = 100

func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var nodes []*topos.Node
	for _, name := range []string{"a", "b", "c"} {
		var join []string
		if len(nodes) > 0 {
			join = []string{nodes[0].Addr()}
		}
		node, err := start(ctx, name, join...)
		if err != nil {
			return err
		}
		defer node.Close(context.Background())
		nodes = append(nodes, node)
	}
	if err := until(ctx, func() bool { return len(nodes[0].Members()) == 3 }); err != nil {
		return err
	}
	for i := range keys {
		if err := (client{nodes[0]}).put(ctx, fmt.Sprint("key ", i), fmt.Sprint("value ", i)); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d keys are on two nodes each\n", keys)

	nodes[2].Kill()
	if err := until(ctx, func() bool { return len(nodes[0].Members()) == 2 && found(ctx, nodes[0]) == keys }); err != nil {
		return err
	}
	fmt.Fprintf(out, "a node is lost: %d keys are found\n", keys)

	node, err := start(ctx, "d", nodes[0].Addr())
	if err != nil {
		return err
	}
	defer node.Close(context.Background())
	if err := until(ctx, func() bool { return held(ctx, node) > 0 && total(ctx, append(nodes[:2:2], node)) == copies*keys }); err != nil {
		return err
	}
	fmt.Fprintf(out, "a node has joined and been given its share: %d keys are found there\n", found(ctx, node))
	return nil
}

// found is how many keys have their values, as seen from node.
func found(ctx context.Context, node *topos.Node) int {
	n := 0
	for i := range keys {
		value, _, err := (client{node}).get(ctx, fmt.Sprint("key ", i))
		if err == nil && value == fmt.Sprint("value ", i) {
			n++
		}
	}
	return n
}

// held is how many entries the store of node itself has.
func held(ctx context.Context, node *topos.Node) int {
	entries, err := actor.Call[[]Entry](ctx, node, storeName, list{})
	if err != nil {
		return -1
	}
	return len(entries)
}

func total(ctx context.Context, nodes []*topos.Node) int {
	sum := 0
	for _, node := range nodes {
		sum += held(ctx, node)
	}
	return sum
}

// until returns when cond holds.
func until(ctx context.Context, cond func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
