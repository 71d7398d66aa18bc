package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/crowd"
	"github.com/topos-go/topos/internal/crowd/crowdtest"
)

func TestMain(m *testing.M) { crowdtest.Main(m, run) }

func TestLossesAreSeenByAllOthers(t *testing.T) {
	r := crowdtest.LastLine[result](t, run, "-trials", "1", "-nodes", "3")
	if r.FalsePositives != 0 || r.KillP50 <= 0 || r.KillP99 < r.KillP50 || r.StopP99 < r.StopP50 {
		t.Errorf("%+v", r)
	}
	// Nothing but missing heartbeats tells that a process is stopped.
	if r.StopP50 < 500 {
		t.Errorf("a stopped process was down after %v ms already", r.StopP50)
	}
}

func newTestDirector(t *testing.T, out *bytes.Buffer) *director {
	t.Helper()
	d, err := newDirector(3, 1, out)
	if err != nil {
		t.Fatal(err)
	}
	d.victim, d.began, d.seen = 0, time.Now(), make(map[int]bool)
	return d
}

func TestOnlyTheVictimMayBeDownAndOnlyOnce(t *testing.T) {
	d := newTestDirector(t, new(bytes.Buffer))
	for _, h := range []crowd.Heard[event]{
		{Index: 1, Event: event{Kind: "down", Node: d.names[0], At: d.began.Add(time.Second).UnixNano()}}, // right
		{Index: 1, Event: event{Kind: "down", Node: d.names[2]}},                                          // wrong node
		{Index: 1, Event: event{Kind: "down", Node: d.names[0]}},                                          // again
		{Index: 2, Event: event{Kind: "left", Node: d.names[0]}},                                          // it did not leave
		{Index: 0, Event: event{Kind: "down", Node: d.names[1]}},                                          // its next life
	} {
		d.take(h)
	}
	if len(d.times) != 1 || d.times[0] != time.Second || d.wrong != 4 || d.woken != 0 {
		t.Errorf("times %v, %d false positives, %d by the woken", d.times, d.wrong, d.woken)
	}
}

func TestNextLifeOfTheVictimHasSeenNobodyYet(t *testing.T) {
	d := newTestDirector(t, new(bytes.Buffer))
	d.take(crowd.Heard[event]{Index: 0, Event: event{Kind: "up", Node: d.names[1]}})
	if !d.up[0][d.names[1]] {
		t.Fatal("it has seen nobody before either")
	}
	d.take(crowd.Heard[event]{Index: 0, Gone: true})
	if len(d.up[0]) != 0 || d.wrong != 0 {
		t.Errorf("it still sees %v, %d false positives", d.up[0], d.wrong)
	}
}

func TestWhatTheWokenSayIsCountedApart(t *testing.T) {
	d := newTestDirector(t, new(bytes.Buffer))
	d.stopped = 0
	d.take(crowd.Heard[event]{Index: 0, Event: event{Kind: "down", Node: d.names[1]}})
	if d.wrong != 0 || d.woken != 1 {
		t.Errorf("%d false positives, %d by the woken", d.wrong, d.woken)
	}
}
