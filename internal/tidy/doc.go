// Package tidy holds the rules by which this repository is written, and the
// tests that keep them.
//
//	files --Load--> Tree --Rule.Check--> Findings --test--> none may be left
//
//	tree, err := tidy.Load("../..")
//	for _, rule := range tidy.Rules() {
//		for _, finding := range rule.Check(tree) {
//			fmt.Println(finding)
//		}
//	}
//
// A rule reads syntax only, so it works while a package does not compile. Each
// rule has a transcript in testdata that shows what it finds and what it
// leaves alone; a rule that never fires there fails the tests.
//
// The lattice of imports is data: see lattice.go. So is the list of features
// whose proofs docs/features.md must name: see features.go.
package tidy
