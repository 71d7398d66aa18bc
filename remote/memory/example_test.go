package memory_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/topos-go/topos/remote/memory"
)

// Two hosts talk until one of them is killed.
func Example() {
	network := memory.NewNetwork()
	server, client := network.Host("server"), network.Host("client")
	listener, err := server.Listen("server:80")
	if err != nil {
		panic(err)
	}
	conn, err := client.Dial(context.Background(), "server:80")
	if err != nil {
		panic(err)
	}
	accepted, _ := listener.Accept()
	fmt.Fprint(accepted, "hello")
	network.Kill("server")

	got, err := io.ReadAll(conn)
	fmt.Printf("%s %v\n", got, err)
	_, err = client.Dial(context.Background(), "server:80")
	fmt.Println(errors.Is(err, syscall.ECONNREFUSED))
	// Output:
	// hello <nil>
	// true
}
