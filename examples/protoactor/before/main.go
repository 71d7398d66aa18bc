// Before is an application of proto.actor and its remote: an office sends
// parcels to a depot in another process, and asks how many have arrived. Then it
// sends one of a type that the depot's program does not know yet.
package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	parcels = 2000
	size    = 16 << 10
)

func main() {
	var err error
	if len(os.Args) == 3 && os.Args[1] == "depot" {
		err = runDepot(os.Args[2])
	} else {
		err = runOffice()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func start(addr string) (*actor.ActorSystem, error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	remote.NewRemote(system, remote.Configure(host, port)).Start()
	return system, nil
}

// runDepot serves until its standard input ends.
func runDepot(addr string) error {
	system, err := start(addr)
	if err != nil {
		return err
	}
	if _, err := system.Root.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return new(depot) }), "depot"); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func runOffice() error {
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(program, "depot", addr)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
		return err
	}
	if err := office(addr); err != nil {
		return err
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		fmt.Println("the depot's program has ended:", err)
	}
	return nil
}

func office(addr string) error {
	system, err := start("127.0.0.1:0")
	if err != nil {
		return err
	}
	depot := actor.NewPID(addr, "depot")
	count := func() (uint64, error) {
		got, err := system.Root.RequestFuture(depot, wrapperspb.String("how many?"), 3*time.Second).Result()
		if err != nil {
			return 0, err
		}
		return got.(*wrapperspb.UInt64Value).Value, nil
	}
	if _, err := count(); err != nil { // makes the connection
		return err
	}
	for range parcels {
		system.Root.Send(depot, &wrapperspb.BytesValue{Value: make([]byte, size)})
	}
	n, err := count()
	fmt.Printf("%d parcels sent, %d arrived, %v\n", parcels, n, err)

	// Time to connect again, if the last batch has cost the connection.
	time.Sleep(5 * time.Second)
	system.Root.Send(depot, recall())
	time.Sleep(time.Second)
	n, err = count()
	fmt.Printf("after a message of a newer type: %d, %v\n", n, err)
	return nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
