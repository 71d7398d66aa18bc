package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Checker type-checks blocks. It is for one goroutine.
type Checker struct {
	fset     *token.FileSet
	imports  types.Importer
	packages map[string]string // name -> path, for fragments
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Name, Export string
	Standard                 bool
}

// preferred settles which package of a name is meant where there are several.
// Names of ours come first anyway.
var preferred = map[string]string{
	"proto": "github.com/asynkron/protoactor-go/actor", "router": "github.com/asynkron/protoactor-go/router",
	"slog": "log/slog", "rand": "math/rand/v2", "synctest": "testing/synctest", "signal": "os/signal",
	"atomic": "sync/atomic", "wrapperspb": "google.golang.org/protobuf/types/known/wrapperspb",
}

// module is this module's path.
const module = "github.com/topos-go/topos"

// NewChecker returns a Checker for blocks. It builds what they import, and
// nothing else, in one go. dir is the root of the module.
func NewChecker(dir string, blocks []Block) (*Checker, error) {
	c := &Checker{fset: token.NewFileSet(), packages: make(map[string]string)}
	all, err := goList(dir, "-json=ImportPath,Name,Standard", "./...", "std")
	if err != nil {
		return nil, err
	}
	c.name(all)
	wanted := []string{"-export", "-deps", "-json=ImportPath,Export", "fmt"}
	for _, b := range blocks {
		for _, p := range c.importsOf(b) {
			if !slices.Contains(wanted, p) {
				wanted = append(wanted, p)
			}
		}
	}
	built, err := goList(dir, wanted...)
	if err != nil {
		return nil, err
	}
	exports := make(map[string]string)
	for _, p := range built {
		exports[p.ImportPath] = p.Export
	}
	c.imports = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no package %s", path)
		}
		return os.Open(exports[path])
	})
	return c, nil
}

// goList runs go list in dir. Packages that do not build are left to who
// imports them.
func goList(dir string, args ...string) ([]listed, error) {
	cmd := exec.Command("go", append([]string{"list", "-e"}, args...)...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("docs: go list: %w: %s", err, stderr.Bytes())
	}
	var packages []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// name says which packages fragments mean by their names: ours, the preferred,
// and then the standard library's, the shorter path first.
func (c *Checker) name(all []listed) {
	for _, p := range all {
		ours := p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/")
		if ours && p.Name != "main" && !strings.Contains(p.ImportPath, "/internal/") {
			c.packages[p.Name] = p.ImportPath
		}
	}
	for name, p := range preferred {
		c.packages[name] = p
	}
	slices.SortFunc(all, func(a, b listed) int { return len(a.ImportPath) - len(b.ImportPath) })
	for _, p := range all {
		if p.Standard && !strings.Contains(p.ImportPath, "internal") && c.packages[p.Name] == "" {
			c.packages[p.Name] = p.ImportPath
		}
	}
}

// importsOf returns the paths that a block imports, as far as it parses.
func (c *Checker) importsOf(b Block) []string {
	text := b.Code
	if !b.Whole() {
		f := take(b.Code)
		text = f.source()
	}
	text, err := c.withImports(text)
	if err != nil {
		return nil // reported by Check
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly)
	if err != nil {
		return nil
	}
	var paths []string
	for _, spec := range file.Imports {
		paths = append(paths, strings.Trim(spec.Path.Value, `"`))
	}
	return paths
}

// Check returns what does not compile in the blocks of one document.
func (c *Checker) Check(blocks []Block) []error {
	var errs []error
	var known []declaration
	for _, b := range blocks {
		if b.Whole() {
			errs = append(errs, c.whole(b)...)
			continue
		}
		f := take(b.Code)
		known = without(known, f.declarations)
		errs = append(errs, c.fragment(b, f, known)...)
		known = append(known, f.declarations...)
	}
	return errs
}

func (c *Checker) whole(b Block) []error {
	file, err := parser.ParseFile(c.fset, b.String(), b.Code, 0)
	if err != nil {
		return []error{fmt.Errorf("%v: %w", b, err)}
	}
	return c.check(b, []*ast.File{file}, func(types.Error) bool { return true })
}

// fragment checks the block b, which consists of f, after known.
func (c *Checker) fragment(b Block, f fragment, known []declaration) []error {
	text := f.source()
	before := "package fragment\n"
	for _, d := range known {
		before += d.text + "\n"
	}
	name := b.String()
	text, err := c.withImports(text)
	if err != nil {
		return []error{fmt.Errorf("%v: %w", b, err)}
	}
	if before, err = c.withImports(before); err != nil {
		return []error{fmt.Errorf("%v: %w", b, err)}
	}
	mine, err := parser.ParseFile(c.fset, name, text, 0)
	if err != nil {
		return []error{fmt.Errorf("%v: %w", b, err)}
	}
	earlier, err := parser.ParseFile(c.fset, "before "+name, before, 0)
	if err != nil {
		return []error{fmt.Errorf("%v: %w", b, err)}
	}
	return c.check(b, []*ast.File{mine, earlier}, func(e types.Error) bool {
		return c.fset.Position(e.Pos).Filename == name && !lenient(e.Msg)
	})
}

var forgiven = regexp.MustCompile(`^undefined: \w+$|declared and not used|imported and not used|^too many return values|` +
	`^not enough return values|^missing return|^\w+ redeclared in this block|other declaration of|^no new variables on left side|` +
	`is not used$|^invalid operation: operator \w+ not defined`)

// lenient reports whether a fragment is forgiven what msg says.
func lenient(msg string) bool { return forgiven.MatchString(msg) }

// withImports adds the imports of the packages that text names and does not
// import itself.
func (c *Checker) withImports(text string) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, 0)
	if err != nil {
		return "", err
	}
	have := make(map[string]bool)
	for _, spec := range file.Imports {
		p := strings.Trim(spec.Path.Value, `"`)
		if spec.Name != nil {
			have[spec.Name.Name] = true
		} else {
			have[path.Base(p)] = true
		}
	}
	imports := ""
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok && !have[id.Name] && c.packages[id.Name] != "" && id.Obj == nil && exported(sel.Sel.Name) {
			have[id.Name] = true
			imports += fmt.Sprintf("import %s %q\n", id.Name, c.packages[id.Name])
		}
		return true
	})
	head, rest, _ := strings.Cut(text, "\n")
	return head + "\n" + imports + rest, nil
}

func exported(name string) bool { return token.IsExported(name) }

// check type-checks files and returns the errors that count.
func (c *Checker) check(b Block, files []*ast.File, counts func(types.Error) bool) []error {
	var errs []error
	conf := types.Config{Importer: c.imports, Error: func(err error) {
		var e types.Error
		if errors.As(err, &e) && counts(e) {
			errs = append(errs, fmt.Errorf("%v: %s, in\n%s", b, e.Msg, c.around(b, e)))
		}
	}}
	_, _ = conf.Check("fragment", c.fset, files, nil) // the errors have been seen
	return errs
}

// around shows the code that an error is in.
func (c *Checker) around(b Block, e types.Error) string {
	if !b.Whole() {
		return b.Code
	}
	lines := strings.Split(b.Code, "\n")
	return lines[min(c.fset.Position(e.Pos).Line, len(lines))-1]
}
