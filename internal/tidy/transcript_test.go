package tidy_test

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/topos-go/topos/internal/tidy"
)

// TestRulesFindWhatTheirTranscriptsShow runs testdata/NAME for each rule. A
// transcript has commands
//
//	check
//	-- path/of/file.go --
//	text of the file; a line "@500 x" stands for 500 lines "x"
//	-- path/of/another --
//	its text
//	----
//	what the rule finds, or: ok
//
// Rewrite what they find with: go test ./internal/tidy -rewrite
func TestRulesFindWhatTheirTranscriptsShow(t *testing.T) {
	for _, rule := range tidy.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			fired, silent := 0, 0
			datadriven.RunTest(t, path.Join("testdata", rule.Name), func(t *testing.T, d *datadriven.TestData) string {
				if d.Cmd != "check" {
					d.Fatalf(t, "unknown command %q", d.Cmd)
				}
				tree, err := tidy.Parse(texts(t, d))
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				findings := rule.Check(tree)
				if len(findings) == 0 {
					silent++
					return "ok\n"
				}
				fired++
				var b strings.Builder
				for _, finding := range findings {
					fmt.Fprintln(&b, finding)
				}
				return b.String()
			})
			if fired == 0 || silent == 0 {
				t.Errorf("fired %d times and was silent %d times; its transcript must show both", fired, silent)
			}
		})
	}
}

// texts splits the input of a command into files. The root's go.mod is given.
func texts(t *testing.T, d *datadriven.TestData) map[string]string {
	files := map[string]string{"go.mod": "module example.org/topos\n"}
	name := ""
	for line := range strings.Lines(d.Input + "\n") {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 3 && fields[0] == "--" && fields[2] == "--":
			name = fields[1]
			files[name] = ""
			continue
		case name == "" && len(fields) > 0:
			d.Fatalf(t, "%q is in no file", line)
		case strings.HasPrefix(line, "@"):
			count, rest, _ := strings.Cut(line[1:], " ")
			n, err := strconv.Atoi(count)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			line = strings.Repeat(rest, n)
		}
		files[name] += line
	}
	delete(files, "")
	return files
}
