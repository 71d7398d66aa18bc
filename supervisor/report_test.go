package supervisor_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

func TestReportsAreLogged(t *testing.T) {
	var buf bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "pid" || a.Key == "child_pid" || a.Key == "actor" {
				return slog.Attr{}
			}
			return a
		},
	}))
	sys, err := actor.NewSystem(actor.Config{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t, sys, t.Context()}
	sup := f.supervise(supervisor.Spec{Intensity: supervisor.AtMost(0), Children: []supervisor.ChildSpec{permanent("child")}})
	w := f.watch("supervisor", sup)
	if err := sys.Send(sup, "hello"); err != nil {
		t.Fatal(err)
	}
	f.end(f.child(sup, "child").PID, errAbnormal)
	f.wantEnd(w, supervisor.ErrIntensity)
	if err := sys.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := `level=WARN msg="supervisor received an unexpected message" message=hello
level=ERROR msg="process ended" reason=abnormal
level=WARN msg="child ended" child=child reason=abnormal
level=ERROR msg="too many restarts" child=child reason=abnormal
`
	// The worker's own line is written while the supervisor already goes on.
	got := strings.Split(strings.TrimSpace(buf.String()), "\n")
	for _, line := range strings.Split(strings.TrimSpace(want), "\n") {
		if !strings.Contains(buf.String(), line+"\n") {
			t.Errorf("no line %q in\n%s", line, buf.String())
		}
	}
	if len(got) != 4 {
		t.Errorf("%d lines are logged, want 4:\n%s", len(got), buf.String())
	}
}
