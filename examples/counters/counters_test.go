package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/internal/crowd/crowdtest"
)

// TestMain lets the test binary be the program: the director and the members.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-strategy" {
		main()
		return
	}
	crowdtest.Main(m, run)
}

// show runs the program, and checks that no process of it is left.
func show(t *testing.T, args ...string) (out string, exit int) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout, cmd.Stderr = &b, &b
	err = cmd.Run()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`is process (\d+)`).FindAllStringSubmatch(b.String(), -1) {
		pid, _ := strconv.Atoi(found[1])
		if p, err := os.FindProcess(pid); err == nil && p.Signal(syscall.Signal(0)) == nil {
			t.Errorf("process %d still runs", pid)
		}
	}
	return b.String(), cmd.ProcessState.ExitCode()
}

// contains checks that out has lines that match the patterns, in that order.
func contains(t *testing.T, out string, patterns ...string) {
	t.Helper()
	rest := out
	for _, p := range patterns {
		at := regexp.MustCompile("(?m)" + p).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("the show does not say %q, or not in its turn:\n%s", p, out)
		}
		rest = rest[at[1]:]
	}
}

const (
	allSeeAll  = `^ +\d+\.\d\ds( +\d+ 12345( -\d+)?){5}$`
	eachItsOwn = `^ +\d+\.\d\ds( +\d+ 123\.\.( -\d+)?){3} \|( +\d+ \.\.\.45( -\d+)?){2}$`
	equalAtEnd = `^All are equal\. Every acknowledged increment is there, and none is counted twice\.$`
)

func TestBothSidesOfAPartitionCountOnAndAreEqualAfterwards(t *testing.T) {
	for _, strategy := range []string{"continue", "merge"} {
		t.Run(strategy, func(t *testing.T) {
			t.Parallel()
			out, exit := show(t, "-strategy", strategy)
			if exit != 0 {
				t.Fatalf("exit status %d:\n%s", exit, out)
			}
			contains(t, out, allSeeAll, `CUT: n1 n2 n3 \| n4 n5$`, `n\d is parted from `, eachItsOwn,
				`both sides went on: [1-9]\d* more on the left, [1-9]\d* more on the right`, `HEALED`, allSeeAll, `nobody counts`, equalAtEnd)
			if strings.Contains(out, " refuses: ") {
				t.Errorf("somebody has refused:\n%s", out)
			}
			checkTable(t, out)
		})
	}
}

func TestReadOnlySidesRefuseAndCountAgainAfterwards(t *testing.T) {
	t.Parallel()
	out, exit := show(t, "-strategy", "readonly")
	if exit != 0 {
		t.Fatalf("exit status %d:\n%s", exit, out)
	}
	contains(t, out, allSeeAll, `CUT: n1 n2 n3 \| n4 n5$`, `n\d refuses: .*read-only`, eachItsOwn,
		`neither side has counted while it knew: [1-9]\d* refused on the left, [1-9]\d* on the right`, `HEALED`, allSeeAll, equalAtEnd)
	checkTable(t, out)
}

// checkTable adds up the table at the end once more.
func checkTable(t *testing.T, out string) {
	t.Helper()
	rows := regexp.MustCompile(`(?m)^(acknowledged|n\d has) ([ \d]+)$`).FindAllStringSubmatch(out, -1)
	if len(rows) != 1+nodes {
		t.Fatalf("%d lines in the table:\n%s", len(rows), out)
	}
	var total int64
	fields := strings.Fields(rows[0][2])
	for i, field := range fields {
		n, err := strconv.ParseInt(field, 10, 64)
		switch {
		case err != nil || n == 0:
			t.Fatalf("%q: %v", field, err)
		case i < nodes:
			total += n
		case n != total:
			t.Errorf("the parts are %d, in all it is %d", total, n)
		}
	}
	for _, row := range rows[1:] {
		if got := strings.Join(strings.Fields(row[2]), " "); got != strings.Join(fields, " ") {
			t.Errorf("%s %s, but %s was acknowledged", row[1], got, fields)
		}
	}
}

func TestWhatDoesNotEndInTimeFailsAndLeavesNoProcess(t *testing.T) {
	t.Parallel()
	out, exit := show(t, "-strategy", "continue", "-limit", "2s")
	if exit != 1 || !strings.Contains(out, "counters: waiting for ") {
		t.Errorf("exit status %d:\n%s", exit, out)
	}
}

// killer is a screen that has a member killed when all count.
type killer struct {
	bytes.Buffer
	d    *director
	dead bool
}

func (k *killer) Write(p []byte) (int, error) {
	if !k.dead && bytes.Contains(p, []byte("now all count")) {
		k.dead = true
		if n3, err := os.FindProcess(k.d.crowd.Pid(2)); err == nil {
			_ = n3.Kill() // behind the director's back
		}
	}
	return k.Buffer.Write(p)
}

func TestAMemberThatIsLostEndsTheShowAtOnce(t *testing.T) {
	screen := new(killer)
	screen.d = newDirector(screen, partition.ContinueLocal, t.Name())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := screen.d.run(ctx)
	if err == nil || !strings.Contains(err.Error(), "n3 has ended by itself") || ctx.Err() != nil {
		t.Fatalf("%v\n%s", err, screen)
	}
	for i := range nodes {
		if p, err := os.FindProcess(screen.d.crowd.Pid(i)); err == nil && p.Kill() == nil {
			t.Errorf("%s has not been waited for", nodeName(i))
		}
	}
}

func TestAnUnknownStrategyIsAMistake(t *testing.T) {
	t.Parallel()
	out, exit := show(t, "-strategy", "hope")
	if exit != 1 || !strings.Contains(out, "continue, readonly or merge") || strings.Contains(out, "process") {
		t.Errorf("exit status %d:\n%s", exit, out)
	}
}
