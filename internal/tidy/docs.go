package tidy

import (
	"path"
	"strings"
)

func checkDocs(t *Tree, r *report) {
	for _, p := range t.Packages {
		if len(p.Files) == 0 {
			continue
		}
		var documented []*File
		for _, f := range p.Files {
			if f.Go.Doc != nil && !f.Generated {
				documented = append(documented, f)
			}
		}
		switch {
		case len(documented) == 0:
			r.at(p.Files[0].Go.Package, "package %s has no doc comment", p.Name)
			continue
		case len(documented) > 1:
			r.at(documented[1].Go.Package, "package %s is documented in %s already", p.Name, path.Base(documented[0].Path))
		}
		doc := documented[0]
		if p.Name != "main" && !strings.HasPrefix(doc.Go.Doc.Text(), "Package "+p.Name+" ") {
			r.at(doc.Go.Doc.Pos(), "the doc comment does not begin with Package %s", p.Name)
		}
		if p.Library() && !p.Internal() && path.Base(doc.Path) != "doc.go" {
			r.at(doc.Go.Doc.Pos(), "a library's doc comment belongs in doc.go")
		}
	}
}
