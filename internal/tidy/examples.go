package tidy

import (
	"go/ast"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// output is the comment that makes the go command run an example and compare.
var output = regexp.MustCompile(`(?i)^\s*(unordered )?output:`)

// valueMethods say only how a value is printed, compared or encoded. A type
// with no others is a value and not a concept.
const valueMethods = "String GoString Format LogValue Error Unwrap Is As Equal Compare " +
	"MarshalText UnmarshalText AppendText MarshalBinary UnmarshalBinary AppendBinary MarshalJSON UnmarshalJSON " +
	"Reset ProtoMessage Marshal Unmarshal Size"

// concept is an exported type that users do something with: it has a
// constructor, or methods that do more than print or encode it. Errors are not
// concepts, they are what goes wrong with one.
type concept struct {
	spec *ast.TypeSpec
	// names are the type's and its constructors'.
	names []string
	// required are the methods of an interface, which an example may have
	// instead of the name.
	required []string
}

// checkExamples holds libraries outside internal folders. A concept is shown
// if an example names it, or one of its constructors, or, if it is an
// interface, implements all its methods. What counts as an example is the
// Example functions, and everything else declared in their files except tests.
func checkExamples(t *Tree, r *report) {
	for _, p := range t.Packages {
		if !p.Library() || p.Internal() {
			continue
		}
		shown, methods, found := shownBy(p, r)
		if !found {
			r.at(p.Files[0].Go.Package, "package %s has no Example", p.Name)
			continue
		}
		for _, c := range concepts(p) {
			named := slices.ContainsFunc(c.names, func(name string) bool { return shown[name] })
			implemented := len(c.required) > 0 &&
				!slices.ContainsFunc(c.required, func(name string) bool { return !methods[name] })
			if !named && !implemented {
				r.at(c.spec.Pos(), "no Example shows %s", c.names[0])
			}
		}
	}
}

// shownBy collects the names that the examples of p mention, and the methods
// that they declare. Examples without output are reported.
func shownBy(p *Package, r *report) (shown, methods map[string]bool, found bool) {
	shown, methods = make(map[string]bool), make(map[string]bool)
	for _, f := range p.Tests {
		examples := 0
		functions(f.Go, func(fn *ast.FuncDecl) {
			if !isTest(fn, "Example") {
				return
			}
			examples++
			for name := range strings.SplitSeq(strings.TrimPrefix(fn.Name.Name, "Example"), "_") {
				shown[name] = true
			}
			if !hasOutput(f.Go, fn) {
				r.at(fn.Pos(), "%s has no output, so it never runs", fn.Name.Name)
			}
		})
		if examples == 0 {
			continue
		}
		found = true
		for _, decl := range f.Go.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				if isTest(fn, "Test") || isTest(fn, "Benchmark") || isTest(fn, "Fuzz") {
					continue
				}
				if fn.Recv != nil {
					methods[fn.Name.Name] = true
				}
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					shown[id.Name] = true
				}
				return true
			})
		}
	}
	return shown, methods, found
}

func hasOutput(f *ast.File, fn *ast.FuncDecl) bool {
	for _, group := range f.Comments {
		if fn.Body.Pos() < group.Pos() && group.End() < fn.Body.End() && output.MatchString(group.Text()) {
			return true
		}
	}
	return false
}

// concepts returns the concepts of p by name.
func concepts(p *Package) []concept {
	byName := make(map[string]*concept)
	methods := make(map[string][]string)
	makers := make(map[string][]string)
	for _, f := range p.Files {
		if f.Generated {
			continue
		}
		for _, decl := range f.Go.Decls {
			switch d := decl.(type) {
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && s.Name.IsExported() && !s.Assign.IsValid() {
						byName[s.Name.Name] = &concept{spec: s, names: []string{s.Name.Name}, required: required(s)}
					}
				}
			case *ast.FuncDecl:
				if on := receiver(d); on != "" {
					methods[on] = append(methods[on], d.Name.Name)
				} else if made := constructed(d); made != "" {
					makers[made] = append(makers[made], d.Name.Name)
				}
			}
		}
	}
	var all []concept
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		c := byName[name]
		does := slices.ContainsFunc(methods[name], acts) || len(c.required) > 0
		if slices.Contains(methods[name], "Error") || !does && len(makers[name]) == 0 {
			continue
		}
		c.names = append(c.names, makers[name]...)
		all = append(all, *c)
	}
	return all
}

// acts says whether a method makes its type more than a value.
func acts(method string) bool {
	return ast.IsExported(method) && !slices.Contains(strings.Fields(valueMethods), method)
}

// constructed returns the exported type that fn makes, or "".
func constructed(fn *ast.FuncDecl) string {
	if !fn.Name.IsExported() || fn.Recv != nil || fn.Type.Results.NumFields() == 0 {
		return ""
	}
	if name := typeName(fn.Type.Results.List[0].Type); ast.IsExported(name) {
		return name
	}
	return ""
}

// required returns the methods of an interface that users can implement: a
// sealed one has none to show.
func required(s *ast.TypeSpec) []string {
	i, ok := s.Type.(*ast.InterfaceType)
	if !ok {
		return nil
	}
	var names []string
	for _, field := range i.Methods.List {
		for _, name := range field.Names {
			if !name.IsExported() {
				return nil
			}
			names = append(names, name.Name)
		}
	}
	return names
}
