package tidy

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

const (
	// impureImports bring locks, sockets, clocks, loggers and randomness of
	// their own.
	impureImports = "sync sync/atomic net net/http os os/exec os/signal log log/slog context runtime " +
		"math/rand crypto/rand testing/synctest"

	// clockFuncs read or wait for the real time.
	clockFuncs = "Now Sleep After AfterFunc Tick NewTimer NewTicker Since Until"
)

// checkPure holds the packages that the lattice calls pure to it. Their tests
// may do as they please.
func checkPure(t *Tree, r *report) {
	for _, p := range t.Packages {
		if at, _, _ := locate(p.Dir); !at.pure || p.Nested {
			continue
		}
		for _, f := range p.Files {
			if !f.Generated {
				checkPureFile(f.Go, r)
			}
		}
	}
}

func checkPureFile(f *ast.File, r *report) {
	names := imports(f)
	for _, spec := range f.Imports {
		if slices.Contains(strings.Fields(impureImports), importPath(spec)) {
			r.at(spec.Pos(), "a pure package imports %s", importPath(spec))
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			r.at(n.Pos(), "a pure package starts a goroutine")
		case *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
			r.at(n.Pos(), "a pure package uses a channel")
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				r.at(n.Pos(), "a pure package uses a channel")
			}
		case *ast.SelectorExpr:
			pkg, name, _ := qualified(names, n)
			if pkg == "time" && slices.Contains(strings.Fields(clockFuncs), name) {
				r.at(n.Pos(), "a pure package asks the clock: time.%s; take the time as an argument", name)
			}
			if pkg == "math/rand/v2" && !seeded(name) {
				r.at(n.Pos(), "a pure package uses unseeded randomness: rand.%s; take a *rand.Rand", name)
			}
		}
		return true
	})
}

// seeded says whether a name of math/rand/v2 is a type or makes a source, and
// does not draw from the shared one.
func seeded(name string) bool {
	return strings.HasPrefix(name, "New") ||
		slices.Contains([]string{"Rand", "Source", "PCG", "ChaCha8", "Zipf"}, name)
}
