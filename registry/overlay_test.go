package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
)

// someLinked links two of three pairs of nodes.
func someLinked(a, b actor.NodeID) bool {
	return (len(a.Name)+len(b.Name)+int(a.Name[1])+int(b.Name[1]))%3 > 0
}

// noneLinked links nobody: who wants to say something has to connect.
func noneLinked(_, _ actor.NodeID) bool { return false }

func TestNamesAreKnownWhereNodesAreNotAllLinked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		h.Link(someLinked)
		h.Latency(time.Millisecond, 5*time.Millisecond, 0)
		var all []*place
		for i := range 6 {
			all = append(all, join(t, h, i))
		}
		time.Sleep(5 * time.Second)
		pid := all[0].holder(t, "x")
		time.Sleep(10 * time.Millisecond)
		all = append(all, join(t, h, 6))
		known := func(want actor.PID) {
			t.Helper()
			for _, p := range all {
				if got, _ := p.names.Whereis("x"); got != want {
					t.Errorf("on %s: %v, want %v", p.id.Name, got, want)
				}
			}
		}
		time.Sleep(time.Second)
		known(pid)
		all[0].sys.Kill(pid)
		time.Sleep(30 * time.Millisecond)
		known(actor.PID{})
	})
}

func TestConflictIsSettledWhereNodesAreNotAllLinked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		h.Link(someLinked)
		var all []*place
		for i := range 4 {
			all = append(all, join(t, h, i))
		}
		time.Sleep(5 * time.Second)
		isolate(h, all[0].id)
		older := all[1].holder(t, "x")
		time.Sleep(time.Second)
		ends := make(chan error, 1)
		defer all[0].sys.Observe(func(e actor.Event) {
			if exit, ok := e.(actor.ProcessExited); ok {
				ends <- exit.Reason
			}
		})()
		all[0].holder(t, "x")
		h.Split(nil)
		if reason := <-ends; !errors.Is(reason, ErrConflict) {
			t.Errorf("the younger holder ended with %v", reason)
		}
		time.Sleep(time.Second)
		for _, p := range all {
			if got, _ := p.names.Whereis("x"); got != older {
				t.Errorf("on %s the holder is %v, want %v", p.id.Name, got, older)
			}
		}
	})
}

// That an instance has ended is said to all, and may be heard before its state has
// come, for which two nodes have to connect.
func TestStateIsThereBeforeItsChildStartsWhoeverIsLinked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c, d := newHub(t), newCensus(), new(diary)
		h.Link(noneLinked)
		h.Far(300 * time.Millisecond)
		a := join(t, h, 1)
		a.place(t, PlacementConfig{Observe: d.observe(a.id)}, c.tills(citizens, nil)...)
		time.Sleep(settled)
		for i := range citizens {
			a.send(t, citizenID(i), fmt.Sprint("paid", i))
		}
		b := join(t, h, 2)
		b.place(t, PlacementConfig{Observe: d.observe(b.id)}, c.tills(citizens, nil)...)
		time.Sleep(4 * settled)
		c.wantOne(t, a, b)
		for i := range citizens {
			if got, want := b.sum(t, h, citizenID(i), a, b), fmt.Sprint("paid", i); got != want {
				t.Errorf("%s has %q, want %q", citizenID(i), got, want)
			}
		}
		given, taken := d.count("n1", "state given"), d.count("n2", "state taken")
		if given == 0 || given != taken || d.count("state merged") > 0 {
			t.Errorf("%d states given, %d taken:\n%v", given, taken, d)
		}
	})
}

func TestStateThatDoesNotComeIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c, d := newHub(t), newCensus(), new(diary)
		a := join(t, h, 1)
		a.place(t, PlacementConfig{Observe: d.observe(a.id)}, c.tills(citizens, nil)...)
		time.Sleep(settled)
		b := join(t, h, 2)
		h.Lose(func(_, _ actor.NodeID, topic string) bool { return topic == handoffTopic })
		b.place(t, PlacementConfig{Observe: d.observe(b.id)}, c.tills(citizens, nil)...)
		time.Sleep(2*settled + time.Duration(citizens)*stateGrace)
		c.wantOne(t, a, b)
		if d.count("n1", "state given") == 0 || d.count("n2", "state taken") > 0 {
			t.Errorf("no state was lost:\n%v", d)
		}
	})
}

func TestKilledNodesChildrenRunElsewhereWithinASecondWhoeverIsLinked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		h.Link(someLinked)
		h.Far(50 * time.Millisecond)
		h.Latency(time.Millisecond, 10*time.Millisecond, 100*time.Millisecond)
		var all []*place
		for i := range 6 {
			all = append(all, join(t, h, i))
			all[i].place(t, PlacementConfig{}, c.tills(citizens, nil)...)
		}
		time.Sleep(3 * settled)
		c.wantOne(t, all...)
		h.Kill(all[5].id)
		time.Sleep(time.Second)
		for i := range citizens {
			living := slices.DeleteFunc(c.where(citizenID(i)), func(n actor.NodeID) bool { return n == all[5].id })
			if len(living) != 1 {
				t.Errorf("%s runs on %v", citizenID(i), living)
			}
		}
	})
}

// A large part comes in pages. Who has the page with a node's view, and not yet that
// with what it runs, must not think that it knows.
func TestNoChildIsStartedTwiceWhileAPartComesInPages(t *testing.T) {
	const children = 120
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		h.Link(func(_, _ actor.NodeID) bool { return true })
		h.Latency(5*time.Millisecond, 0, 0)
		long := c.tills(children, func(child *Child) { child.Spec.ID += strings.Repeat("x", 600) })
		var able atomic.Bool
		a, b := join(t, h, 1), join(t, h, 2)
		a.place(t, PlacementConfig{})
		b.place(t, PlacementConfig{Attributes: func() Attributes {
			if able.Load() {
				return Attributes{Weight: 1}
			}
			return Attributes{Weight: -1}
		}}, long...)
		time.Sleep(settled)
		h.Lose(func(from, _ actor.NodeID, topic string) bool { return from == a.id && topic == seatsTopic })
		if err := Declare(t.Context(), a.sys, long...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(settled)
		able.Store(true)
		time.Sleep(1200 * time.Millisecond) // a knows, and has changed its view
		h.Lose(nil)
		for known := 0; known == 0; time.Sleep(time.Millisecond) {
			for i := range long {
				if _, err := Locate(t.Context(), b.sys, long[i].Spec.ID); err == nil {
					known++
				}
			}
			if known == children {
				t.Fatal("all came in one page")
			}
		}
		h.Lose(func(_, _ actor.NodeID, _ string) bool { return true })
		time.Sleep(900 * time.Millisecond)
		h.Lose(nil)
		time.Sleep(20 * settled)
		c.mu.Lock()
		for id, most := range c.most {
			if most > 1 {
				t.Errorf("%d instances of %.12s ran at once", most, id)
			}
		}
		c.mu.Unlock()
		for i := range long {
			if where := c.where(long[i].Spec.ID); len(where) != 1 {
				t.Errorf("%.12s runs on %v", long[i].Spec.ID, where)
			}
		}
	})
}
