package tidy

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// featureTable is where the features are, each with the tests that prove it.
const featureTable = "docs/features.md"

// featureGroups are the letters of the features and how many each has: A1 to
// A14, and so on.
var featureGroups = []struct {
	letter string
	count  int
}{
	{"A", 14}, {"B", 9}, {"C", 16}, {"D", 10}, {"E", 5}, {"F", 4}, {"G", 6}, {"H", 7},
}

var (
	featureRow = regexp.MustCompile(`^\|\s*([A-Z][0-9]+)\s*\|([^|]*)\|([^|]*)\|$`)

	// proofName is a folder and a function in its tests; "topos" is the root.
	proofName = regexp.MustCompile("^`([a-z0-9/]+)\\.((?:Test|Benchmark|Fuzz|Example)[A-Za-z0-9_]*)`$")
)

// checkFeatures reads the table, whose rows are
//
//	| id | feature | proof |
//
// with each id once and in order. A proof is one of
//
//	open
//	`folder.TestName`, `folder.BenchmarkName`
//	in part: `folder.TestName`; open: what is missing
//
// and every function that is named must be in a _test.go file of its folder.
func checkFeatures(t *Tree, r *report) {
	f := t.file(featureTable)
	if f == nil {
		r.line(featureTable, 0, "there is no such file")
		return
	}
	var missing []string
	for _, group := range featureGroups {
		for i := range group.count {
			missing = append(missing, fmt.Sprintf("%s%d", group.letter, i+1))
		}
	}
	proofs := provers(t)
	for i, line := range f.Lines() {
		row := featureRow.FindStringSubmatch(line)
		if row == nil {
			continue
		}
		at := slices.Index(missing, row[1])
		switch {
		case at < 0:
			r.line(f.Path, i+1, "%s stands here a second time, or is no feature", row[1])
			continue
		case strings.TrimSpace(row[2]) == "":
			r.line(f.Path, i+1, "%s does not say what it is", row[1])
		}
		missing = slices.Delete(missing, at, at+1)
		for _, wrong := range judge(strings.TrimSpace(row[3]), proofs) {
			r.line(f.Path, i+1, "%s: %s", row[1], wrong)
		}
	}
	for _, id := range missing {
		r.line(f.Path, 0, "%s is missing", id)
	}
}

// provers returns the tests, benchmarks, fuzz tests and examples of each
// folder, as "folder.Name".
func provers(t *Tree) map[string]bool {
	all := make(map[string]bool)
	for _, p := range t.Packages {
		dir := p.Dir
		if dir == "." {
			dir = path.Base(t.Module)
		}
		for _, f := range p.Tests {
			functions(f.Go, func(fn *ast.FuncDecl) {
				if isTest(fn, "Test") || isTest(fn, "Benchmark") || isTest(fn, "Fuzz") || isTest(fn, "Example") {
					all[dir+"."+fn.Name.Name] = true
				}
			})
		}
	}
	return all
}

// judge says what is wrong with a proof.
func judge(proof string, provers map[string]bool) (wrong []string) {
	if proof == "open" {
		return nil
	}
	names := proof
	if rest, ok := strings.CutPrefix(proof, "in part:"); ok {
		var open string
		names, open, ok = strings.Cut(rest, "; open:")
		if !ok || strings.TrimSpace(open) == "" {
			wrong = append(wrong, "in part, but not what is open")
		}
	}
	for name := range strings.SplitSeq(names, ",") {
		match := proofName.FindStringSubmatch(strings.TrimSpace(name))
		switch {
		case match == nil:
			wrong = append(wrong, fmt.Sprintf("%q names no test; write `folder.TestName`", strings.TrimSpace(name)))
		case !provers[match[1]+"."+match[2]]:
			wrong = append(wrong, fmt.Sprintf("there is no %s in the tests of %s", match[2], match[1]))
		}
	}
	return wrong
}
