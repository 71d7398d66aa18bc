package main

import (
	"fmt"
	"testing"

	"github.com/topos-go/topos/internal/crowd/crowdtest"
)

func TestMain(m *testing.M) { crowdtest.Main(m, run) }

func TestKilledOwnerIsReplacedAndComesBack(t *testing.T) {
	r := crowdtest.LastLine[result](t, run, "-trials", "3", "-nodes", "3")
	if r.Trials != 3 || r.Lost != 0 || r.DoubleOwners != 0 || r.P50 <= 0 || r.P99 < r.P50 {
		t.Errorf("%+v", r)
	}
}

func TestStoppedOwnerIsReplacedAndNeverDoubled(t *testing.T) {
	r := crowdtest.LastLine[result](t, run, "-trials", "1", "-stop", "-nodes", "3")
	if r.Trials != 1 || r.Lost != 0 || r.DoubleOwners != 0 {
		t.Errorf("%+v", r)
	}
	// Nothing but silence tells that a node is stopped: less than a heartbeat would
	// mean that somebody else than the new owner has answered.
	if r.P50 < 500 {
		t.Errorf("replaced after %v ms already", r.P50)
	}
}

func TestInstancesThatAnswerAreCountedOnAllNodes(t *testing.T) {
	views := []event{{Accepting: []string{"a", "b"}}, {}, {Accepting: []string{"b", "b"}}}
	got := instances(views, []string{"a", "b", "c"})
	if fmt.Sprint(got) != "[1 3 0]" {
		t.Errorf("instances %v", got)
	}
}

func TestEveryNodeHasAChildOfItsOwn(t *testing.T) {
	d, err := newDirector(5, false, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for i, child := range d.children {
		if child == "" || seen[child] {
			t.Errorf("node %d has child %q", i, child)
		}
		seen[child] = true
	}
}

func TestTooFewNodesAreRefused(t *testing.T) {
	if err := run(t.Context(), []string{"test", "-nodes", "2"}, nil, nil); err == nil {
		t.Error("two nodes are accepted")
	}
}
