package replica_test

import (
	"flag"
	"testing"
)

// schedules is how many seeds are run; 10,000 take about two minutes.
var schedules = flag.Int("schedules", 100, "how many random schedules of faults to run")

// TestReplicasConvergeAndLoseNothingOnAnySchedule runs seven replicas of carts
// and of counters through partitions, loss, doubling, reordering and restarts
// with and without disks. After healing all must be equal, what was
// acknowledged with n copies must be there unless n replicas are lost, and the
// counters must have counted everything once.
func TestReplicasConvergeAndLoseNothingOnAnySchedule(t *testing.T) {
	claims, losses, restarts := 0, 0, uint64(0)
	for seed := range uint64(*schedules) {
		if seed%2 == 0 {
			w := mustRun(t, carts(), seed, false)
			claims, losses = claims+len(w.claims), losses+w.losses
			continue
		}
		w := mustRun(t, ledgers(), seed, false)
		claims, losses = claims+len(w.claims), losses+w.losses
		for _, s := range w.sites {
			restarts += s.starts - 1
		}
	}
	if claims == 0 || losses == 0 || restarts == 0 {
		t.Errorf("%d acknowledged writes, %d losses and %d restarts prove nothing", claims, losses, restarts)
	}
	t.Logf("%d schedules: %d acknowledged writes, %d replicas lost with all they had", *schedules, claims, losses)
}
