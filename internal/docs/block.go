package docs

import (
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Block is Go code in a document.
type Block struct {
	// File is the document, and Line where the code begins in it, or where the
	// comment does that it is in.
	File string
	Line int
	Code string
}

// String says where the block is.
func (b Block) String() string { return fmt.Sprintf("%s:%d", b.File, b.Line) }

// Whole reports whether b is a whole program.
func (b Block) Whole() bool {
	for line := range strings.Lines(b.Code) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "//") {
			return strings.HasPrefix(line, "package ")
		}
	}
	return false
}

// Markdown returns the Go blocks of a Markdown document.
func Markdown(file, text string) []Block {
	var blocks []Block
	var open *Block
	fence := ""
	n := 0
	for line := range strings.Lines(text) {
		n++
		trimmed := strings.TrimSpace(line)
		switch {
		case fence == "" && strings.HasPrefix(trimmed, "```"):
			fence = "```"
			language, _, _ := strings.Cut(strings.TrimLeft(trimmed, "`"), " ")
			if language == "go" {
				open = &Block{File: file, Line: n + 1}
			}
		case fence != "" && trimmed == fence:
			fence = ""
			if open != nil {
				blocks = append(blocks, *open)
				open = nil
			}
		case open != nil:
			open.Code += line
		}
	}
	return blocks
}

// Comments returns the Go blocks of the package documents in a folder. Their
// lines are relative to the comment.
func Comments(dir string) ([]Block, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var blocks []Block
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			return nil, err
		}
		if f.Doc != nil {
			blocks = append(blocks, inComment(file, fset.Position(f.Doc.Pos()).Line, f.Doc)...)
		}
	}
	return blocks, nil
}

func inComment(file string, line int, doc *ast.CommentGroup) []Block {
	var blocks []Block
	var p comment.Parser
	for _, part := range p.Parse(doc.Text()).Content {
		if code, ok := part.(*comment.Code); ok {
			if text := withoutDrawing(code.Text); looksLikeGo(text) {
				blocks = append(blocks, Block{File: file, Line: line, Code: text})
			}
		}
	}
	return blocks
}

// drawing is what drawings are made of, arrows and corners.
var drawing = regexp.MustCompile(`-->|--\w|\+-|->\s|<-{2}`)

// drawn reports whether text is a drawing, or has one in it.
func drawn(text string) bool {
	return strings.ContainsAny(text, "│─┌┐└┘▶▼◀▲═") || drawing.MatchString(text)
}

// withoutDrawing returns what follows the drawing that a block begins with: the
// two are one block where only an empty line is between them.
func withoutDrawing(text string) string {
	for {
		first, rest, more := strings.Cut(text, "\n\n")
		if !drawn(first) || !more {
			return text
		}
		text = rest
	}
}

// looksLikeGo tells code from drawings and transcripts.
func looksLikeGo(text string) bool {
	return !drawn(text) && slices.ContainsFunc([]string{":=", "func ", "type ", "import "}, func(sign string) bool {
		return strings.Contains(text, sign)
	})
}

// Folders returns the folders of this module that hold Go files, without those
// of test data and of other modules.
func Folders(root string) ([]string, error) {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			name := d.Name()
			_, nested := os.Stat(filepath.Join(path, "go.mod"))
			if path != root && (name == "testdata" || strings.HasPrefix(name, ".") || nested == nil) {
				return filepath.SkipDir
			}
			return nil
		}
		if dir := filepath.Dir(path); strings.HasSuffix(path, ".go") && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
		return nil
	})
	return dirs, err
}
