package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/crowd/crowdtest"
)

func TestMain(m *testing.M) { crowdtest.Main(m, run) }

func TestNodesInSeveralProcessesKnowWhoIsThereAndWhoWasKilled(t *testing.T) {
	r := crowdtest.LastLine[result](t, run, "-nodes", "12", "-processes", "3", "-kill", "0.25", "-settle", "1s", "-rest", "1s")
	if r.Nodes != 12 || r.Processes != 3 || r.Directory <= 0 || r.Broadcast <= 0 || r.Obituaries <= 0 {
		t.Errorf("%+v", r)
	}
	// Each node has a listener, and each process counts what it has itself.
	if r.Files < r.Nodes || r.FilesPeak >= r.Files || r.MemoryPeak < r.Memory || r.Heap > r.Memory || r.Goroutines < r.Nodes {
		t.Errorf("%+v", r)
	}
}

func TestMissedBarIsAnErrorBehindTheResult(t *testing.T) {
	var out strings.Builder
	err := run(t.Context(), []string{
		"test", "-nodes", "3", "-kill", "0", "-settle", "1ms", "-rest", "1ms", "-broadcast", "1ns", "-memory", "1",
	}, nil, &out)
	if !errors.Is(err, errMissed) || !strings.Contains(err.Error(), "broadcast_s") || !strings.Contains(err.Error(), "memory_peak_mb") {
		t.Errorf("%v", err)
	}
	if !strings.Contains(out.String(), `"nodes":3`) {
		t.Errorf("no result: %s", &out)
	}
}

func TestNodesThatDoNotKnowEachOtherInTimeAreAnError(t *testing.T) {
	err := run(t.Context(), []string{"test", "-nodes", "20", "-processes", "2", "-every", "1ms", "-limit", "1ms"}, nil, new(strings.Builder))
	if err == nil || errors.Is(err, errMissed) {
		t.Errorf("%v", err)
	}
}

func TestBarsAreMissedByWhatIsWorseOnly(t *testing.T) {
	b := bars{directory: time.Minute, broadcast: 2 * time.Second, obituaries: 15 * time.Second, memory: 8192}
	good := result{Directory: 60, Broadcast: 2, Obituaries: 15, MemoryPeak: 8192}
	if err := b.missed(good); err != nil {
		t.Error(err)
	}
	for _, worse := range []func(*result){
		func(r *result) { r.Directory++ }, func(r *result) { r.Broadcast++ },
		func(r *result) { r.Obituaries++ }, func(r *result) { r.MemoryPeak++ },
	} {
		r := good
		worse(&r)
		if err := b.missed(r); !errors.Is(err, errMissed) || strings.Count(err.Error(), "\n") != 0 {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestTooFewNodesOrTooManyProcessesAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-nodes", "1"}, {"-nodes", "3", "-processes", "4"}, {"-kill", "1"}, {"-processes", "-1"}} {
		if err := run(t.Context(), append([]string{"test"}, args...), nil, nil); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}
