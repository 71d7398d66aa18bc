package tidy

import (
	"path"
	"strings"
)

// checkModules reads go.mod and tools.mod files, and the imports of modules
// other than the root's.
func checkModules(t *Tree, r *report) {
	for _, f := range t.Files {
		if path.Ext(f.Path) != ".mod" || strings.Contains("/"+f.Path, "/testdata/") {
			continue
		}
		for i, line := range f.Lines() {
			fields := strings.Fields(line)
			if len(fields) == 0 {
				continue
			}
			if strings.TrimSuffix(fields[0], "(") == "replace" {
				r.line(f.Path, i+1, "a module is replaced")
			}
			nestedMod := f.Path != "go.mod" && path.Base(f.Path) == "go.mod"
			if nestedMod && fields[0] != "module" && mentions(fields, t.Module) {
				r.line(f.Path, i+1, "a module of its own requires %s", t.Module)
			}
		}
	}
	for _, p := range t.Packages {
		if !p.Nested {
			continue
		}
		for _, f := range p.all() {
			for _, spec := range f.Go.Imports {
				if dir, ours := t.local(importPath(spec)); ours && !within(p.Dir+"/...", dir) {
					r.at(spec.Pos(), "a module of its own imports %s", importPath(spec))
				}
			}
		}
	}
}

func mentions(fields []string, module string) bool {
	for _, field := range fields {
		if field == module {
			return true
		}
	}
	return false
}
