// Rpc shows what a client sees of a service on three nodes when one of them is
// slow, one fails and one is lost: four nodes in this process, connected by TCP.
//
//	go run ./examples/rpc
//
// The exit status is 0 only if every call had the outcome that is promised.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/topos-go/topos"
)

// limit is how long the whole show may take.
const limit = 30 * time.Second

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "rpc:", err)
		os.Exit(1)
	}
}

// run starts the nodes and goes through the scenes.
func run(ctx context.Context, out io.Writer) (err error) {
	s := &show{out: out, servers: make(map[string]*users)}
	defer func() {
		for _, node := range s.nodes {
			if closing := node.Close(context.WithoutCancel(ctx)); err == nil {
				err = closing
			}
		}
	}()
	for _, name := range []string{"healthy", "slow", "failing"} {
		if err := s.serve(ctx, name); err != nil {
			return err
		}
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	for _, scene := range []func(context.Context) error{
		s.answered, s.refused, s.fallsBack, s.hedged, s.runsOnce, s.cancelled, s.loses,
	} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\nEvery call had the outcome that is promised.")
	return nil
}

// start starts one node of the cluster.
func (s *show) start(ctx context.Context, name string) (*topos.Node, error) {
	node, err := topos.Start(ctx, topos.Config{
		Name:   name,
		Secret: "rpc",
		Join:   s.join,
		Types:  types(),
		Errors: failures(),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	s.nodes = append(s.nodes, node)
	s.join = append(s.join, node.Addr())
	return node, nil
}
