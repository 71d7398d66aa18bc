// Mesh shows a service mesh at work: three services, each with an instance in
// every one of several operating-system processes, are called from a node of
// their cluster while one process fails, is healed, and another is killed. What
// the mesh knows is printed live: who gets the calls, whose circuits are open,
// who is well.
//
//	go run ./examples/mesh [-members 3] [-rate 300]
//
// The exit status is 0 only if everything came as promised.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

// limit is how long the whole show may take.
const limit = 60 * time.Second

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "mesh:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	members := flag.Int("members", 3, "how many processes, at least 3")
	rate := flag.Int("rate", 300, "calls a second to each service")
	config := flag.String("member", "", "run as a member (used by the program itself)")
	flag.Parse()
	if *config != "" {
		return serveMember(ctx, *config, os.Stdin, os.Stdout)
	}
	var errs []error
	if *members < 3 {
		errs = append(errs, fmt.Errorf("-members %d: one is made sick and one is killed, so it takes 3", *members))
	}
	if *rate < 10 || *rate > 10_000 {
		errs = append(errs, fmt.Errorf("-rate %d: must be 10 to 10000", *rate))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	d := &director{out: os.Stdout, size: *members, rate: *rate, began: time.Now()}
	return d.run(ctx)
}
