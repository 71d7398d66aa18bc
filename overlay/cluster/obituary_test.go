package cluster

import (
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/swim"
)

// spoken goes through what was broadcast of node: who has accused it, and how often it
// was said to have failed.
func spoken(w *world, node overlay.Node) (accusers map[overlay.Node]bool, obituaries int) {
	accusers = make(map[overlay.Node]bool)
	for _, v := range w.values {
		switch v := v.(type) {
		case swim.Fact:
			if v.Node == node && v.State == swim.Suspect {
				accusers[v.By] = true
			}
		case directory.Broadcast:
			for _, f := range v.Facts {
				if f.Node == node && f.Status == directory.Failed && !v.Hearsay {
					obituaries++
				}
			}
		}
	}
	return accusers, obituaries
}

// silenced is sixty nodes, of which one, at place 7, has just fallen silent.
func silenced(t *testing.T) (w *world, dead overlay.Node) {
	w = newWorld(t, 3)
	w.grow(60)
	dead, w.silent = w.places[7].node, true
	w.end(7)
	return w, dead
}

// All have heard the accusation and find at the same moment that the time is over.
func TestOnlyAccusersTellAllThatASilentNodeHasFailed(t *testing.T) {
	w, dead := silenced(t)
	w.run(20 * time.Second)
	w.agree(but(7))
	if accusers, n := spoken(w, dead); n == 0 || n > len(accusers)/2 {
		t.Errorf("%d obituaries of %d accusers", n, len(accusers))
	}
}

func TestOnlookersSpeakUpWhenNoAccuserIsLeft(t *testing.T) {
	w, dead := silenced(t)
	for before, end := len(w.values), w.now.Add(20*time.Second); len(w.values) == before && w.now.Before(end); {
		w.run(10 * time.Millisecond)
	}
	w.run(100 * time.Millisecond) // all have heard
	accusers, _ := spoken(w, dead)
	live := func(i int) bool { return i != 7 && !accusers[w.places[i].node] }
	for i := range w.places {
		if i != 7 && !live(i) {
			w.end(i)
		}
	}
	w.run(30 * time.Second)
	w.agree(live)
	if _, n := spoken(w, dead); len(accusers) == 0 || n == 0 || n > 5 {
		t.Errorf("%d obituaries, without the %d accusers", n, len(accusers))
	}
}

// As many obituaries as go into one broadcast are no reason for onlookers to speak up.
func TestTheSilenceOfManyIsNotBroadcastByAll(t *testing.T) {
	const nodes, dead = 160, maxHushed + 6
	w := newWorld(t, 5)
	w.grow(nodes)
	w.silent = true
	before := len(w.values)
	for i := range dead {
		w.end(2*i + 1)
	}
	w.run(40 * time.Second)
	w.agree(func(i int) bool { return i%2 == 0 || i > 2*dead })
	by := 0
	for _, v := range w.values[before:] {
		if v, ok := v.(directory.Broadcast); ok && !v.Hearsay {
			by++
		}
	}
	if by == 0 || by > 3*dead {
		t.Errorf("%d broadcasts of obituaries of %d nodes", by, dead)
	}
}
