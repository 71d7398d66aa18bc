package works

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/bench/pair"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryWorkBetweenProcessesLosesNothing(t *testing.T) {
	for _, work := range []string{"oneway", "oneway_bytes", "pairs16", "request", "bulk64k", "bulk512k", "ping_other"} {
		t.Run(work, func(t *testing.T) {
			r, err := pair.Alone(Pair(), work, 20*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Figures) == 0 || r.Arrived != r.Sent || r.Misordered+r.Mangled > 0 {
				t.Errorf("result: %+v", r)
			}
		})
	}
}
