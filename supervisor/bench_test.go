package supervisor_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// phoenix is a child that tells when it has been started, and ends when it is
// sent an error.
type phoenix struct{ started chan<- actor.PID }

func (p *phoenix) Init(self *actor.Self) error { p.started <- self.PID(); return nil }

func (p *phoenix) Receive(_ *actor.Self, msg any) error { return msg.(error) }

// BenchmarkCrashToRestarted measures from the send of the message that makes a
// child crash to the Init of its replacement. It reports the median and the
// 99th percentile.
func BenchmarkCrashToRestarted(b *testing.B) {
	for _, strategy := range []supervisor.Strategy{supervisor.OneForOne, supervisor.OneForAll} {
		b.Run(strategy.String(), func(b *testing.B) {
			sys, err := actor.NewSystem(actor.Config{})
			if err != nil {
				b.Fatal(err)
			}
			defer sys.Close(context.Background())
			started := make(chan actor.PID, 1)
			_, err = supervisor.Spawn(b.Context(), sys, supervisor.Spec{
				Strategy:  strategy,
				Intensity: supervisor.AtMost(1 << 30),
				Period:    time.Nanosecond,
				Children: []supervisor.ChildSpec{
					permanent("sibling"),
					{ID: "phoenix", Start: actor.Start(func() actor.Actor { return &phoenix{started} })},
				},
			})
			if err != nil {
				b.Fatal(err)
			}
			pid := <-started
			took := make([]time.Duration, 0, b.N)
			b.ReportAllocs()
			for b.Loop() {
				began := time.Now()
				_ = sys.Send(pid, errAbnormal)
				pid = <-started
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2]), "ns-p50")
			b.ReportMetric(float64(took[len(took)*99/100]), "ns-p99")
		})
	}
}

// BenchmarkStartInstance measures the start and stop of one instance.
func BenchmarkStartInstance(b *testing.B) {
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer sys.Close(context.Background())
	sup, err := supervisor.Spawn(b.Context(), sys, simple(temporary("child")))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		pid, err := supervisor.StartInstance(context.Background(), sys, sup)
		if err == nil {
			err = supervisor.TerminateInstance(context.Background(), sys, sup, pid)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
