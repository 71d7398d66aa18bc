package tidy

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxText is the size beyond which a file is data and not text.
const maxText = 1 << 20

// Tree is the text of a repository, parsed as far as it is Go. It does not
// change once it is built.
type Tree struct {
	// Module is the path of the root module.
	Module string
	// Files are sorted by path.
	Files []*File
	// Packages are the folders with Go files outside testdata, by path.
	Packages []*Package

	fset *token.FileSet
}

// File is one text file.
type File struct {
	// Path is relative to the root, with slashes.
	Path string
	Text string
	// Go is nil unless the file is part of a package.
	Go *ast.File
	// Generated says that a program wrote it.
	Generated bool
	// Test says that it is a _test.go file.
	Test bool
}

// Lines returns the file's lines without their ends.
func (f *File) Lines() []string {
	return strings.Split(strings.TrimSuffix(f.Text, "\n"), "\n")
}

// Package is a folder with Go files.
type Package struct {
	// Dir is relative to the root; "." for the root itself.
	Dir string
	// Name is what the non-test files say, or the test files if there are no others.
	Name string
	// Nested says that it belongs to a module other than the root's.
	Nested bool
	// Files are those that are built, Tests the _test.go files.
	Files, Tests []*File
}

// all returns the files that are built, then the tests.
func (p *Package) all() []*File { return slices.Concat(p.Files, p.Tests) }

// Library says that others may import the package: it is no program and not
// under cmd, examples or bench.
func (p *Package) Library() bool {
	top, _, _ := strings.Cut(p.Dir, "/")
	return p.Name != "main" && !p.Nested && len(p.Files) > 0 && top != "cmd" && top != "examples" && top != "bench"
}

// Internal says that only this repository can import the package.
func (p *Package) Internal() bool {
	return slices.Contains(strings.Split(p.Dir, "/"), "internal")
}

// Load reads the repository below root. It leaves out folders whose name
// begins with a dot or underscore, except .ci, and what is not text.
func Load(root string) (*Tree, error) {
	texts := make(map[string]string)
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if entry.IsDir() {
			if skipped(rel) {
				return filepath.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		if info, err := entry.Info(); err != nil || info.Size() > maxText {
			return err
		}
		text, err := os.ReadFile(name)
		if err == nil && utf8.Valid(text) {
			texts[rel] = string(text)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tidy: load: %w", err)
	}
	return Parse(texts)
}

func skipped(dir string) bool {
	name := path.Base(dir)
	return dir != "." && dir != ".ci" && (name[0] == '.' || name[0] == '_' || name == "vendor" || name == "node_modules")
}

// Parse builds a tree from texts by path. The errors are all that the Go
// parser has to say.
func Parse(texts map[string]string) (*Tree, error) {
	t := &Tree{Module: moduleOf(texts["go.mod"]), fset: token.NewFileSet()}
	packages := make(map[string]*Package)
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		f := &File{Path: name, Text: texts[name], Test: strings.HasSuffix(name, "_test.go")}
		t.Files = append(t.Files, f)
		if path.Ext(name) != ".go" || strings.Contains("/"+name, "/testdata/") {
			continue
		}
		syntax, err := parser.ParseFile(t.fset, name, f.Text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		f.Go, f.Generated = syntax, ast.IsGenerated(syntax)
		dir := path.Dir(name)
		if packages[dir] == nil {
			packages[dir] = &Package{Dir: dir, Nested: nested(texts, dir)}
		}
		packages[dir].add(f)
	}
	t.Packages = slices.SortedFunc(maps.Values(packages), func(a, b *Package) int { return cmp.Compare(a.Dir, b.Dir) })
	return t, errors.Join(errs...)
}

func (p *Package) add(f *File) {
	if f.Test {
		p.Tests = append(p.Tests, f)
		if p.Name == "" {
			p.Name = strings.TrimSuffix(f.Go.Name.Name, "_test")
		}
		return
	}
	p.Files = append(p.Files, f)
	p.Name = f.Go.Name.Name
}

// nested says whether a folder above dir, or dir itself, but not the root, has
// a go.mod.
func nested(texts map[string]string, dir string) bool {
	for ; dir != "."; dir = path.Dir(dir) {
		if _, ok := texts[dir+"/go.mod"]; ok {
			return true
		}
	}
	return false
}

func moduleOf(gomod string) string {
	for line := range strings.Lines(gomod) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "module" {
			return fields[1]
		}
	}
	return ""
}

// file returns the file with that path, or nil.
func (t *Tree) file(name string) *File {
	i, ok := slices.BinarySearchFunc(t.Files, name, func(f *File, name string) int { return cmp.Compare(f.Path, name) })
	if !ok {
		return nil
	}
	return t.Files[i]
}

// local returns the folder of an import path of the root module.
func (t *Tree) local(importPath string) (dir string, ok bool) {
	if importPath == t.Module {
		return ".", true
	}
	return strings.CutPrefix(importPath, t.Module+"/")
}
