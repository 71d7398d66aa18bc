package crowdtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/topos-go/topos/internal/crowd"
	"github.com/topos-go/topos/internal/crowd/crowdtest"
)

func TestMain(m *testing.M) { crowdtest.Main(m, run) }

// run is a program whose members do nothing, and whose director adds.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if ok, err := crowd.Run(ctx, args, in, out, serve); ok {
		return err
	}
	for i := range args[1:] {
		fmt.Fprintln(out, "argument", i)
	}
	fmt.Fprintf(out, "{\"Arguments\": %d}\n", len(args)-1)
	return nil
}

func serve(_ context.Context, setup crowd.Setup, commands <-chan struct{}, _ func(struct{})) error {
	for range commands {
	}
	return errors.New(setup.Name + " has nothing to do")
}

func TestLastLineIsTheProgramsResult(t *testing.T) {
	type result struct{ Arguments int }
	if r := crowdtest.LastLine[result](t, run, "a", "b"); r.Arguments != 2 {
		t.Errorf("%+v", r)
	}
}

func TestMemberThatFailsComplainsAndHasAnExitStatus(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, complaints bytes.Buffer
	cmd := exec.Command(program, crowd.Flag, `{"Name": "n7"}`)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("%v", err)
	}
	if complaints.String() != "member: n7 has nothing to do\n" || out.String() != `{"Event":{},"Failed":"n7 has nothing to do"}`+"\n" {
		t.Errorf("it says %q and complains %q", &out, &complaints)
	}
}
