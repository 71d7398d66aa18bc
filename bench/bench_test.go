package bench

import (
	"testing"

	"github.com/topos-go/topos/bench/measure"
	"github.com/topos-go/topos/bench/works"
)

func run(b *testing.B, work func(int) (measure.Result, error)) {
	r, err := work(b.N)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(r.CPU, "cpu-ns/op")
	b.ReportMetric(r.Allocs, "allocs/op")
}

func BenchmarkTell(b *testing.B)  { run(b, works.Tell) }
func BenchmarkFanIn(b *testing.B) { run(b, works.FanIn) }
func BenchmarkBusy(b *testing.B)  { run(b, works.Busy) }
func BenchmarkCall(b *testing.B)  { run(b, works.Call) }
func BenchmarkSpawn(b *testing.B) { run(b, works.Spawn) }

// BenchmarkRestart reports the median time from crash to restart.
func BenchmarkRestart(b *testing.B) {
	r, err := works.Restart(b.N)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(r.Wall, "p50-ns")
}

// BenchmarkIdleProcess reports the live memory of an idle process that has
// handled a burst of 100 messages.
func BenchmarkIdleProcess(b *testing.B) {
	n := max(b.N, 1000)
	r, err := works.IdleBytes(n)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(r.Bytes, "B/process")
}

func TestEveryWorkDoesWhatItCounts(t *testing.T) {
	for name, work := range map[string]func(int) (measure.Result, error){
		"tell": works.Tell, "fanin": works.FanIn, "busy": works.Busy, "call": works.Call,
		"spawn": works.Spawn, "idle_bytes": works.IdleBytes, "restart": works.Restart,
	} {
		t.Run(name, func(t *testing.T) {
			r, err := work(1001)
			if err != nil {
				t.Fatal(err)
			}
			if r.Wall <= 0 && r.Bytes <= 0 {
				t.Errorf("measured nothing: %+v", r)
			}
		})
	}
}
