package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/crowd/crowdtest"
)

func TestMain(m *testing.M) { crowdtest.Main(m, run) }

func TestEveryNameIsSeenOnAllNodesAfterItsRegistration(t *testing.T) {
	r := crowdtest.LastLine[result](t, run, "-names", "100", "-nodes", "3")
	if r.Nodes != 3 || r.Names != 100 || r.P50 < 0 || r.Max <= 0 || r.P99 < r.P50 || r.Max < r.P99 {
		t.Errorf("%+v", r)
	}
}

func TestTheLastNodeThatSeesANameCounts(t *testing.T) {
	reports := []event{
		{Made: []int64{10, 0, 30}, Seen: []int64{11, 29, 31}},
		{Made: []int64{0, 20, 0}, Seen: []int64{17, 21, 35}},
	}
	got := visible(plan{Nodes: 2, Names: 3}, reports)
	if fmt.Sprint([]time.Duration(got)) != "[7ns 9ns 5ns]" {
		t.Errorf("%v", []time.Duration(got))
	}
}

func TestTooFewNodesOrNamesAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-nodes", "1"}, {"-names", "0"}, {"-rate", "0"}} {
		if err := run(t.Context(), append([]string{"test"}, args...), nil, nil); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}
