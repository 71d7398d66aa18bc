package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/bench/floor"
	"github.com/topos-go/topos/bench/pair"
)

// This binary is also the program that the tests start, as one of these.
const (
	actAsFloor   = "act-as-floor"  // bare Go, as it should be
	actDying     = "act-dying"     // a server that dies once it was ready
	actStillborn = "act-stillborn" // a server that does not get ready
	actHanging   = "act-hanging"   // a client that never ends
	actDeaf      = "act-deaf"      // a server that ignores the end of its input
	actGarbled   = "act-garbled"   // a client that prints something else
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "act-") {
		act(os.Args[1], os.Args[2:])
		return
	}
	goleak.VerifyTestMain(m)
}

func act(as string, args []string) {
	server := strings.Contains(strings.Join(args, " "), "-pair server")
	switch {
	case as == actStillborn && server:
		fmt.Fprintln(os.Stderr, "cannot be born")
		os.Exit(3)
	case (as == actHanging || as == actDying) && !server:
		<-time.After(time.Hour)
	case as == actGarbled && !server:
		fmt.Println("not JSON")
		return
	case as == actDying:
		fmt.Println(`{"server":"x","control":"y"}`)
		fmt.Fprintln(os.Stderr, "dying")
		os.Exit(4)
	case as == actDeaf && server:
		fmt.Println(`{"server":"x","control":"y"}`)
		_, _ = io.Copy(io.Discard, os.Stdin)
		<-time.After(time.Hour)
	case as == actDeaf:
		fmt.Println(`{"work":"request","figures":{"request_p50":1}}`)
		return
	}
	flags := flag.NewFlagSet(as, flag.ExitOnError)
	node := pair.Flags(flags)
	_ = flags.Parse(args) // exits
	if err := pair.Main(node, floor.Pair(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func acting(as string) side { return side{name: as, command: []string{os.Args[0], as}} }

var someWork = role{work: "request", length: 20 * time.Millisecond}

func TestAPairOfProcessesDoesAWork(t *testing.T) {
	r, err := acting(actAsFloor).pair(someWork, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if r.Work != "request" || r.Figures["request_p50"] <= 0 {
		t.Errorf("result: %+v", r)
	}
}

func TestADeadServerIsReportedAndTheClientEnded(t *testing.T) {
	began := time.Now()
	_, err := acting(actDying).pair(someWork, time.Minute)
	if !errors.Is(err, errEnded) || !strings.Contains(err.Error(), "exit status 4: dying") {
		t.Errorf("error: %v", err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("that took %v", took)
	}
}

func TestAServerThatDoesNotGetReadyIsReported(t *testing.T) {
	_, err := acting(actStillborn).pair(someWork, time.Minute)
	if !errors.Is(err, errNotReady) || !strings.Contains(err.Error(), "exit status 3: cannot be born") {
		t.Errorf("error: %v", err)
	}
}

func TestASideThatHangsIsReportedAndKilled(t *testing.T) {
	if _, err := acting(actHanging).pair(someWork, 300*time.Millisecond); !errors.Is(err, errLate) {
		t.Errorf("error: %v", err)
	}
}

func TestAClientThatSaysSomethingElseIsReported(t *testing.T) {
	if _, err := acting(actGarbled).pair(someWork, time.Minute); err == nil || !strings.Contains(err.Error(), "not JSON") {
		t.Errorf("error: %v", err)
	}
}

func TestAServerThatDoesNotEndIsKilledAfterTheGrace(t *testing.T) {
	began := time.Now()
	r, err := acting(actDeaf).pair(someWork, time.Minute)
	if err != nil || r.Figures["request_p50"] != 1 {
		t.Errorf("result: %+v, %v", r, err)
	}
	if took := time.Since(began); took < grace || took > grace+20*time.Second {
		t.Errorf("that took %v, want the grace of %v", took, grace)
	}
}

func TestAFailingSideHasNoFigureAndDoesNotHoldUpTheOthers(t *testing.T) {
	topos, good, bad := acting(actAsFloor), acting(actAsFloor), acting(actStillborn)
	topos.name, good.name = "topos", "floor"
	b := &between{sides: []side{topos, good, bad}, rounds: 2, length: 20 * time.Millisecond}
	b.run([]string{"request"})
	if n := len(b.runs["topos"]["request"]); n != 2 {
		t.Errorf("%d results, want one a round", n)
	}
	if len(b.runs[bad.name]["request"]) != 0 || len(b.notes) != 1 || !strings.Contains(b.notes[0], bad.name+" has no figure") {
		t.Errorf("notes: %q", b.notes)
	}
	if b.failed != nil {
		t.Errorf("failed: %v, although only a peer did", b.failed)
	}
}

func TestAFailureOfToposIsAFailureOfTheRun(t *testing.T) {
	topos := acting(actStillborn)
	topos.name = "topos"
	b := &between{sides: []side{topos}, rounds: 1, length: time.Millisecond}
	b.run([]string{"request"})
	if !errors.Is(b.failed, errNotReady) {
		t.Errorf("failed: %v", b.failed)
	}
}
