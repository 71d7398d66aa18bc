// Package docs checks that the Go code in documents compiles: in docs, in the
// README and in the package documents.
//
//	docs/*.md, README.md   doc.go
//	          │               │
//	          └── Block ──────┘
//	                │  whole program: as it is
//	                │  fragment: declarations beside, statements in, a function
//	                ▼
//	            go/types, on the export data of one go list
//
// # The conventions
//
// In Markdown a block is Go if its fence says "go". In a doc comment a code
// block is Go if it has ":=", "func ", "type " or "import " in it and no line of
// a drawing; a drawing at its beginning is left out.
//
// A block that begins with a package clause is a whole program: it must compile
// as it stands.
//
// Any other block is a fragment. Its declarations are seen by the later blocks
// of the same document, unless those declare the same names anew. Its statements
// are the body of a function. Packages are imported by their names: ours, the
// standard library's, and proto for that of proto.actor. A plain name that
// neither the block nor an earlier one declares is taken to come from what the
// text says; a variable need not be used, and a return may return anything.
// Everything else is checked: that packages have what is named, that calls and
// assignments fit, that types have the methods they are used for.
package docs
