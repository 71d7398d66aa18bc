package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test's own program be the members', too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-member" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestClusterOfProcessesChangesItsTopologyByItself(t *testing.T) {
	var out strings.Builder
	if err := direct(context.Background(), 2*time.Minute, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{
		`n0: `, `rule "large", so fullmesh becomes hyparview`, `n1: `, `rule "otherwise"`, `becomes clientserver`, `rule "small"`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("nobody says %q:\n%s", want, out.String())
		}
	}
}
