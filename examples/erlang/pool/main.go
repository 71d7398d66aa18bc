// Pool is a pool of connections as poolboy has it in Erlang: a fixed number of
// supervised workers, some more when there is much to do, clients that wait in
// order, and connections taken back from clients that crash.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"sync"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	service, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var serving sync.WaitGroup
	serving.Go(func() { serve(service, &serving) })
	defer serving.Wait()
	defer service.Close()

	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		return err
	}
	defer sys.Close(ctx)
	cfg := config{name: "db", size: 3, overflow: 2, worker: connect(func() (net.Conn, error) {
		return net.Dial("tcp", service.Addr().String())
	})}
	if _, err := supervisor.Spawn(ctx, sys, cfg.spec()); err != nil {
		return err
	}

	// Ten clients share the connections.
	answers := make(chan string, 10)
	for i := range cap(answers) {
		client := actor.Func(func(self *actor.Self, _ any) error {
			return with(self.Context(), self, cfg.name, func(conn actor.PID) error {
				line, err := actor.Call[string](self.Context(), self, conn, query(fmt.Sprint("hello from ", i)))
				answers <- line
				return err
			})
		})
		pid, err := sys.Spawn(ctx, client)
		if err != nil {
			return err
		}
		if err := sys.Send(pid, "go"); err != nil {
			return err
		}
	}
	for range cap(answers) {
		if line := <-answers; line == "" {
			return fmt.Errorf("a query was not answered")
		}
	}
	fmt.Fprintln(out, "ten clients were served by at most five connections")
	return nil
}

// serve answers lines with the same lines, until the listener is closed.
func serve(service net.Listener, serving *sync.WaitGroup) {
	for {
		conn, err := service.Accept()
		if err != nil {
			return
		}
		serving.Go(func() { echo(conn) })
	}
}

// echo answers lines until the client closes the connection.
func echo(conn net.Conn) {
	defer conn.Close()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if _, err := fmt.Fprintln(conn, lines.Text()); err != nil {
			return
		}
	}
}
