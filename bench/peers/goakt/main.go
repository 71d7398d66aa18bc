// Goakt does the works of the benchmarks between two processes with goakt. It
// imports nothing of Topos but package pair, which is linked and imports nothing
// but the standard library.
//
//	goakt -pair server
//	goakt -pair client -pair-work oneway -server addr -control addr
//
// are what the compare command starts; see package pair.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/topos-go/topos/bench/peers/goakt/pair"
)

func main() {
	node := pair.Flags(flag.CommandLine)
	flag.Parse()
	if err := pair.Main(node, between(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
