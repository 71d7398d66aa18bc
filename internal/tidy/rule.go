package tidy

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
)

// Finding is one place that breaks a rule.
type Finding struct {
	// Path is relative to the root of the repository, with slashes.
	Path string
	// Line counts from 1; 0 means the file as a whole.
	Line int
	// Text says what is wrong, and what to do when that is not plain.
	Text string
}

// String is "path:line: text", as editors understand it.
func (f Finding) String() string {
	if f.Line == 0 {
		return f.Path + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Text)
}

// Rule is something that holds everywhere in the repository.
type Rule struct {
	// Name is one word, which is also the name of the rule's transcript.
	Name string
	// Says is the rule as a sentence.
	Says string
	// check appends what it finds, in any order.
	check func(t *Tree, r *report)
}

// Check returns what breaks the rule, by path and line.
func (rule Rule) Check(t *Tree) []Finding {
	r := &report{tree: t}
	rule.check(t, r)
	slices.SortFunc(r.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(r.findings)
}

// Rules returns all rules, in the order in which they should be read.
func Rules() []Rule {
	return []Rule{
		{"lattice", "imports run downward, and other modules only where the lattice names them", checkLattice},
		{"pure", "a protocol core has no goroutine, lock, clock, socket, logger or unseeded randomness", checkPure},
		{"modules", "no module replaces another, and a module of a peer imports nothing of ours", checkModules},
		{"length", "a file has at most 500 lines, a function 70, an interface 5 methods", checkLength},
		{"names", "a package is named after what it holds, a test says what happens in three words or more", checkNames},
		{"docs", "each package has a doc comment, a library's is in doc.go", checkDocs},
		{"examples", "each concept of a library appears in an Example with its output", checkExamples},
		{"sleep", "a test sleeps in a bubble or not at all", checkSleep},
		{"markers", "nothing is left for later, and no linter is silenced", checkMarkers},
		{"places", "no path of one machine, and no host of a package registry", checkPlaces},
		{"library", "a library prints nothing, exits never, does nothing on import and has no global logger or mux", checkLibrary},
		{"state", "a package has no state: its variables are never written", checkState},
		{"links", "a link from one document to another leads somewhere", checkLinks},
		{"commands", "README and .ci/run hold the same commands", checkCommands},
		{"features", "each feature names the tests that prove it, or is open", checkFeatures},
	}
}

// report collects findings.
type report struct {
	tree     *Tree
	findings []Finding
}

// at reports a place in a Go file.
func (r *report) at(pos token.Pos, format string, args ...any) {
	place := r.tree.fset.Position(pos)
	r.line(place.Filename, place.Line, format, args...)
}

// line reports a line of any file.
func (r *report) line(path string, line int, format string, args ...any) {
	r.findings = append(r.findings, Finding{Path: path, Line: line, Text: fmt.Sprintf(format, args...)})
}
