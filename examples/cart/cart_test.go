package main

import (
	"context"
	"strings"
	"testing"

	"github.com/topos-go/topos/internal/crowd/crowdtest"
)

func TestMain(m *testing.M) { crowdtest.Main(m, run) }

func show(t *testing.T, inproc bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var out strings.Builder
	d := newDirector(&out, 3, options{Carts: 5, Writes: 300, Seed: 3})
	if inproc {
		d.crowd.Inside(run)
	}
	if err := d.run(ctx); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, want := range []string{"KILLED", "was started again on", "views are equal", "Nothing that was acknowledged is lost"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the show does not say %q:\n%s", want, &out)
		}
	}
	if d.ledger.writes < 600 {
		t.Errorf("only %d writes were acknowledged", d.ledger.writes)
	}
}

func TestAClusterOfProcessesLosesOneAndNothingElse(t *testing.T) { show(t, false) }

func TestAClusterInOneProcessLosesANodeAndNothingElse(t *testing.T) { show(t, true) }

func TestTheLedgerFindsWhatIsLostAndWhatWasNeverSent(t *testing.T) {
	l := newLedger()
	write := event{Kind: "sending", Cart: "cart/0", Item: "apple", Quantity: 3}
	l.record(write)
	write.Kind, write.Acked = "write", true
	l.record(write)
	l.record(event{Kind: "sending", Cart: "cart/0", Item: "bread", Quantity: 2}) // never answered
	for _, c := range []struct {
		view   map[string]int64
		faults int
	}{
		{map[string]int64{"apple": 3}, 0},
		{map[string]int64{"apple": 3, "bread": 2}, 0},
		{map[string]int64{"apple": 2}, 1},
		{map[string]int64{"apple": 4}, 1},
		{map[string]int64{"apple": 3, "bread": 3}, 1},
		{map[string]int64{"apple": 3, "cheese": 1}, 1},
		{nil, 1},
	} {
		if faults := l.check(carts{"cart/0": c.view}); len(faults) != c.faults {
			t.Errorf("%v: faults %q, want %d", c.view, faults, c.faults)
		}
	}
}
