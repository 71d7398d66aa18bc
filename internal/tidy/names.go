package tidy

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"unicode"
)

const (
	// emptyNames say nothing about what a package holds.
	emptyNames = "util utils common helper helpers types base misc shared lib"

	// suitePrefix is of a test file that follows another project's suite case by
	// case, by its names.
	suitePrefix = "suite_"

	// minWords is what it takes to say something: who, does, what.
	minWords = 3
)

func checkNames(t *Tree, r *report) {
	for _, p := range t.Packages {
		for _, name := range []string{p.Name, path.Base(p.Dir)} {
			if slices.Contains(strings.Fields(emptyNames), name) {
				r.at(p.all()[0].Go.Package, "package %s is named after nothing it holds", name)
			}
		}
		for _, f := range p.Tests {
			if strings.HasPrefix(path.Base(f.Path), suitePrefix) {
				continue
			}
			functions(f.Go, func(fn *ast.FuncDecl) {
				if !isTest(fn, "Test") || fn.Name.Name == "TestMain" {
					return
				}
				if words(strings.TrimPrefix(fn.Name.Name, "Test")) < minWords {
					r.at(fn.Pos(), "%s does not say what happens", fn.Name.Name)
				}
			})
		}
	}
}

// isTest says whether the go command runs fn as a test, benchmark, fuzz test or
// example, as prefix says.
func isTest(fn *ast.FuncDecl, prefix string) bool {
	rest, ok := strings.CutPrefix(fn.Name.Name, prefix)
	return ok && fn.Recv == nil && (rest == "" || !unicode.IsLower([]rune(rest)[0]))
}

// words counts the words of a name in camel case or with underscores: a capital
// begins a word unless it stands among capitals, as in FIFOIsKept, which has
// three.
func words(name string) int {
	letters := []rune(name)
	is := func(i int, class func(rune) bool) bool { return 0 <= i && i < len(letters) && class(letters[i]) }
	count := 0
	for i, c := range letters {
		switch {
		case c == '_':
		case i == 0, letters[i-1] == '_',
			unicode.IsUpper(c) && (!is(i-1, unicode.IsUpper) || is(i+1, unicode.IsLower)):
			count++
		}
	}
	return count
}
