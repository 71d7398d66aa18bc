package sim

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// However many workers there are, and whether they take steps ahead of time or not: what
// happens is the same, and it is written down in the same order.
func TestWorkersDoNotChangeTheCourseOfEvents(t *testing.T) {
	churned := together(5)
	churned.Faults = Faults{Churn: 2, Loss: 0.01, Breaks: 1, Partition: 0.3}
	churned.FaultTime, churned.Seeds = partitionPeriod, 2
	for name, cfg := range map[string]Config{"views and trees": busy(7), "directory": together(6), "directory, with faults": churned} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			course := func(workers, fewest int) (string, int) {
				var text bytes.Buffer
				cfg := cfg
				cfg.Workers, cfg.fewest, cfg.Transcript = workers, fewest, &text
				before := 0
				cfg.sabotage = func(w *world) { before = w.ahead.foreseen }
				play(t, cfg)
				return text.String(), before
			}
			want, foreseen := course(1, 0)
			if foreseen > 0 {
				t.Errorf("one worker has foreseen %d steps", foreseen)
			}
			for _, workers := range []int{2, 3, 7} {
				got, foreseen := course(workers, 1)
				if got != want {
					t.Errorf("%d workers: another course of events", workers)
				}
				if foreseen < 1000 {
					t.Errorf("%d workers have foreseen %d steps", workers, foreseen)
				}
			}
		})
	}
}

// Where a message may come within a slot of the queue, nothing is foreseen.
func TestNothingIsForeseenWhereMessagesAreFast(t *testing.T) {
	cfg := together(8)
	cfg.Workers, cfg.fewest = 2, 1
	cfg.Faults.Delay = DefaultDelay / 10
	foreseen := -1
	cfg.sabotage = func(w *world) { foreseen = w.ahead.foreseen }
	if play(t, cfg); foreseen != 0 {
		t.Errorf("%d steps were foreseen", foreseen)
	}
}

// A step that was taken and is not made use of is found.
func TestStepInVainIsViolation(t *testing.T) {
	w := newWorld(t.Context(), together(9).withDefaults())
	defer w.end()
	w.add()
	w.queue.push(event{at: 1, kind: probeFailed, boot: 1}) // to one that has not begun
	w.ahead.steps = []step{{seq: w.queue.seq, taken: true}}
	w.run(time.Second)
	if len(w.found) != 1 || w.found[0].Checker != "order" {
		t.Errorf("found: %v", w.found)
	}
}

func TestWorkersEndWithTheirWorld(t *testing.T) {
	now := goleak.IgnoreCurrent()
	cfg := Config{Nodes: 20, Seed: 1, Cycles: 1, Workers: 5, fewest: 1}
	play(t, cfg)
	goleak.VerifyNone(t, now)
}

// What stands for a broadcast is of the node that has said it, and nothing else stands for
// any.
func TestSpeechIsOfWhoHasSaidIt(t *testing.T) {
	var s speech
	said := make(map[string]any)
	for i := range int32(5) {
		for n := range 3 {
			b := s.encode(i, fmt.Sprint(i, n))
			if len(b) == 4 {
				t.Error("it could be taken for a broadcast that is measured")
			}
			said[string(b)] = fmt.Sprint(i, n)
		}
	}
	for b, want := range said {
		if got, err := s.decode([]byte(b)); got != want || err != nil {
			t.Errorf("%v, %v, not %v", got, err, want)
		}
	}
	if s.count() != 15 || len(said) != 15 {
		t.Errorf("%d said, counted: %d", len(said), s.count())
	}
	for _, b := range []string{"", "1234", "12345678", "123456789"} {
		if got, err := s.decode([]byte(b)); err == nil {
			t.Errorf("%q stands for %v", b, got)
		}
	}
}

func TestWorkersWithoutWorkAreRefused(t *testing.T) {
	for _, n := range []int{-1, stretch/fewest + 1} {
		if err := (Config{Workers: n}).Valid(); err == nil || !strings.Contains(err.Error(), "Workers") {
			t.Errorf("%d workers: %v", n, err)
		}
	}
	if err := (Config{Workers: stretch / fewest}).Valid(); err != nil {
		t.Error(err)
	}
}
