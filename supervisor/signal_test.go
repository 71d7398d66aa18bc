package supervisor_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// programEnv makes the test binary be the program of these tests instead. Its
// value is the program's deadline.
const programEnv = "SUPERVISOR_TEST_PROGRAM"

// reexecuted runs the program if this process is to be it.
func reexecuted() bool {
	deadline, err := time.ParseDuration(os.Getenv(programEnv))
	if err != nil {
		return false
	}
	program(deadline)
	return true
}

// program runs two applications until SIGTERM, and says on standard output what
// it does. One of them takes a second to stop.
func program(deadline time.Duration) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	sys, err := actor.NewSystem(actor.Config{KillGrace: 100 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	spec, err := supervisor.Applications(
		part("web", time.Second, "db"),
		part("db", 0),
		supervisor.App{Name: "ready", DependsOn: []string{"web"}, Start: supervisor.Service(func(ctx context.Context) error {
			fmt.Println("ready")
			<-ctx.Done()
			return nil
		})},
	)
	if err == nil {
		err = supervisor.Run(ctx, sys, spec, deadline)
	}
	fmt.Printf("run: %v\n", err)
	fmt.Printf("close: %v\n", sys.Close(context.Background()))
}

// part is an application of one worker.
func part(name string, stopping time.Duration, dependsOn ...string) supervisor.App {
	w := &worker{
		init: func(*actor.Self) error { fmt.Println("start", name); return nil },
		terminate: func(self *actor.Self, _ error) {
			select {
			case <-time.After(stopping):
				fmt.Println("stop", name)
			case <-self.Context().Done():
			}
		},
	}
	return supervisor.App{Name: name, DependsOn: dependsOn, Start: supervisor.Start(supervisor.Spec{
		Children: []supervisor.ChildSpec{{ID: name, Start: actor.Start(func() actor.Actor { return w }, actor.Label(name))}},
	})}
}

// terminated runs the program in a process, sends it SIGTERM when it is ready,
// and returns its output lines and how long it took from that to the last one.
func terminated(t *testing.T, deadline string) ([]string, time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	// The race detector would let the process sleep for a second before it exits.
	cmd.Env = append(os.Environ(), programEnv+"="+deadline, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	var began, last time.Time
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		last = time.Now()
		lines = append(lines, scanner.Text())
		if scanner.Text() == "ready" {
			began = time.Now()
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("program: %v; output %q", err, lines)
	}
	return lines, last.Sub(began)
}

func TestSIGTERMStopsTheWholeTreeInOrder(t *testing.T) {
	lines, _ := terminated(t, "20s")
	want := []string{"start db", "start web", "ready", "stop web", "stop db", "run: <nil>", "close: <nil>"}
	if !slices.Equal(lines, want) {
		t.Errorf("program said %q, want %q", lines, want)
	}
}

func TestSIGTERMKillsTheTreeAtTheDeadline(t *testing.T) {
	lines, took := terminated(t, "50ms")
	if len(lines) < 5 || lines[len(lines)-1] != "close: <nil>" || slices.Contains(lines, "stop web") {
		t.Fatalf("program said %q", lines)
	}
	run := lines[len(lines)-2]
	if !strings.HasPrefix(run, "run: supervisor: not stopped within 50ms; killed ") || !strings.Contains(run, `"web"`) {
		t.Errorf("Run returned %q, want web named", run)
	}
	if took > 900*time.Millisecond {
		t.Errorf("the end took %v with a deadline of 50ms", took)
	}
}
