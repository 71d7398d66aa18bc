package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/topos-go/topos/internal/sim"
)

// run executes topos with args and returns its exit status and what it prints.
func run(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = execute(t.Context(), args, &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func lines(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }

func TestSimEndsWithOneLineOfJSON(t *testing.T) {
	status, out, errOut := run(t, "sim", "-nodes", "60", "-kill=0.3", "-seed", "7", "--broadcasts", "5", "-cycles", "3")
	if status != 0 || errOut != "" {
		t.Fatalf("status %d, %q", status, errOut)
	}
	all := lines(out)
	if first := all[0]; !strings.Contains(first, "seed 7") || !strings.Contains(first, "loss 0") {
		t.Errorf("the first line is %q", first)
	}
	var last map[string]any
	if err := json.Unmarshal([]byte(all[len(all)-1]), &last); err != nil {
		t.Fatalf("%v in %q", err, all[len(all)-1])
	}
	for name, want := range map[string]any{"nodes": 60.0, "seed": 7.0, "kill": 0.3, "reliability_after_healing": 1.0, "reliability_stable": 1.0} {
		if last[name] != want {
			t.Errorf("%s is %v, not %v", name, last[name], want)
		}
	}
	for _, name := range []string{"reliability", "rmr", "last_hop", "violations", "transcript"} {
		if last[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestSimWithADirectorySaysWhenAllKnowTheMembers(t *testing.T) {
	status, out, errOut := run(t, "sim", "-nodes", "30", "-directory", "-causal", "-kill", "0.4", "-seed", "2", "-broadcasts", "3", "-cycles", "2")
	all := lines(out)
	var last map[string]any
	if err := json.Unmarshal([]byte(all[len(all)-1]), &last); err != nil || status != 0 || errOut != "" {
		t.Fatalf("status %d, %v, %q", status, err, errOut)
	}
	if agreed, _ := last["agreed_seconds"].(float64); last["directory"] != true || agreed <= 0 {
		t.Errorf("directory %v, agreed after %v s", last["directory"], agreed)
	}
}

func TestOneDashIsAsGoodAsTwo(t *testing.T) {
	root := newRoot()
	got := doubleDashes(root, []string{"sim", "-nodes", "5", "--seed=1", "-kill=0.5", "-x", "-unknown", "-1", "-", "--", "-nodes"})
	want := []string{"sim", "--nodes", "5", "--seed=1", "--kill=0.5", "-x", "-unknown", "-1", "-", "--", "-nodes"}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%q", got)
	}
	if got := doubleDashes(root, []string{"-help"}); got[0] != "--help" {
		t.Errorf("%q", got)
	}
}

func TestMistakesInFlagsGiveOneMessageAndStatusTwo(t *testing.T) {
	for _, tt := range []struct{ args, says string }{
		{"sim -kill 2", "Kill 2 is not a fraction"},
		{"sim -kill lots", `invalid argument "lots"`},
		{"sim -nodes 1", "Nodes 1 is not between"},
		{"sim -topology ring", `Topology "ring"`},
		{"sim -loss -1", "Faults.Loss -1"},
		{"sim -colour red", "colour"},
		{"sim now", "takes no arguments"},
		{"simulate", `unknown command "simulate"`},
	} {
		status, out, errOut := run(t, strings.Fields(tt.args)...)
		if status != statusUsage || out != "" || !strings.Contains(errOut, tt.says) || len(lines(errOut)) != 1 {
			t.Errorf("%s: status %d, %q, %q", tt.args, status, out, errOut)
		}
	}
}

func TestViolationsAreListedAndMakeTheStatusOne(t *testing.T) {
	var out bytes.Buffer
	report := sim.Report{Violations: []sim.Violation{{Checker: "symmetry", What: "node 1 is alone"}}}
	if err := conclude(&out, &report, cost{}); err != errFound {
		t.Errorf("%v", err)
	}
	if !strings.Contains(out.String(), `"violations":["symmetry at 0s: node 1 is alone"]`) {
		t.Errorf("%s", out.String())
	}
	// A world in which nobody alive can be found again.
	status, text, errOut := run(t, "sim", "-nodes", "400", "-kill", "0.99", "-contacts", "1", "-cycles", "1", "-broadcasts", "1", "-healing", "1m")
	if status != statusFailed || !strings.Contains(text, "\nviolation: connected at ") || errOut != "" {
		t.Errorf("status %d, %q, %q", status, text, errOut)
	}
}

func TestInterruptEndsSimWithItsReport(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errOut bytes.Buffer
	status := execute(ctx, []string{"sim", "-nodes", "1000"}, &out, &errOut)
	if all := lines(out.String()); status != statusFailed || !strings.Contains(all[len(all)-1], `"stopped":true`) {
		t.Errorf("status %d, %q", status, all)
	}
	if !strings.Contains(errOut.String(), "stopped after") || len(lines(errOut.String())) != 1 {
		t.Errorf("%q", errOut.String())
	}
}

func TestTranscriptIsWrittenToItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "transcript")
	status, _, errOut := run(t, "sim", "-nodes", "10", "-cycles", "1", "-broadcasts", "1", "-silent", "-transcript", path)
	text, err := os.ReadFile(path)
	if status != 0 || err != nil || !strings.Contains(string(text), "start to 9/1") {
		t.Errorf("status %d, %q, %v, %d bytes", status, errOut, err, len(text))
	}
	if status, _, errOut := run(t, "sim", "-nodes", "10", "-transcript", t.TempDir()); status != statusFailed || len(lines(errOut)) != 1 {
		t.Errorf("status %d, %q", status, errOut)
	}
}

func TestFuzzFlagMakesFaultsOfTheSeed(t *testing.T) {
	status, out, errOut := run(t, "sim", "-fuzz", "-nodes", "20", "-seed", "3")
	if status != 0 || !strings.HasPrefix(out, "seed 3, ") {
		t.Errorf("status %d, %q, %q", status, out, errOut)
	}
}

func TestToposWithoutCommandSaysWhatThereIs(t *testing.T) {
	status, out, _ := run(t)
	if status != 0 || !strings.Contains(out, "sim") || strings.Contains(out, "completion") {
		t.Errorf("status %d, %q", status, out)
	}
}
