package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/topos-go/topos/bench/pair"
)

// measured is a comparison whose figures are given: of each side, in order, for
// each work.
func measured(figures map[string]map[string][]float64) *between {
	names := []string{"topos", "floor", "slow", "quick"}
	b := &between{runs: map[string]map[string][]pair.Result{}}
	for i, name := range names {
		b.sides = append(b.sides, side{name: name})
		b.runs[name] = map[string][]pair.Result{}
		for work, rows := range figures {
			r := pair.Result{Figures: map[string]float64{}}
			for row, values := range rows {
				if values[i] >= 0 {
					r.Figures[row] = values[i]
				}
			}
			b.runs[name][work] = []pair.Result{r}
		}
	}
	return b
}

func TestTheBestPeerIsTheHighestRateAndTheLowestLatency(t *testing.T) {
	b := measured(map[string]map[string][]float64{
		"oneway":  {"oneway": {300, 900, 50, 100}},
		"request": {"request_p50": {10, 9, 30, 20}, "request_p99": {1, 1, -1, -1}},
	})
	lines := b.lines([]string{"oneway", "request"})
	text, err := json.Marshal(summariesOf(lines, b.sides))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"work":"oneway","unit":"msg/s","topos":300,"floor":900,"peer":100,"peer_name":"quick"}`,
		`{"work":"request_p50","unit":"us","topos":10,"floor":9,"peer":20,"peer_name":"quick"}`,
		`{"work":"request_p99","unit":"us","topos":1,"floor":1,"peer":null,"peer_name":""}`,
		`{"work":"oneway_send_allocs","unit":"count","topos":null,"floor":null,"peer":null,"peer_name":""}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

func TestTheTableTellsWhetherBarsAreReached(t *testing.T) {
	b := measured(map[string]map[string][]float64{
		"oneway":       {"oneway": {249, 900, 50, 100}, "oneway_send_allocs": {2, 1, 5, 5}},
		"request":      {"request_p50": {12, 10, 30, 13}},
		"bulk64k":      {"bulk64k": {700, 1000, -1, -1}},
		"ping_other":   {"ping_p99_other": {201, 100, -1, -1}, "ping_p50_other": {30, 10, -1, -1}, "ping_p50_idle": {10, 10, -1, -1}},
		"ping_same":    {"ping_p99_same": {-1, -1, 90, 80}},
		"default_lost": {"default_lost": {1, -1, 0, 0}},
	})
	var out strings.Builder
	printLines(&out, b.lines(pair.Works), b.sides, []string{"something to know"})
	for row, want := range map[string]string{
		"oneway ":            "≥ 2.5 × peer MISSED",
		"oneway_send_allocs": "≤ 2 met",
		"request_p50":        "≤ 1.2 × floor met, ≤ 0.9 × peer MISSED",
		"bulk64k":            "≥ 0.7 × floor met",
		"ping_p99_other":     "≤ 2 × floor MISSED",
		"ping_p50_other":     "≤ 3 × ping_p50_idle met",
		"ping_p99_same":      "≤ 5000 ?",
		"default_lost":       "≤ 0 MISSED",
		"something":          "to know",
	} {
		found := false
		for text := range strings.Lines(out.String()) {
			if strings.HasPrefix(text, row) {
				found = strings.HasSuffix(strings.TrimRight(text, " \n"), want)
				break
			}
		}
		if !found {
			t.Errorf("no line %s... %s in\n%s", row, want, &out)
		}
	}
}

func TestTheMedianOfAnEvenNumberOfRoundsIsTheMean(t *testing.T) {
	results := func(values ...float64) []pair.Result {
		var list []pair.Result
		for _, v := range values {
			list = append(list, pair.Result{Figures: map[string]float64{"oneway": v}})
		}
		return list
	}
	b := &between{runs: map[string]map[string][]pair.Result{
		"odd": {"oneway": results(9, 1, 5)}, "even": {"oneway": results(4, 1, 2, 9)}, "none": {},
	}}
	f := figures[0]
	if v := b.value("odd", f); v == nil || *v != 5 {
		t.Errorf("odd: %v", v)
	}
	if v := b.value("even", f); v == nil || *v != 3 {
		t.Errorf("even: %v", v)
	}
	if v := b.value("none", f); v != nil {
		t.Errorf("none: %v", *v)
	}
}

func TestWhatWasLostOrOutOfOrderIsNoted(t *testing.T) {
	b := &between{runs: map[string]map[string][]pair.Result{"x": {"oneway": {
		{Sent: 10, Arrived: 8, Misordered: 1}, {Sent: 10, Arrived: 10, Mangled: 2},
	}}}}
	b.describe("x", "oneway")
	text := strings.Join(b.notes, "\n")
	for _, want := range []string{"lost 2 of 20", "1 of 18 messages of oneway out of order", "2 of 18 messages of oneway with a wrong size"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
}

func TestUnknownWorksAndSidesAreRefused(t *testing.T) {
	if _, err := choosePairs("oneway,twoway"); err == nil {
		t.Error("an unknown work was chosen")
	}
	sides := []side{{name: "topos"}, {name: "floor"}}
	if err := leaveOut(sides, "floor,ceiling"); err == nil {
		t.Error("an unknown side was chosen")
	}
	if err := leaveOut(sides, "floor"); err != nil || sides[0].err == nil || sides[1].err != nil {
		t.Errorf("sides: %+v, %v", sides, err)
	}
}
