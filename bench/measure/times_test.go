package measure_test

import (
	"testing"
	"time"

	"github.com/topos-go/topos/bench/measure"
)

func TestPercentileIsTheNearestRank(t *testing.T) {
	var times measure.Times
	for i := range 100 {
		times = append(times, time.Duration(100-i)*time.Millisecond)
	}
	for p, want := range map[float64]float64{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := times.Percentile(p); got != want {
			t.Errorf("percentile %v is %v, not %v", p, got, want)
		}
	}
	if got := (measure.Times{}).Percentile(0.5); got != 0 {
		t.Errorf("percentile of nothing is %v", got)
	}
}
