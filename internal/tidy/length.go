package tidy

import "go/ast"

// The limits are hard. Aim at less: 300 lines a file.
const (
	maxFileLines = 500
	maxFuncLines = 70 // from func to the closing brace; tests may be longer
	maxMethods   = 5  // an embedded interface counts as one
)

func checkLength(t *Tree, r *report) {
	for _, f := range t.Files {
		if f.Go == nil || f.Generated {
			continue
		}
		if n := len(f.Lines()); n > maxFileLines {
			r.line(f.Path, 0, "%d lines, more than %d", n, maxFileLines)
		}
		if f.Test {
			continue
		}
		functions(f.Go, func(fn *ast.FuncDecl) {
			from, to := t.fset.Position(fn.Pos()).Line, t.fset.Position(fn.End()).Line
			if n := to - from + 1; n > maxFuncLines {
				r.at(fn.Pos(), "%s has %d lines, more than %d", fn.Name.Name, n, maxFuncLines)
			}
		})
		ast.Inspect(f.Go, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if i, ok := spec.Type.(*ast.InterfaceType); ok && i.Methods.NumFields() > maxMethods {
				r.at(spec.Pos(), "interface %s has %d methods, more than %d", spec.Name.Name, i.Methods.NumFields(), maxMethods)
			}
			return true
		})
	}
}
