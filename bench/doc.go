// Package bench holds the Go benchmarks of Topos; run them with
//
//	go test -bench . ./bench
//
// Figures mean little by themselves: [the compare command] does the same works
// with bare Go and with other actor libraries in one run, within a process or,
// with -remote, between two.
//
// [the compare command]: https://pkg.go.dev/github.com/topos-go/topos/bench/compare
package bench
