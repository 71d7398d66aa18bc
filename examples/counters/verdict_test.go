package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/topos-go/topos/behaviours/partition"
)

// world is five nodes of which node k+1 has counted parts[k], and all know it.
func world(parts ...int64) []status {
	all := make([]status, nodes)
	for i := range all {
		all[i] = status{Counted: parts[i], reading: reading{Parts: make(map[string]int64)}}
		for k, n := range parts {
			all[i].Parts[nodeName(k)] = n
			all[i].Value += n
		}
	}
	return all
}

func TestTheVerdictFindsWhatIsLostAndWhatIsCountedTwice(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(all []status)
		faults int
	}{
		{"all is well", func([]status) {}, 0},
		{"n2 lacks one of n4", func(all []status) { all[1].Parts["n4"]--; all[1].Value-- }, 2},
		{"n3 has one of n1 twice", func(all []status) { all[2].Parts["n1"]++; all[2].Value++ }, 2},
		{"one is lost and another counted twice", func(all []status) { all[2].Parts["n1"]++; all[2].Parts["n5"]-- }, 2},
		{"the value is not that of the parts", func(all []status) { all[4].Value++ }, 1},
		{"an acknowledged one is nowhere", func(all []status) { all[0].Counted++ }, 10},
		{"one that nobody acknowledged is everywhere", func(all []status) { all[0].Counted-- }, 10},
		{"a node knows nothing", func(all []status) { all[3].reading = reading{} }, 6},
	} {
		all := world(10, 20, 30, 40, 50)
		c.spoil(all)
		if faults := checkHealed(all); len(faults) != c.faults {
			t.Errorf("%s: faults %q, want %d", c.name, faults, c.faults)
		}
	}
	if all := world(1, 2, 3, 4, 5); !equal(all) {
		t.Error("equal counts are said to differ")
	}
	all := world(1, 2, 3, 4, 5)
	all[4].Parts = maps.Clone(all[4].Parts)
	all[4].Parts["n1"], all[4].Parts["n2"] = 2, 1
	if equal(all) {
		t.Error("counts of different parts are said to be equal")
	}
}

func TestSidesThatDoNotDoAsTheirStrategySaysAreFound(t *testing.T) {
	for _, c := range []struct {
		name     string
		strategy partition.Strategy
		spoil    func(after []status)
		faults   int
	}{
		{"both sides go on", partition.ContinueLocal, func([]status) {}, 0},
		{"the logs do", partition.MergeOnReconnect, func([]status) {}, 0},
		{"a node stands still", partition.ContinueLocal, func(after []status) { after[3].Counted = 40 }, 1},
		{"a node refuses", partition.MergeOnReconnect, func(after []status) { after[0].Refused = 1 }, 1},
		{"the cut leaks to the right", partition.ContinueLocal, func(after []status) { after[4].Parts["n3"]++ }, 1},
		{"the cut leaks to the left", partition.ContinueLocal, func(after []status) { after[0].Parts["n4"]++ }, 1},
		{"a side is parted in itself", partition.ContinueLocal, func(after []status) { after[1].Parts["n1"] = 10 }, 1},
		{"nobody refuses", partition.ReadOnly, func([]status) {}, 10},
		{"all refuse", partition.ReadOnly, func(after []status) { copy(after, refusing()) }, 0},
		{"all refuse and one counts", partition.ReadOnly, func(after []status) { copy(after, refusing()); after[2].Counted++ }, 1},
		{"all refuse and one has more", partition.ReadOnly, func(after []status) { copy(after, refusing()); after[2].Value++ }, 1},
	} {
		before := world(10, 20, 30, 40, 50)
		after := world(11, 22, 33, 44, 55)
		for i := range after {
			for k := range nodes {
				if (i < left) != (k < left) {
					after[i].Parts[nodeName(k)] = before[i].Parts[nodeName(k)]
				}
			}
		}
		c.spoil(after)
		if faults := checkParted(c.strategy, before, after); len(faults) != c.faults {
			t.Errorf("%s: faults %q, want %d", c.name, faults, c.faults)
		}
	}
}

// refusing is five nodes that have refused and counted nothing more.
func refusing() []status {
	all := world(10, 20, 30, 40, 50)
	for i := range all {
		all[i].Refused = 7
	}
	return all
}

func TestTheScreenShowsWhoSeesWhom(t *testing.T) {
	all := world(1, 1, 1, 1, 1)
	for i := range all {
		all[i].Members = []string{"n1", "n2", "n3"}
		if i >= left {
			all[i].Members = []string{"n4", "n5"}
		}
	}
	all[4].Refused = 3
	for _, c := range []struct {
		cut  bool
		want string
	}{
		{true, "5 123..      5 123..      5 123.. |      5 ...45      5 ...45 -3"},
		{false, "5 123..      5 123..      5 123..      5 ...45      5 ...45 -3"},
	} {
		if got := strings.TrimSpace(row(all, c.cut)); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
