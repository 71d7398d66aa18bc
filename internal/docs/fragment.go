package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

// fragment is a block that is no whole program, taken apart.
type fragment struct {
	declarations []declaration
	statements   string
	imports      []string // import declarations, as they are
}

// source returns f as a file.
func (f fragment) source() string {
	text := "package fragment\n" + strings.Join(f.imports, "\n") + "\n"
	for _, d := range f.declarations {
		text += d.text + "\n"
	}
	return text + "func _() {\n" + f.statements + "\n}\n"
}

// declaration is a top-level declaration and the names it gives. A method's is
// that of its type, with a dot.
type declaration struct {
	text  string
	names []string
}

var opening = regexp.MustCompile(`^(func (\(\w* ?\*?\w+(\[\w+\])?\) )?\w+|type \w+|type \(|var \w+|var \(|const \w+|const \(|import ["(\w])`)

// take takes a block apart: what begins a line and can only stand outside of a
// function, or is a declaration by itself, is one; the rest are statements.
func take(code string) fragment {
	var f fragment
	lines := strings.SplitAfter(code, "\n")
	for i := 0; i < len(lines); {
		if opening.MatchString(lines[i]) {
			if n, d, ok := declared(lines[i:]); ok {
				if strings.HasPrefix(d.text, "import") {
					f.imports = append(f.imports, d.text)
				} else {
					f.declarations = append(f.declarations, d)
				}
				i += n
				continue
			}
		}
		f.statements += lines[i]
		i++
	}
	return f
}

// declared finds the shortest declaration that lines begin with.
func declared(lines []string) (n int, d declaration, ok bool) {
	text := ""
	for i, line := range lines {
		text += line
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+text, 0)
		if err == nil && len(file.Decls) > 0 {
			return i + 1, declaration{text: text, names: namesOf(file.Decls[0])}, true
		}
	}
	return 0, declaration{}, false
}

func namesOf(decl ast.Decl) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil && len(d.Recv.List) == 1 {
			return []string{receiver(d.Recv.List[0].Type) + "." + d.Name.Name}
		}
		return []string{d.Name.Name}
	case *ast.GenDecl:
		var names []string
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, name := range s.Names {
					names = append(names, name.Name)
				}
			}
		}
		return names
	}
	return nil
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// without returns those of known that none of the names in fresh replaces: the
// declaration itself, or the type of a method.
func without(known, fresh []declaration) []declaration {
	replaced := make(map[string]bool)
	for _, d := range fresh {
		for _, name := range d.names {
			replaced[name] = true
		}
	}
	var kept []declaration
	for _, d := range known {
		gone := false
		for _, name := range d.names {
			base, _, _ := strings.Cut(name, ".")
			gone = gone || replaced[name] || replaced[base]
		}
		if !gone {
			kept = append(kept, d)
		}
	}
	return kept
}
