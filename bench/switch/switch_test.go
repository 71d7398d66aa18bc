package main

import (
	"bytes"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/crowd/crowdtest"
)

func TestMain(m *testing.M) { crowdtest.Main(m, run) }

func TestNothingIsLostOrReorderedByAllSwitches(t *testing.T) {
	r := crowdtest.LastLine[result](t, run, "-rate", "2000", "-phase", "3s", "-nodes", "3")
	if r.Switches != 4 || r.Lost != 0 || r.Reordered != 0 || r.Rate < 200 || r.PauseP99 <= 0 {
		t.Errorf("%+v", r)
	}
}

func TestSinkTellsLateFromLostFromRepeated(t *testing.T) {
	s := newSink(1, new(atomic.Int64))
	began := time.Now()
	for i, number := range []uint64{0, 1, 4, 3, 3, 5, 0} { // 2 is lost
		s.count(number, began.Add(time.Duration(i*i)*time.Millisecond), i/4)
	}
	got := s.arrived(began.Add(time.Second), 2, false)
	if got.Count != 5 || got.Reordered != 1 || got.Repeated != 2 {
		t.Errorf("%+v", got)
	}
	if want := []time.Duration{5 * time.Millisecond, 11 * time.Millisecond, 0}; !slices.Equal(got.Pauses, want) {
		t.Errorf("pauses %v", got.Pauses)
	}
	// While messages should flow, a pause counts before it has ended.
	if got := s.arrived(began.Add(time.Second), 2, true); got.Pauses[2] != time.Second-36*time.Millisecond {
		t.Errorf("pauses %v", got.Pauses)
	}
}

func TestReportCountsWhatIsMissing(t *testing.T) {
	views := []event{{Arrived: []arrived{{Count: 7, Reordered: 1, Repeated: 1, Pauses: make([]time.Duration, 3)}}}, {}}
	d := &director{out: new(bytes.Buffer)}
	var r result
	d.report(&r, views, 10)
	if r.Lost != 3 || r.Reordered != 2 {
		t.Errorf("%+v", r)
	}
}
