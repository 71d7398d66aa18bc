package tidy

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
)

// makers are the functions whose results nobody can change, or nobody does: a
// variable may be what they return, also an exported one.
var makers = map[string]string{
	"errors":        "New Join",
	"fmt":           "Errorf Sprintf",
	"regexp":        "MustCompile",
	"reflect":       "TypeFor TypeOf ValueOf",
	"strings":       "NewReplacer Repeat",
	"time":          "Date Unix UnixMilli Duration",
	"unique":        "Make",
	"net/netip":     "MustParseAddr MustParsePrefix MustParseAddrPort AddrFrom4",
	"math":          "Inf NaN",
	"html/template": "Must",
}

// checkState allows a variable of a package in a library only if nothing can
// change it:
//
//   - the blank identifier, or an embedded file;
//   - the result of one of the makers, or another package's variable;
//   - unexported or an error, made of literals, and not written anywhere in the package:
//     not assigned, not through an index or field, not deleted from, cleared
//     or copied to, and its address not taken.
//
// Never a channel, a map or slice that is made and not written down, a pointer,
// or anything of sync. What tests declare is theirs.
func checkState(t *Tree, r *report) {
	for _, p := range t.Packages {
		if !p.Library() {
			continue
		}
		s := newState(t, p)
		for _, f := range p.Files {
			if f.Generated {
				continue
			}
			s.names = imports(f.Go)
			for _, decl := range f.Go.Decls {
				if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.VAR {
					for _, spec := range d.Specs {
						s.variable(d, spec.(*ast.ValueSpec), r)
					}
				}
			}
		}
	}
}

// state is what is known about the variables of one package.
type state struct {
	info    types.Info
	names   map[string]string // imports of the file in hand
	written map[types.Object]token.Pos
}

// newState resolves the names of p as far as that is possible without its
// imports, and finds what is written.
func newState(t *Tree, p *Package) *state {
	s := &state{
		info:    types.Info{Defs: make(map[*ast.Ident]types.Object), Uses: make(map[*ast.Ident]types.Object)},
		written: make(map[types.Object]token.Pos),
	}
	var files []*ast.File
	for _, f := range p.Files {
		files = append(files, f.Go)
	}
	// Types of other packages are unknown, so there will be errors; the names
	// of this package are resolved all the same.
	conf := types.Config{Importer: empty{}, Error: func(error) {}, FakeImportC: true, DisableUnusedImportCheck: true}
	_, _ = conf.Check(p.Dir, t.fset, files, &s.info)
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			s.writes(n)
			return true
		})
	}
	return s
}

// empty imports every package as one that declares nothing.
type empty struct{}

func (empty) Import(importPath string) (*types.Package, error) {
	pkg := types.NewPackage(importPath, path.Base(importPath))
	pkg.MarkComplete()
	return pkg, nil
}

// writes notes the variables that n writes.
func (s *state) writes(n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		for _, left := range n.Lhs {
			s.write(left)
		}
	case *ast.IncDecStmt:
		s.write(n.X)
	case *ast.RangeStmt:
		s.write(n.Key)
		s.write(n.Value)
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			s.write(n.X)
		}
	case *ast.CallExpr:
		if id, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && slices.Contains([]string{"delete", "clear", "copy"}, id.Name) {
			s.write(n.Args[0])
		}
	}
}

// write notes the variable at the root of an expression such as x[i].f.
func (s *state) write(expr ast.Expr) {
	for {
		switch e := expr.(type) {
		case *ast.Ident:
			if v, ok := s.info.Uses[e].(*types.Var); ok {
				s.written[v] = e.Pos()
			}
			return
		case *ast.IndexExpr:
			expr = e.X
		case *ast.SelectorExpr:
			expr = e.X
		case *ast.SliceExpr:
			expr = e.X
		case *ast.StarExpr:
			expr = e.X
		case *ast.ParenExpr:
			expr = e.X
		default:
			return
		}
	}
}

// variable reports what is wrong with the variables of one spec.
func (s *state) variable(decl *ast.GenDecl, spec *ast.ValueSpec, r *report) {
	if embeds(decl, spec) {
		return
	}
	for i, name := range spec.Names {
		switch {
		case name.Name == "_":
		case len(spec.Values) != len(spec.Names):
			r.at(name.Pos(), "%s is state of the package: it has no value of its own", name.Name)
		case s.made(spec.Values[i]):
		case !s.literal(spec.Values[i]):
			r.at(name.Pos(), "%s is state of the package: its value can change", name.Name)
		case name.IsExported() && !strings.HasPrefix(name.Name, "Err"):
			r.at(name.Pos(), "%s can be written by whoever imports it: make it a constant or a function", name.Name)
		}
		if at, ok := s.written[s.info.Defs[name]]; ok {
			r.at(name.Pos(), "%s is state of the package: line %d of %s writes it", name.Name,
				r.tree.fset.Position(at).Line, path.Base(r.tree.fset.Position(at).Filename))
		}
	}
}

func embeds(decl *ast.GenDecl, spec *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{decl.Doc, spec.Doc} {
		if doc == nil {
			continue
		}
		for _, comment := range doc.List {
			if strings.HasPrefix(comment.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// made says whether expr is a maker's result or another package's variable.
func (s *state) made(expr ast.Expr) bool {
	switch e := ast.Unparen(expr).(type) {
	case *ast.SelectorExpr:
		_, _, ok := qualified(s.names, e)
		return ok
	case *ast.CallExpr:
		pkg, name, ok := qualified(s.names, callee(e))
		return ok && listed(makers[pkg], name)
	}
	return false
}

// literal says whether expr is written down: it holds no pointer to what is not
// a function, and no result of a function.
func (s *state) literal(expr ast.Expr) bool {
	if expr == nil || s.made(expr) {
		return true
	}
	switch e := expr.(type) {
	case *ast.BasicLit, *ast.FuncLit, *ast.Ident, *ast.SelectorExpr:
		return true
	case *ast.ParenExpr:
		return s.literal(e.X)
	case *ast.UnaryExpr:
		return e.Op != token.AND && e.Op != token.ARROW && s.literal(e.X)
	case *ast.BinaryExpr:
		return s.literal(e.X) && s.literal(e.Y)
	case *ast.KeyValueExpr:
		return s.literal(e.Key) && s.literal(e.Value)
	case *ast.CallExpr:
		return s.converts(e) && s.literal(e.Args[0])
	case *ast.CompositeLit:
		if pkg, _, _ := qualified(s.names, e.Type); pkg == "sync" || pkg == "sync/atomic" {
			return false
		}
		return !slices.ContainsFunc(e.Elts, func(element ast.Expr) bool { return !s.literal(element) })
	}
	return false
}

// converts says whether a call is a conversion, as far as that can be seen.
func (s *state) converts(call *ast.CallExpr) bool {
	if len(call.Args) != 1 {
		return false
	}
	switch fun := callee(call).(type) {
	case *ast.ArrayType, *ast.FuncType, *ast.InterfaceType:
		return true
	case *ast.Ident:
		_, isType := s.info.Uses[fun].(*types.TypeName)
		return isType
	}
	return false
}
