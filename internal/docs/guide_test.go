package docs_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/topos-go/topos/internal/docs"
)

// TestTheFirstProgramOfTheErlangGuideDoesWhatTheGuideSays builds the program
// that the guide shows, runs it as two processes, as the guide says, and
// compares what the second prints with what the guide says it does.
func TestTheFirstProgramOfTheErlangGuideDoesWhatTheGuideSays(t *testing.T) {
	text, err := os.ReadFile(root + "/docs/from-erlang.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := docs.Markdown("docs/from-erlang.md", string(text))
	if len(blocks) == 0 || !blocks[0].Whole() {
		t.Fatal("the guide does not begin with a program")
	}
	_, rest, _ := strings.Cut(string(text), "The second prints\n\n```text\n")
	want, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("the guide does not say what the program prints")
	}
	program := build(t, blocks[0].Code)

	serving := exec.CommandContext(t.Context(), program)
	out, err := serving.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serving.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, addr, ok := strings.Cut(strings.TrimSpace(line), "-join ")
	if !ok {
		t.Fatalf("the first says %q", line)
	}
	got, err := exec.CommandContext(t.Context(), program, "-name", "b", "-join", addr).Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("the second prints\n%s\nthe guide says\n%s", got, want)
	}
	if err := serving.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := serving.Wait(); err != nil {
		t.Errorf("the first does not end in order: %v", err)
	}
}

// build builds code as if it were a package of this module.
func build(t *testing.T, code string) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	module, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(module, "internal/docs/guide/main.go"): source,
	}})
	if err != nil {
		t.Fatal(err)
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "guide")
	cmd := exec.Command("go", "build", "-overlay", overlayFile, "-o", program, "./internal/docs/guide")
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}
