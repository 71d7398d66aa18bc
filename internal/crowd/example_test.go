package crowd_test

import (
	"context"
	"fmt"
	"time"

	"github.com/topos-go/topos/internal/crowd"
)

// A director starts two members, tells one of them something, kills it, and lets the
// other one leave. What they do is in run, which TestMain calls, too.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var c crowd.Crowd[string]
	defer c.End()
	hear := func() {
		heard, err := c.Next(ctx)
		if heard.Gone {
			fmt.Println(c.Name(heard.Index), "is gone:", err)
			return
		}
		fmt.Println(heard.Event)
	}
	for _, name := range []string{"a", "b"} {
		if err := c.Start(c.Add(name), "any JSON"); err != nil {
			fmt.Println(err)
			return
		}
		hear()
	}
	c.Tell(0, order{Do: "say", Word: "hello"})
	hear()
	_ = c.Kill(0)
	hear()
	c.Tell(1, order{Do: "fail", Word: "I have no disk"})
	hear()
	fmt.Println(c.Close(time.Second))
	// Output:
	// a has "any JSON" and joins []
	// b has "any JSON" and joins []
	// heard hello
	// a is gone: <nil>
	// b is gone: b has ended by itself: I have no disk
	// <nil>
}
