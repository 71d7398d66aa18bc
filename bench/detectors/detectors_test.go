package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/bench/detectors/trial"
)

var (
	lossy = setting{loss: .05, least: time.Millisecond, most: 5 * time.Millisecond, nodes: 10, seed: 1}
	short = trial.Plan{Nodes: 10, Trials: 3, Quiet: time.Minute, Pause: 20 * time.Second, Seed: 1}
)

func TestMain(m *testing.M) {
	// This binary is also the peer that the tests start.
	switch os.Getenv("TOPOS_ACT") {
	case "":
		os.Exit(m.Run())
	case "print":
		fmt.Printf(`{"missed":%d,"bytes":1.5}`, len(os.Args)-1)
	case "fail":
		fmt.Fprintln(os.Stderr, "cannot start")
		os.Exit(3)
	}
}

func TestAllHearOfASilentNodeAndOfNoOther(t *testing.T) {
	for _, side := range ours() {
		r, err := side.measure(t.Context(), lossy, short)
		if err != nil {
			t.Fatalf("%s: %v", side.name, err)
		}
		// A suspicion lasts two seconds at least: that the times are those of the
		// detector, and that nothing but it finds out.
		if r.Missed > 0 || r.Wrong+r.WrongLater > 0 || r.Suspected.P50 <= 0 || r.First.P50 < r.Suspected.P50+2-1e-6 || r.All.P50 <= r.First.P50 {
			t.Errorf("%s: %+v", side.name, r)
		}
		if r.Messages < 4 || r.Bytes < 10 {
			t.Errorf("%s: %v messages, %v bytes", side.name, r.Messages, r.Bytes)
		}
	}
}

func TestALostNetworkIsSeenInTheTable(t *testing.T) {
	s := lossy
	s.loss = .9
	for _, side := range ours() {
		r, err := side.measure(t.Context(), s, short)
		if err == nil && r.Accused == 0 {
			t.Errorf("%s: nobody was suspected where hardly anything arrives: %+v", side.name, r)
		}
	}
}

func TestTheSameSeedGivesTheSameFigures(t *testing.T) {
	for _, side := range ours() {
		first, err := side.measure(t.Context(), lossy, short)
		if err != nil {
			t.Fatal(err)
		}
		again, err := side.measure(t.Context(), lossy, short)
		if err != nil || again != first {
			t.Errorf("%s: %+v, then %+v, %v", side.name, first, again, err)
		}
	}
}

func TestWhatThePeerPrintsIsItsResult(t *testing.T) {
	t.Setenv("TOPOS_ACT", "print")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range [][]string{nil, {"-interval", "1s"}} {
		r, err := peer(self, more...)(t.Context(), lossy, short)
		if args := 16 + len(more); err != nil || r.Bytes != 1.5 || r.Missed != args {
			t.Errorf("got %+v, %v, want %d arguments", r, err, args)
		}
	}
}

func TestAPeerThatFailsSaysWhy(t *testing.T) {
	t.Setenv("TOPOS_ACT", "fail")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := peer(self)(t.Context(), lossy, short); err == nil || !strings.Contains(err.Error(), "cannot start") {
		t.Errorf("got %v", err)
	}
}
