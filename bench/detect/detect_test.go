package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/internal/crowd"
)

// This binary is also the program that the director starts.
func TestMain(m *testing.M) {
	if _, ok, _ := crowd.Member(os.Args); ok {
		if err := run(context.Background(), os.Args, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// last runs the program and returns its last line.
func last(t *testing.T, args ...string) (r result) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, append([]string{"test"}, args...), nil, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log(out.String())
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	decoder := json.NewDecoder(bytes.NewReader(lines[len(lines)-1]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLossesAreSeenByAllOthers(t *testing.T) {
	r := last(t, "-trials", "1", "-nodes", "3")
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
		if err := d.take(h); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.times) != 1 || d.times[0] != time.Second || d.wrong != 4 || d.woken != 0 {
		t.Errorf("times %v, %d false positives, %d by the woken", d.times, d.wrong, d.woken)
	}
}

func TestWhatTheWokenSayIsCountedApart(t *testing.T) {
	d := newTestDirector(t, new(bytes.Buffer))
	d.stopped = 0
	if err := d.take(crowd.Heard[event]{Index: 0, Event: event{Kind: "down", Node: d.names[1]}}); err != nil {
		t.Fatal(err)
	}
	if d.wrong != 0 || d.woken != 1 {
		t.Errorf("%d false positives, %d by the woken", d.wrong, d.woken)
	}
}

func TestMemberThatEndsByItselfIsAnError(t *testing.T) {
	d := newTestDirector(t, new(bytes.Buffer))
	if err := d.take(crowd.Heard[event]{Index: 1, Gone: true}); err == nil {
		t.Error("nobody killed it")
	}
}
