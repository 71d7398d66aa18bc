package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/topos-go/topos/bench/peers/memberlist/trial"
)

func TestAllHearOfASilentNodeAndOfNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := trial.Plan{Nodes: 10, Trials: 2, Quiet: time.Minute, Pause: 30 * time.Second, Seed: 1}
		r, err := measure(p, newNetwork(.05, time.Millisecond, 4*time.Millisecond, p.Seed), memberlist.DefaultLANConfig)
		if err != nil {
			t.Fatal(err)
		}
		// A suspicion lasts four intervals at least.
		if r.Missed > 0 || r.Wrong+r.WrongLater > 0 || r.Suspected.P50 <= 0 || r.First.P50 < r.Suspected.P50+4 || r.All.P50 <= r.First.P50 {
			t.Errorf("%+v", r)
		}
		if r.Messages < 2 || r.Bytes < 50 {
			t.Errorf("%v messages, %v bytes", r.Messages, r.Bytes)
		}
	})
}
