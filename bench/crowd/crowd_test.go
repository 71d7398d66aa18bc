package crowd

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// This binary is also the member that the tests start.
func TestMain(m *testing.M) {
	setup, ok, err := Member(os.Args)
	if !ok {
		goleak.VerifyTestMain(m)
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	commands, tell := Serve[string, string](os.Stdin, os.Stdout)
	tell("born " + string(setup.Extra) + " joins " + strings.Join(setup.Join, ","))
	for c := range commands {
		tell("heard " + c)
	}
}

func hear(t *testing.T, c *Crowd[string], limit time.Duration) Heard[string] {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	h, err := c.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func newCrowd(t *testing.T, n int) *Crowd[string] {
	t.Helper()
	c, err := New[string](n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.End)
	return c
}

const limit = time.Minute

func TestKilledMemberIsGoneAfterItsEventsAndStartsAgain(t *testing.T) {
	c := newCrowd(t, 2)
	if err := c.Start(1, 7); err != nil {
		t.Fatal(err)
	}
	born := Heard[string]{Index: 1, Event: "born 7 joins " + c.Addr(0)}
	if h := hear(t, c, limit); h != born {
		t.Fatalf("%+v", h)
	}
	c.Tell(1, "this")
	if h := hear(t, c, limit); h.Event != "heard this" {
		t.Fatalf("%+v", h)
	}
	if err := c.Kill(1); err != nil {
		t.Fatal(err)
	}
	if h := hear(t, c, limit); !h.Gone || h.Index != 1 {
		t.Fatalf("%+v", h)
	}
	c.Tell(1, "nobody hears this")
	if err := c.Start(1, 7); err != nil {
		t.Fatal(err)
	}
	if h := hear(t, c, limit); h != born {
		t.Fatalf("%+v", h)
	}
}

func TestPercentileIsTheNearestRank(t *testing.T) {
	var times Times
	for i := range 100 {
		times = append(times, time.Duration(100-i)*time.Millisecond)
	}
	for p, want := range map[float64]float64{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := times.Percentile(p); got != want {
			t.Errorf("percentile %v is %v, not %v", p, got, want)
		}
	}
	if got := (Times{}).Percentile(0.5); got != 0 {
		t.Errorf("percentile of nothing is %v", got)
	}
}
