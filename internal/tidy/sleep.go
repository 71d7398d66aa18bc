package tidy

import (
	"go/ast"
	"strings"
)

// bubblePhrase in the doc comment of a function of a test says that it is
// called only from bubbles, where syntax does not show it.
const bubblePhrase = "runs in a bubble"

// bubbles is what the tests of one package say about synctest: the functions
// that run one of their arguments in a bubble, and those that are so run.
type bubbles struct {
	runners map[string]bool
	run     map[string]bool
}

// checkSleep allows time.Sleep in a test only
//
//   - inside a function literal that is an argument of [synctest.Test], or of a
//     function of the same package's tests that takes functions and calls
//     [synctest.Test] (or another such);
//   - in a function that is passed to one of those by its name;
//   - in a function whose doc comment contains "runs in a bubble".
func checkSleep(t *Tree, r *report) {
	for _, p := range t.Packages {
		b := &bubbles{runners: make(map[string]bool), run: make(map[string]bool)}
		for b.learn(p.Tests) { // a runner may call a runner
		}
		for _, f := range p.Tests {
			names := imports(f.Go)
			functions(f.Go, func(fn *ast.FuncDecl) {
				if !b.run[fn.Name.Name] && !said(fn.Doc) {
					b.sleeps(names, fn, r)
				}
			})
			for _, decl := range f.Go.Decls {
				if _, ok := decl.(*ast.GenDecl); ok {
					b.sleeps(names, decl, r)
				}
			}
		}
	}
}

// said looks for the phrase across line ends.
func said(doc *ast.CommentGroup) bool {
	return doc != nil && strings.Contains(strings.Join(strings.Fields(doc.Text()), " "), bubblePhrase)
}

// learn finds runners and the functions that are run by them, and says whether
// it found new ones.
func (b *bubbles) learn(tests []*File) (more bool) {
	before := len(b.runners) + len(b.run)
	for _, f := range tests {
		names := imports(f.Go)
		functions(f.Go, func(fn *ast.FuncDecl) {
			ast.Inspect(fn, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || !b.opens(names, call) {
					return true
				}
				if takesFunc(fn) {
					b.runners[fn.Name.Name] = true
				}
				for _, arg := range call.Args {
					if id, ok := arg.(*ast.Ident); ok {
						b.run[id.Name] = true
					}
				}
				return true
			})
		})
	}
	return len(b.runners)+len(b.run) > before
}

// opens says whether call runs its function arguments in a bubble.
func (b *bubbles) opens(names map[string]string, call *ast.CallExpr) bool {
	switch fun := callee(call).(type) {
	case *ast.Ident:
		return b.runners[fun.Name]
	case *ast.SelectorExpr:
		if pkg, name, ok := qualified(names, fun); ok {
			return pkg == "testing/synctest" && name == "Test"
		}
		return b.runners[fun.Sel.Name]
	}
	return false
}

func takesFunc(fn *ast.FuncDecl) bool {
	for _, param := range fn.Type.Params.List {
		if _, ok := param.Type.(*ast.FuncType); ok {
			return true
		}
	}
	return false
}

// sleeps reports each time.Sleep below n that is in no bubble.
func (b *bubbles) sleeps(names map[string]string, n ast.Node, r *report) {
	ast.Inspect(n, func(n ast.Node) bool {
		if pkg, name, ok := qualified(names, asExpr(n)); ok && pkg == "time" && name == "Sleep" {
			r.at(n.Pos(), "time.Sleep outside a bubble: use synctest.Test, or wait for what happens")
		}
		call, ok := n.(*ast.CallExpr)
		if !ok || !b.opens(names, call) {
			return true
		}
		for _, arg := range call.Args {
			if _, ok := arg.(*ast.FuncLit); !ok {
				b.sleeps(names, arg, r)
			}
		}
		return false
	})
}

func asExpr(n ast.Node) ast.Expr {
	expr, _ := n.(ast.Expr)
	return expr
}
