package order

import (
	"slices"
	"testing"
)

// What is never going to come must not hold up what has come.
func TestFlushDeliversWhatWaitsInItsOrder(t *testing.T) {
	var g Gate[string, int]
	a, b := Turn[string]{"x", 0, 1}, Turn[string]{"x", 1, 1}
	g.Condition(b, []Need[string]{{"x", Mark{1, 9}}})
	g.Condition(a, []Need[string]{{"y", Mark{2, 1}}})
	for i := range 3 {
		if !g.Hold(a, 10+i, 1, 5) || !g.Hold(b, 20+i, 1, 5) {
			t.Fatal("not held")
		}
	}
	if g.Waiting() != 2 || g.Bytes() != 30+2*(conditionSize+needSize) {
		t.Errorf("%d turns, %d bytes", g.Waiting(), g.Bytes())
	}
	var got []int
	g.Flush(func(_ Turn[string], i int) { got = append(got, i) })
	if !slices.Equal(got, []int{20, 21, 22, 10, 11, 12}) || g.Waiting() != 0 || g.Bytes() != 0 {
		t.Errorf("%v, %d turns, %d bytes", got, g.Waiting(), g.Bytes())
	}
	if g.Hold(a, 1, 1, 1) {
		t.Error("held for nothing")
	}
}

// One turn may wait for several things, one after the other.
func TestConditionsOfOneTurnAreMetInTheirOrder(t *testing.T) {
	var g Gate[string, int]
	here := Turn[string]{"x", 0, 1}
	count := 0
	reached := func(n Need[string]) bool { return uint64(count) >= n.Count }
	var got []int
	deliver := func(_ Turn[string], i int) { got = append(got, i) }
	g.Condition(here, []Need[string]{{"x", Mark{2, 2}}})
	g.Hold(here, 1, 1, 0)
	g.Condition(here, []Need[string]{{"x", Mark{2, 1}}, {"x", Mark{2, 3}}})
	g.Hold(here, 2, 2, 0)
	for _, want := range []int{0, 0, 1, 2} {
		if g.Release(reached, deliver, Turn[string]{"x", 1, 2}); len(got) != want {
			t.Errorf("after %d: %v", count, got)
		}
		count++
	}
}

// However much waits, what does not concern it costs nothing.
func TestReleaseLooksOnlyAtWhatWaitsForTheSequence(t *testing.T) {
	var g Gate[string, int]
	looked := 0
	reached := func(n Need[string]) bool { looked++; return false }
	deliver := func(Turn[string], int) { t.Error("delivered") }
	for seq := range uint32(100) {
		g.Condition(Turn[string]{"x", 0, seq}, []Need[string]{{"x", Mark{200, 1}}})
		g.Release(reached, deliver)
	}
	looked = 0
	g.Release(reached, deliver, Turn[string]{"x", 0, 201}, Turn[string]{"y", 0, 200})
	if looked != 0 {
		t.Errorf("%d looks", looked)
	}
	g.Release(reached, deliver, Turn[string]{"x", 1, 200})
	if looked != 100 || g.Waiting() != 100 {
		t.Errorf("%d looks, %d wait", looked, g.Waiting())
	}
}
