package tidy

import (
	"go/ast"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// versionSuffix is the last element of a module path such as example.com/m/v2,
// which is not the name of the package.
var versionSuffix = regexp.MustCompile(`^v[0-9]+$`)

// importPath returns what an import names.
func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return "" // the parser lets no such import pass
	}
	return p
}

// importName returns the name by which the file knows the import. For a
// package whose name is not the last element of its path it is a guess.
func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	p := importPath(spec)
	if base := path.Base(p); !versionSuffix.MatchString(base) {
		return base
	}
	return path.Base(path.Dir(p))
}

// imports maps the names by which a file knows its imports to their paths.
func imports(f *ast.File) map[string]string {
	byName := make(map[string]string)
	for _, spec := range f.Imports {
		byName[importName(spec)] = importPath(spec)
	}
	return byName
}

// qualified returns the import path and name of an expression such as
// time.Sleep; ok is false for any other. A local variable that shadows an
// import is taken for the import.
func qualified(names map[string]string, expr ast.Expr) (pkg, name string, ok bool) {
	sel, ok := expr.(*ast.SelectorExpr)
	if !ok {
		return "", "", false
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", "", false
	}
	pkg, ok = names[x.Name]
	return pkg, sel.Sel.Name, ok
}

// callee returns the expression that is called, without type arguments.
func callee(call *ast.CallExpr) ast.Expr {
	fun := ast.Unparen(call.Fun)
	switch f := fun.(type) {
	case *ast.IndexExpr:
		return f.X
	case *ast.IndexListExpr:
		return f.X
	}
	return fun
}

// receiver returns the name of the type whose method f is, or "".
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return ""
	}
	return typeName(f.Recv.List[0].Type)
}

// typeName returns the name of a type of this package, whether it is pointed
// to or instantiated, or "".
func typeName(expr ast.Expr) string {
	switch e := expr.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ParenExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	}
	return ""
}

// functions calls visit for each function and method that is declared in f.
func functions(f *ast.File, visit func(*ast.FuncDecl)) {
	for _, decl := range f.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok {
			visit(fn)
		}
	}
}

// within says whether path is matched by a pattern: itself, or "dir/..." for
// dir and all below it.
func within(pattern, dir string) bool {
	tree, isTree := strings.CutSuffix(pattern, "/...")
	return dir == tree || isTree && strings.HasPrefix(dir, tree+"/")
}
