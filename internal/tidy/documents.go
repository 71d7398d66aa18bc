package tidy

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// link is a link in Markdown, or an image.
var link = regexp.MustCompile(`\]\(([^)\s]+)[^)]*\)`)

// checkLinks follows the links between files of the repository. What follows #
// is not looked at, nor is anything in a fenced block.
func checkLinks(t *Tree, r *report) {
	for _, f := range t.Files {
		if path.Ext(f.Path) != ".md" || strings.Contains("/"+f.Path, "/testdata/") {
			continue
		}
		fenced := false
		for i, line := range f.Lines() {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
			}
			if fenced {
				continue
			}
			for _, match := range link.FindAllStringSubmatch(line, -1) {
				to, _, _ := strings.Cut(match[1], "#")
				if to == "" || strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
					continue
				}
				if target := path.Join(path.Dir(f.Path), to); !t.exists(target) {
					r.line(f.Path, i+1, "a link leads to %s, which is not there", target)
				}
			}
		}
	}
}

// exists says whether name is a file with text, or a folder with one in it.
func (t *Tree) exists(name string) bool {
	return slices.ContainsFunc(t.Files, func(f *File) bool {
		return f.Path == name || strings.HasPrefix(f.Path, name+"/")
	})
}

// commands are what README promises to newcomers; .ci/run proves each.
var commands = []string{"go run ./examples/cart", "go test ./..."}

// checkCommands wants each command on a line of its own in a fenced block of
// README.md, and on a line of .ci/run, with options or without.
func checkCommands(t *Tree, r *report) {
	for _, command := range commands {
		if readme := t.file("README.md"); readme == nil || !slices.Contains(fencedLines(readme), command) {
			r.line("README.md", 0, "no fenced line says %s", command)
		}
		if ci := t.file(".ci/run"); ci == nil || !slices.ContainsFunc(ci.Lines(), func(line string) bool {
			return strings.TrimSpace(line) == command
		}) {
			r.line(".ci/run", 0, "no line runs %s", command)
		}
	}
}

// fencedLines returns the lines in fenced blocks.
func fencedLines(f *File) []string {
	var lines []string
	fenced := false
	for _, line := range f.Lines() {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		} else if fenced {
			lines = append(lines, line)
		}
	}
	return lines
}
