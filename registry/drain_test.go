package registry

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// drainTakes drains p and returns how long that took.
func drainTakes(t *testing.T, p *place) time.Duration {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := Drain(ctx, p.sys); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

func TestNodeWithNothingToGiveAwayIsDrainedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		h.Latency(5*time.Millisecond, 0, 0)
		bare, a, b := join(t, h, 1), join(t, h, 2), join(t, h, 3)
		bare.place(t, PlacementConfig{})
		if took := drainTakes(t, bare); took > 0 { // nobody has met yet
			t.Errorf("a node without declared children is drained after %v", took)
		}
		a.place(t, PlacementConfig{}, c.tills(citizens, nil)...)
		b.place(t, PlacementConfig{Attributes: func() Attributes { return Attributes{Weight: -1} }}, c.tills(citizens, nil)...)
		time.Sleep(settled)
		c.wantOne(t, a)
		if took := drainTakes(t, b); took > 0 {
			t.Errorf("a node whose children all run elsewhere is drained after %v", took)
		}
		if took := drainTakes(t, a); took == 0 {
			t.Error("a node with children is drained at once")
		}
	})
}

// A state is for whoever takes over, and may be on its way to a node that has
// nothing yet: whenever that drains and is gone, nothing is lost.
func TestStateOnItsWayToADrainedNodeIsNotLost(t *testing.T) {
	const step, latency = 40 * time.Millisecond, 50 * time.Millisecond
	for i := range 30 {
		synctest.Test(t, func(t *testing.T) {
			h, c := newHub(t), newCensus()
			h.Latency(latency, 0, 0)
			a := join(t, h, 1)
			a.place(t, PlacementConfig{}, c.tills(citizens, nil)...)
			time.Sleep(settled)
			for i := range citizens {
				a.send(t, citizenID(i), "paid")
			}
			b := join(t, h, 2)
			b.place(t, PlacementConfig{}, c.tills(citizens, nil)...)
			wait := time.Duration(i) * step
			time.Sleep(wait)
			took := drainTakes(t, b)
			time.Sleep(latency + time.Millisecond) // it leaves in order: what it has sent arrives
			h.Kill(b.id)
			if err := b.sys.Close(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(2 * settled)
			c.wantOne(t, a)
			for i := range citizens {
				if got := a.sum(t, h, citizenID(i), a); got != "paid" {
					t.Errorf("drained after %v, in %v: %s has %q", wait, took, citizenID(i), got)
				}
			}
		})
	}
}

func TestNodeWhoseAttributesCannotBeKnownIsDrainedAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		a, b := join(t, h, 1), join(t, h, 2)
		broken := false
		a.place(t, PlacementConfig{Attributes: func() Attributes {
			if broken { // set while the node has settled, before Drain asks
				panic(errors.New("no attributes"))
			}
			return Attributes{Weight: 2}
		}}, c.tills(citizens, nil)...)
		b.place(t, PlacementConfig{}, c.tills(citizens, nil)...)
		time.Sleep(settled)
		synctest.Wait()
		broken = true
		drainTakes(t, a)
		c.wantOne(t, b)
	})
}
