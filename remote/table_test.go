package remote

import (
	"fmt"
	"testing"

	"github.com/topos-go/topos/actor"
)

// pids returns processes of two nodes that have never met.
func pids(t *testing.T, n int) []actor.PID {
	t.Helper()
	var all []actor.PID
	for i := range n {
		pid, err := actor.ParsePID(fmt.Sprintf("<a@a:1/1-u/%d.1>", i+1))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, pid)
	}
	return all
}

// The shard is part of the protocol only in so far as a sender keeps to it, but
// it must not change while a message is under way.
func TestShardsAreSpreadEvenly(t *testing.T) {
	var counts [shards]int
	all := pids(t, 200)
	for _, from := range all {
		for _, to := range all {
			counts[shardOf(&actor.Signal{From: from, To: to})]++
		}
	}
	expected := float64(len(all)*len(all)) / shards
	chi := 0.0
	for _, n := range counts {
		chi += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	if chi > 400 { // 255 degrees of freedom: beyond it once in 10 million
		t.Errorf("chi square %.0f", chi)
	}
}

func TestKeysAndNamesHaveShardsOfTheirOwn(t *testing.T) {
	p := pids(t, 2)
	seen := make(map[uint32]bool)
	for i := range 1000 {
		seen[shardOf(&actor.Signal{From: p[0], To: p[1], Via: actor.Delivery{Key: fmt.Sprint(i)}})] = true
	}
	if len(seen) < 200 {
		t.Errorf("1000 keys are in %d shards", len(seen))
	}
}
