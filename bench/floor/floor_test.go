package floor

import (
	"testing"

	"github.com/topos-go/topos/bench/measure"
)

var works = map[string]func(int) (measure.Result, error){
	"Tell": Tell, "FanIn": FanIn, "Busy": Busy, "Call": Call, "Spawn": Spawn, "IdleBytes": IdleBytes,
}

func TestEveryWorkDoesWhatItCounts(t *testing.T) {
	for name, work := range works {
		t.Run(name, func(t *testing.T) {
			r, err := work(10_007)
			if err != nil {
				t.Fatal(err)
			}
			if r.Wall <= 0 && r.Bytes <= 0 {
				t.Errorf("measured nothing: %+v", r)
			}
		})
	}
}

func BenchmarkFloor(b *testing.B) {
	for _, name := range []string{"Tell", "FanIn", "Busy", "Call", "Spawn"} {
		b.Run(name, func(b *testing.B) {
			r, err := works[name](b.N)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(r.CPU, "cpu-ns/op")
		})
	}
}
