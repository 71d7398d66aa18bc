package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/crowd/crowdtest"
)

func TestMain(m *testing.M) { crowdtest.Main(m, run) }

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
