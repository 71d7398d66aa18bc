// Adaptive shows a cluster of operating-system processes that changes its
// topology by itself while nodes join, crash and leave.
//
//	go run ./examples/adaptive
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	member := flag.String("member", "", "run one member, which this program starts by itself, with this description")
	limit := flag.Duration("limit", time.Minute, "how long each scene may take")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *member != "" {
		err = runMember(ctx, *member, os.Stdin, os.Stdout)
	} else {
		err = direct(ctx, *limit, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "adaptive:", err)
		os.Exit(1)
	}
}
