package registry

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

func TestChildThatCrashesOnOneNodeIsTriedOnAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		sick := Owner(citizenID(0), []actor.NodeID{testNode(1), testNode(2)})
		starts := make(map[actor.NodeID]int)
		var mu sync.Mutex
		child := Child{Spec: supervisor.ChildSpec{ID: citizenID(0), Start: func(parent *actor.Self, args ...any) (actor.PID, error) {
			mu.Lock()
			defer mu.Unlock()
			starts[parent.System().Node()]++
			if parent.System().Node() == sick {
				return actor.PID{}, errors.New("no disk")
			}
			return parent.SpawnLink(&till{census: c, tenure: args[0].(Tenure)})
		}}}
		for i := range 2 {
			join(t, h, i+1).place(t, PlacementConfig{}, child)
		}
		time.Sleep(3 * time.Second)
		if where := c.where(citizenID(0)); len(where) != 1 || where[0] == sick {
			t.Errorf("it runs on %v, and cannot on %v", where, sick)
		}
	})
}

func TestChildThatCrashesEverywhereIsTriedEverLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		var mu sync.Mutex
		var attempts []time.Time
		child := Child{Spec: supervisor.ChildSpec{ID: "sick", Start: func(*actor.Self, ...any) (actor.PID, error) {
			mu.Lock()
			defer mu.Unlock()
			attempts = append(attempts, time.Now())
			return actor.PID{}, errors.New("no")
		}}}
		for i := range 3 {
			join(t, h, i+1).place(t, PlacementConfig{}, child)
		}
		count := func(d time.Duration) int {
			mu.Lock()
			attempts = nil
			mu.Unlock()
			time.Sleep(d)
			mu.Lock()
			defer mu.Unlock()
			return len(attempts)
		}
		first := count(time.Minute)
		time.Sleep(5 * time.Minute)
		later := count(10 * time.Minute)
		if first < 4 || first > 40 || later < 5 || later > 40 {
			t.Errorf("%d attempts in the first minute and %d in ten minutes later", first, later)
		}
	})
}

func TestPlacementThatIsKilledStopsItsChildrenAndBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		a, b := join(t, h, 1), join(t, h, 2)
		for _, p := range []*place{a, b} {
			p.place(t, PlacementConfig{}, c.tills(citizens, nil)...)
		}
		time.Sleep(settled)
		pid, _ := a.sys.Whereis(placementName)
		_ = a.sys.Kill(pid)
		synctest.Wait()
		if err := Declare(t.Context(), a.sys, c.tills(citizens, nil)...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * settled)
		c.wantOne(t, a, b)
		c.mu.Lock()
		defer c.mu.Unlock()
		for id, n := range c.most {
			if n > 1 {
				t.Errorf("%s ran %d times at once", id, n)
			}
		}
	})
}

func TestChildThatHasEndedForGoodIsNotStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		var mu sync.Mutex
		starts := 0
		once := Child{Spec: supervisor.ChildSpec{ID: "once", Restart: supervisor.Transient, Start: supervisor.Service(func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			starts++
			return nil
		})}}
		never := Child{Spec: supervisor.ChildSpec{ID: "never", Start: func(*actor.Self, ...any) (actor.PID, error) {
			mu.Lock()
			defer mu.Unlock()
			starts++
			return actor.PID{}, actor.ErrIgnore
		}}}
		for i := range 2 {
			join(t, h, i+1).place(t, PlacementConfig{}, once, never)
		}
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if starts != 2 {
			t.Errorf("%d starts of two children that are done", starts)
		}
	})
}

// slow is a till that takes its time to end.
type slow struct{ till }

func (s *slow) Terminate(self *actor.Self, reason error) {
	<-time.After(3 * time.Second)
	s.till.Terminate(self, reason)
}

func TestNewPlacementStartsNothingBesideWhatItsPredecessorIsStillStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		a := join(t, h, 1)
		children := c.tills(citizens, func(child *Child) {
			child.Spec.Start = actor.StartWith(func(args ...any) actor.Actor {
				return &slow{till{census: c, tenure: args[0].(Tenure)}}
			})
		})
		a.place(t, PlacementConfig{}, children...)
		time.Sleep(settled)
		pid, _ := a.sys.Whereis(placementName)
		_ = a.sys.Kill(pid)
		synctest.Wait()
		if err := Declare(t.Context(), a.sys, children...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		c.wantOne(t, a)
		c.mu.Lock()
		defer c.mu.Unlock()
		for id, n := range c.most {
			if n > 1 {
				t.Errorf("%s ran %d times at once", id, n)
			}
		}
	})
}

func TestStateSurvivesANodeOnWhichTheChildDoesNotStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c, d := newHub(t), newCensus(), new(diary)
		a := join(t, h, 1)
		a.place(t, PlacementConfig{Observe: d.observe(a.id)}, c.tills(citizens, nil)...)
		time.Sleep(settled)
		for i := range citizens {
			a.send(t, citizenID(i), "paid")
		}
		b := join(t, h, 2)
		b.place(t, PlacementConfig{Observe: d.observe(b.id)}, c.tills(citizens, func(child *Child) {
			child.Spec.Start = func(*actor.Self, ...any) (actor.PID, error) { return actor.PID{}, errors.New("no disk") }
		})...)
		time.Sleep(4 * time.Second)
		if d.count("n2", "failed") == 0 {
			t.Fatalf("nothing was tried on the sick node:\n%v", d)
		}
		// Leave the sick node out, so that all of them come to rest.
		if err := Drain(t.Context(), b.sys); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * settled)
		for i := range citizens {
			if got := a.sum(t, h, citizenID(i), a); got != "paid" {
				t.Errorf("%s has %q", citizenID(i), got)
			}
		}
	})
}
