package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/crowd/crowdtest"
)

func TestMain(m *testing.M) { crowdtest.Main(m, run) }

func TestProcessesFallSickAndDieAndNoCallFails(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var out strings.Builder
	d := &director{out: &out, size: 3, rate: 200, began: time.Now()}
	if err := d.run(ctx); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, want := range []string{
		"orders of m2: the circuit is open", "prices of m2: the circuit is open",
		"orders of m2: sickened", "orders of m2: recovered", "orders of m2: the circuit is closed",
		"process m3 is KILLED", "stock  of m3: vanished", "0 failed", "no call failed.",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &out)
		}
	}
}
