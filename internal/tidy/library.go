package tidy

import (
	"go/ast"
	"strings"
)

// forbidden are the names that a library must not use, by import path. A name
// that ends in * is a prefix.
var forbidden = map[string]string{
	"fmt":      "Print*",
	"log":      "Print* Fatal* Panic* Output Set* Default Writer",
	"log/slog": "Debug* Info* Warn* Error* Log LogAttrs With Default SetDefault SetLogLoggerLevel",
	"os":       "Stdout Stderr Exit",
	"net/http": "DefaultServeMux DefaultClient DefaultTransport Handle HandleFunc Get Post PostForm Head",
	"expvar":   "*",
	"flag":     "*",
}

// forbiddenImports are for programs only.
const forbiddenImports = "github.com/rs/zerolog/log net/http/pprof"

func checkLibrary(t *Tree, r *report) {
	for _, p := range t.Packages {
		if !p.Library() {
			continue
		}
		for _, f := range p.Files {
			if !f.Generated {
				checkLibraryFile(p, f.Go, r)
			}
		}
	}
}

func checkLibraryFile(p *Package, f *ast.File, r *report) {
	names := imports(f)
	for _, spec := range f.Imports {
		switch {
		case spec.Name != nil && spec.Name.Name == "_" && importPath(spec) != "embed":
			r.at(spec.Pos(), "a library imports %s for what it does on import", importPath(spec))
		case matchedBy(forbiddenImports, importPath(spec)):
			r.at(spec.Pos(), "a library imports %s, which is for programs", importPath(spec))
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				r.at(n.Pos(), "a library does something on import: func init")
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") {
				r.at(n.Pos(), "a library prints: %s", id.Name)
			}
		case *ast.SelectorExpr:
			pkg, name, ok := qualified(names, n)
			if pkg == "os" && (name == "Stderr" && p.Dir == "." || within("internal/crowd/...", p.Dir)) {
				break // the default logger of a node; processes of a program, on its behalf
			}
			if ok && listed(forbidden[pkg], name) {
				r.at(n.Pos(), "a library uses %s.%s, which is the whole program's", pkg, name)
			}
		}
		return true
	})
}

// listed says whether name is in list, where an entry may end in *.
func listed(list, name string) bool {
	for entry := range strings.FieldsSeq(list) {
		if prefix, ok := strings.CutSuffix(entry, "*"); name == entry || ok && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
