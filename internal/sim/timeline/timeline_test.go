package timeline_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/internal/sim/timeline"
)

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// The model is a list that is sorted stably.
func TestHappeningsComeByTimeAndThenInTheOrderOfPut(t *testing.T) {
	type happening struct{ at, number int }
	rapid.Check(t, func(t *rapid.T) {
		var queue timeline.Timeline[int]
		var model []happening
		now, number := 0, 0
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				at := now + rapid.IntRange(0, 5).Draw(t, "after")
				queue.Put(epoch.Add(time.Duration(at)), number)
				model = append(model, happening{at, number})
				number++
			},
			"take": func(t *rapid.T) {
				until := now + rapid.IntRange(0, 3).Draw(t, "until")
				slices.SortStableFunc(model, func(a, b happening) int { return a.at - b.at })
				at, got, ok := queue.Take(epoch.Add(time.Duration(until)))
				if want := len(model) > 0 && model[0].at <= until; ok != want {
					t.Fatalf("something happens: %v, want %v", ok, want)
				}
				if !ok {
					now = until
					return
				}
				now = int(at.Sub(epoch))
				if (happening{now, got}) != model[0] {
					t.Fatalf("%d at %d, want %v", got, now, model[0])
				}
				model = model[1:]
			},
			"": func(t *rapid.T) {
				if queue.Len() != len(model) {
					t.Fatalf("%d to happen, want %d", queue.Len(), len(model))
				}
			},
		})
	})
}
