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

func TestEveryNameIsSeenOnAllNodesAfterItsRegistration(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, []string{"test", "-names", "100", "-nodes", "3"}, nil, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log(out.String())
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	var r result
	decoder := json.NewDecoder(bytes.NewReader(lines[len(lines)-1]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		t.Fatal(err)
	}
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
