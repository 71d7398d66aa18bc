// After is the application that before is, moved to Topos: the same actor and
// the same messages, with a supervisor above it and our connections between the
// two processes.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"time"

	proto "github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/protoactor"
	"github.com/topos-go/topos/supervisor"
)

const (
	parcels = 2000
	size    = 16 << 10
)

// depotName is how the depot is found, wherever it runs.
const depotName = actor.ClusterName("depot")

func main() {
	ctx := context.Background()
	var err error
	if len(os.Args) == 3 && os.Args[1] == "depot" {
		err = runDepot(ctx, os.Args[2], os.Stdin)
	} else {
		err = runOffice(ctx, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// start starts a node and its bridge.
func start(ctx context.Context, name string, join ...string) (*topos.Node, *protoactor.Bridge, error) {
	node, err := topos.Start(ctx, topos.Config{
		Name: name, Cluster: "parcels", Secret: "not so secret in an example", Join: join,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, err
	}
	bridge, err := protoactor.Attach(ctx, protoactor.Config{System: node.System})
	if err != nil {
		node.Close(ctx)
		return nil, nil, err
	}
	return node, bridge, nil
}

// runDepot serves until its input ends.
func runDepot(ctx context.Context, office string, in io.Reader) error {
	node, bridge, err := start(ctx, "depot", office)
	if err != nil {
		return err
	}
	defer node.Close(ctx)
	props := proto.PropsFromProducer(func() proto.Actor { return new(depot) })
	_, err = node.Supervise(ctx, supervisor.Spec{Children: []supervisor.ChildSpec{
		{ID: "depot", Start: bridge.Child(props, actor.Name("depot"), depotName)},
	}})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

func runOffice(ctx context.Context, out io.Writer) error {
	node, bridge, err := start(ctx, "office")
	if err != nil {
		return err
	}
	defer node.Close(ctx)
	program, err := os.Executable()
	if err != nil {
		return err
	}
	var complaints strings.Builder
	cmd := exec.Command(program, "depot", node.Addr())
	cmd.Stderr = &complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = office(ctx, node, bridge, out)
	in.Close()
	if ended := cmd.Wait(); ended != nil {
		fmt.Fprintf(out, "the depot's program has ended: %v\n%s", ended, &complaints)
	}
	return err
}

func office(ctx context.Context, node *topos.Node, bridge *protoactor.Bridge, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if _, err := node.Await(ctx, depotName); err != nil {
		return err
	}
	root, depot := bridge.Actors().Root, bridge.ProtoPID(depotName)
	count := func() (uint64, error) {
		got, err := root.RequestFuture(depot, wrapperspb.String("how many?"), 10*time.Second).Result()
		if err != nil {
			return 0, err
		}
		return got.(*wrapperspb.UInt64Value).Value, nil
	}
	for range parcels {
		root.Send(depot, &wrapperspb.BytesValue{Value: make([]byte, size)})
	}
	n, err := count()
	fmt.Fprintf(out, "%d parcels sent, %d arrived, %v\n", parcels, n, err)

	root.Send(depot, recall())
	n, err = count()
	fmt.Fprintf(out, "after a message of a newer type: %d, %v\n", n, err)
	return err
}
