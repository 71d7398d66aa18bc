package mesh_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/mesh"
)

// switched is a check that a test turns on and off.
type switched struct{ broken, hangs, panics atomic.Bool }

// check runs in a bubble.
func (s *switched) check(ctx context.Context) error {
	switch {
	case s.hangs.Load():
		<-ctx.Done()
		time.Sleep(7 * time.Second) // deaf to it
	case s.panics.Load():
		panic("check")
	case s.broken.Load():
		return errBroken
	}
	return nil
}

// checkedEvery is a definition whose instance is checked by check every second.
func checkedEvery(check mesh.Check) mesh.Definition {
	d := orders()
	d.Health = mesh.Health{Check: check, Interval: time.Second, Timeout: 200 * time.Millisecond, Rise: 2, Fall: 3}
	return d
}

func TestSickInstanceIsLeftAloneUntilItIsWell(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		var health switched
		i := w.add(checkedEvery(mesh.FuncCheck(health.check)))
		other := w.add(orders())
		s := w.service("")
		healthy := func() bool { return s.Status().Instances[0].Healthy }
		for about, state := range map[string]*atomic.Bool{"broken": &health.broken, "hanging": &health.hangs, "panicking": &health.panics} {
			if !healthy() {
				t.Fatalf("%s: it is not well to begin with", about)
			}
			state.Store(true)
			time.Sleep(1900 * time.Millisecond)
			if !healthy() {
				t.Errorf("%s: it is sick before it has fallen", about)
			}
			time.Sleep(2 * time.Second)
			if healthy() {
				t.Errorf("%s: it is not sick", about)
			}
			before := i.count()
			for range 20 {
				if err := w.call(s); err != nil {
					t.Error(err)
				}
			}
			if i.count() != before {
				t.Errorf("%s: it was called", about)
			}
			state.Store(false)
			time.Sleep(20 * time.Second)
		}
		if w.saw(mesh.Sickened) != 3 || w.saw(mesh.Recovered) != 3 {
			t.Errorf("sickened %d times, recovered %d times", w.saw(mesh.Sickened), w.saw(mesh.Recovered))
		}
		if other.count() < 60 {
			t.Errorf("the other one had %d calls", other.count())
		}
	})
}

func TestHealthIsAskedByACall(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		i := w.add(checkedEvery(mesh.CallCheck("how are you")))
		s := w.service("")
		healthy := func() bool { return s.Status().Instances[0].Healthy }
		if !healthy() || i.count() != 1 {
			t.Errorf("healthy %v after %d checks", healthy(), i.count())
		}
		i.set(func(i *instance) { i.mute = true })
		time.Sleep(4 * time.Second)
		if healthy() {
			t.Error("it does not answer and is well")
		}
		i.set(func(i *instance) { i.mute = false })
		time.Sleep(4 * time.Second)
		if !healthy() {
			t.Error("it answers and is not well")
		}
	})
}

func TestHealthIsAskedByHTTP(t *testing.T) {
	status := http.StatusOK
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path != "/health" {
			t.Errorf("path %s", r.URL.Path)
		}
		w.WriteHeader(status)
	}))
	check := mesh.HTTPCheck(nil, server.URL+"/health")
	for _, c := range []struct {
		status int
		well   bool
	}{{200, true}, {204, true}, {500, false}, {404, false}} {
		mu.Lock()
		status = c.status
		mu.Unlock()
		if err := check(t.Context(), nil, actor.PID{}); (err == nil) != c.well {
			t.Errorf("status %d: %v", c.status, err)
		}
	}
	server.Close()
	if err := check(t.Context(), nil, actor.PID{}); err == nil {
		t.Error("nobody is there, and it is well")
	}
}

func TestInstanceThatEndsIsOutOfTheMesh(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		i := w.add(checkedEvery(mesh.CallCheck("how are you")))
		_ = w.sys.Kill(i.pid)
		<-i.reg.Done()
		synctest.Wait()
		if n := len(w.service("").Status().Instances); n != 0 {
			t.Errorf("%d instances are left", n)
		}
		// Nothing is left of it, so that the same could be registered.
		if err := i.reg.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := w.Register(t.Context(), orders(), i.pid); !errors.Is(err, actor.ErrNoProc) {
			t.Errorf("a dead process was registered: %v", err)
		}
	})
}

func TestRegistrationCanBeClosedAndMadeAgain(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		s := w.service("")
		i := w.add(orders())
		if _, err := w.Register(t.Context(), orders(), i.pid); !errors.Is(err, mesh.ErrRegistered) {
			t.Errorf("a second time: %v", err)
		}
		for range 3 {
			if err := w.call(s); err != nil {
				t.Error(err)
			}
			if err := i.reg.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if err := w.call(s); !errors.Is(err, mesh.ErrServiceNotFound) {
				t.Errorf("after Close: %v", err)
			}
			var err error
			if i.reg, err = w.Register(t.Context(), orders(), i.pid); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestMistakesOfADefinitionAreToldAllAtOnce(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		pid := w.add(orders()).pid
		_, err := w.Register(t.Context(), mesh.Definition{
			Version: "one", Weight: -1, Balancing: 99, Breaker: mesh.Breaker{ResetTimeout: -1},
			Outlier: mesh.Outlier{Failures: 2, MaxEjected: -1, Slower: 0.5}, Health: mesh.Health{Interval: -1},
		}, pid)
		for _, want := range []string{"Name", "Version", "Weight", "Balancing", "Breaker", "Failures", "MaxEjected", "Slower", "Health"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("no word of %s in %v", want, err)
			}
		}
		_, err = mesh.Start(t.Context(), mesh.Config{Tries: -1, TryTimeout: -1})
		for _, want := range []string{"System", "Groups", "Tries", "TryTimeout"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("no word of %s in %v", want, err)
			}
		}
	})
}

func TestReporterThatCrashesIsReplaced(t *testing.T) {
	bubble(t, mesh.Config{}, func(t *testing.T, w *world) {
		var health switched
		w.add(checkedEvery(mesh.FuncCheck(health.check)))
		s := w.service("")
		for pid := range w.sys.Processes() {
			if info, _ := w.sys.Info(pid); info.Label == "mesh reporter" || info.Label == "mesh keeper" {
				_ = w.sys.Exit(pid, errBroken)
			}
		}
		synctest.Wait()
		if err := w.call(s); err != nil {
			t.Errorf("after their crash: %v", err)
		}
		health.broken.Store(true)
		time.Sleep(5 * time.Second)
		if s.Status().Instances[0].Healthy {
			t.Error("nobody reports that it is sick")
		}
		health.broken.Store(false)
		time.Sleep(5 * time.Second)
		if err := w.call(s); err != nil || len(w.groups.Members("mesh/orders")) != 1 {
			t.Errorf("%v, with %d members", err, len(w.groups.Members("mesh/orders")))
		}
	})
}
