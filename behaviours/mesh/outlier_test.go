package mesh

import (
	"slices"
	"testing"
	"time"
)

func TestOutliersAreThoseThatDoWorseThanTheOthers(t *testing.T) {
	const ms = time.Millisecond
	o := Definition{Outlier: Outlier{Failures: 0.5, Slower: 3}}.withDefaults().Outlier
	for _, c := range []struct {
		about   string
		samples []sample
		want    []int
	}{
		{"nobody", nil, nil},
		{"one that fails", []sample{{100, 60, ms, false}, {100, 1, ms, false}, {100, 0, ms, false}}, []int{0}},
		{"one that fails, too rarely", []sample{{100, 49, ms, false}, {100, 1, ms, false}}, nil},
		{"one with too few calls", []sample{{19, 19, 0, false}, {100, 1, ms, false}}, nil},
		{"all fail: it is not the instance", []sample{{100, 90, ms, false}, {100, 90, ms, false}, {100, 90, ms, false}}, nil},
		{"one that is slow", []sample{{100, 0, ms, false}, {100, 0, 4 * ms, false}, {100, 0, ms, false}}, []int{1}},
		{"two of six, the worst first", []sample{{100, 60, ms, false}, {100, 0, ms, false}, {100, 0, ms, false},
			{100, 99, ms, false}, {100, 0, ms, false}, {100, 70, ms, false}}, []int{3, 5}},
		{"no more than a third", []sample{{100, 60, ms, false}, {0, 0, 0, true}, {100, 0, ms, false}}, nil},
		{"one alone stays", []sample{{100, 100, 0, false}}, nil},
	} {
		if got := outliers(o, c.samples); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.about, got, c.want)
		}
	}
}

func TestPulseRisesAndFallsAfterItsThresholds(t *testing.T) {
	p := pulse{rise: 2, fall: 3}
	for i, c := range []struct {
		ok, changed, well bool
	}{
		{true, true, true}, // the first decides
		{false, false, true}, {false, false, true}, {true, false, true},
		{false, false, true}, {false, false, true}, {false, true, false},
		{true, false, false}, {false, false, false}, {true, false, false}, {true, true, true},
	} {
		if changed := p.checked(c.ok); changed != c.changed || p.well != c.well {
			t.Fatalf("check %d: changed %v, well %v", i, changed, p.well)
		}
	}
	p = pulse{rise: 1, fall: 1}
	if !p.checked(false) || p.well {
		t.Error("a first check that fails does not decide")
	}
}
