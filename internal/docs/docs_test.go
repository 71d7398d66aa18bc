package docs_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/topos-go/topos/internal/docs"
)

const root = "../.."

// document is the blocks of one document or one folder.
type document struct {
	name   string
	blocks []docs.Block
}

// library is everything that is checked, and the checker that is built for it.
type library struct {
	markdown, comments []document
	checker            *docs.Checker
}

var built = sync.OnceValues(func() (library, error) {
	var l library
	files, err := filepath.Glob(root + "/docs/*.md")
	if err != nil {
		return l, err
	}
	all := asBlocks([]string{"actor.NewSystem(actor.Config{})", "proto.NewActorSystem()"})
	for _, file := range append(files, root+"/README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			return l, err
		}
		name := strings.TrimPrefix(file, root+"/")
		l.markdown = append(l.markdown, document{name, docs.Markdown(name, string(text))})
	}
	dirs, err := docs.Folders(root)
	if err != nil {
		return l, err
	}
	for _, dir := range dirs {
		blocks, err := docs.Comments(dir)
		if err != nil {
			return l, err
		}
		l.comments = append(l.comments, document{dir, blocks})
	}
	for _, d := range slices.Concat(l.markdown, l.comments) {
		all = append(all, d.blocks...)
	}
	l.checker, err = docs.NewChecker(root, all)
	return l, err
})

func newLibrary(t *testing.T) library {
	t.Helper()
	l, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func check(t *testing.T, c *docs.Checker, documents []document) {
	t.Helper()
	count := 0
	for _, d := range documents {
		count += len(d.blocks)
		for _, err := range c.Check(d.blocks) {
			t.Error(err)
		}
	}
	if count == 0 {
		t.Error("there is no Go in the documents: the test does not look where they are")
	}
}

func TestEveryBlockInTheDocumentsCompiles(t *testing.T) {
	l := newLibrary(t)
	check(t, l.checker, l.markdown)
}

func TestEveryBlockInThePackageDocumentsCompiles(t *testing.T) {
	l := newLibrary(t)
	check(t, l.checker, l.comments)
}

func TestMistakesInABlockAreFound(t *testing.T) {
	c := newLibrary(t).checker
	for name, blocks := range map[string][]string{
		"no such function":        {"pid, err := actor.SpawnNow(ctx)"},
		"no such method":          {"var sys *actor.System\nsys.Launch()"},
		"wrong type":              {"var sys *actor.System\nsys.Close(1)"},
		"no such field":           {"cfg := actor.Config{Wheels: 4}"},
		"missing method":          {"type A struct{}\nvar _ actor.Actor = A{}"},
		"type of an earlier":      {"type A struct{ N int }", "a := A{M: 1}\n_ = a"},
		"syntax":                  {"func f( {"},
		"a program's unused name": {"package main\n\nfunc main() { x := 1 }\n"},
		"a program's lost import": {"package main\n\nfunc main() { fmt.Println() }\n"},
	} {
		if len(c.Check(asBlocks(blocks))) == 0 {
			t.Errorf("%s: nothing is found in %q", name, blocks)
		}
	}
}

func TestConventionsOfFragmentsAreKept(t *testing.T) {
	c := newLibrary(t).checker
	for name, blocks := range map[string][]string{
		"names from the text":    {"pid, err := sys.Spawn(ctx, new(Counter))\nreturn pid, err"},
		"declarations and code":  {"type A struct{}\n\nfunc (a A) Receive(self *actor.Self, msg any) error { return nil }\n\nvar b actor.Actor = A{}\nfmt.Println(b)"},
		"an earlier declaration": {"type A struct{ N int }", "a := A{N: 1}"},
		"declared anew":          {"type A struct{ N int }\nfunc (A) M() {}", "type A struct{ M int }\nvar _ = A{M: 1}"},
		"a program":              {"package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println() }\n"},
		"proto.actor":            {"props := proto.PropsFromFunc(func(ctx proto.Context) {})"},
	} {
		for _, err := range c.Check(asBlocks(blocks)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func asBlocks(texts []string) []docs.Block {
	var blocks []docs.Block
	for _, text := range texts {
		blocks = append(blocks, docs.Block{File: "test", Code: text})
	}
	return blocks
}

func TestOnlyGoIsTakenFromMarkdown(t *testing.T) {
	text := "a\n```go\nx := 1\n```\n```erlang\nX = 1.\n```\n```\ny := 2\n```\n\n```go\nz := 3\n```\n"
	blocks := docs.Markdown("f.md", text)
	if len(blocks) != 2 || blocks[0].Code != "x := 1\n" || blocks[0].Line != 3 || blocks[1].Code != "z := 3\n" {
		t.Errorf("blocks are %+v", blocks)
	}
}
