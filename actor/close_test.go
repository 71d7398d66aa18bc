package actor_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func newSystem(t *testing.T) *actor.System {
	t.Helper()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return sys
}

func TestCloseShutsRootsDownAndLetsThemStopTheirChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newSystem(t)
		var mu sync.Mutex
		var order []string
		reasons := map[string]error{}
		ended := func(name string) func(*actor.Self, error) {
			return func(_ *actor.Self, reason error) {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, name)
				reasons[name] = reason
			}
		}
		spawn(t, sys, &scripted{ // a supervisor in small: traps, stops its child, then ends
			init: func(self *actor.Self) error {
				self.TrapExit(true)
				_, err := self.SpawnLink(&scripted{terminate: ended("child")}, actor.Name("child"))
				return err
			},
			terminate: func(self *actor.Self, reason error) {
				child, _ := sys.Whereis("child")
				self.Unlink(child)
				mu.Lock()
				if reasons["child"] != nil {
					t.Error("the child was told before its parent")
				}
				mu.Unlock()
				_ = self.Exit(child, actor.ErrShutdown)
				time.Sleep(time.Second)
				ended("parent")(self, reason)
			},
		})
		spawn(t, sys, &scripted{ // leaves an orphan behind
			init: func(self *actor.Self) error {
				_, err := self.Spawn(&scripted{terminate: ended("orphan")})
				return err
			},
			terminate: ended("careless"),
		})
		began := time.Now()
		if err := sys.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if d := time.Since(began); d != time.Second {
			t.Errorf("took %v", d)
		}
		at := func(name string) int { return slices.Index(order, name) }
		if len(order) != 4 || at("careless") > at("orphan") || at("child") > at("parent") {
			t.Errorf("order: %v", order)
		}
		for name, reason := range reasons {
			if reason != actor.ErrShutdown {
				t.Errorf("%s: %v", name, reason)
			}
		}
	})
}

func TestCloseIsForEver(t *testing.T) {
	sys := newSystem(t)
	pid := spawn(t, sys, echo(), actor.Name("x"))
	for range 2 {
		if err := sys.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if _, err := sys.Spawn(t.Context(), echo()); err != actor.ErrClosed {
		t.Errorf("Spawn: %v", err)
	}
	if err := sys.Send(pid, 1); err != actor.ErrNoProc {
		t.Errorf("Send: %v", err)
	}
	if _, err := actor.Call[any](t.Context(), sys, actor.Name("x"), 1); !errors.Is(err, actor.ErrNoProc) {
		t.Errorf("Call: %v", err)
	}
	if n := sys.Stats(); n.Processes != 0 || n.Spawned != 1 {
		t.Errorf("%+v", n)
	}
}

func TestCloseKillsWhatIsLeftWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newSystem(t)
		killed := false
		spawn(t, sys, &scripted{terminate: func(self *actor.Self, _ error) {
			<-self.Context().Done()
			killed = context.Cause(self.Context()) == actor.ErrKilled
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := sys.Close(ctx); err != nil || !killed || time.Since(began) != time.Minute {
			t.Errorf("Close: %v after %v, killed %v", err, time.Since(began), killed)
		}
	})
}

// Others spawn with all their might while the system is closed, with and
// without time for them to end.
func TestCloseWhileOthersSpawn(t *testing.T) {
	for round := range 60 {
		sys := newSystem(t)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					_, err := sys.Spawn(context.Background(), &scripted{init: func(self *actor.Self) error {
						_, err := self.SpawnLink(echo())
						return err
					}})
					if errors.Is(err, actor.ErrClosed) {
						return
					}
				}
			})
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(round%3)*5*time.Millisecond)
		if err := sys.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		cancel()
		wg.Wait()
		if n := sys.Stats().Processes; n != 0 {
			t.Errorf("%d processes left", n)
		}
	}
}

// A spawn that was admitted before Close and goes on after its context has ended
// must not be overlooked.
func TestCloseFindsAProcessWhoseInitEndsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := newSystem(t)
		done := make(chan error)
		go func() {
			_, err := sys.Spawn(context.Background(), &scripted{init: func(self *actor.Self) error {
				time.Sleep(500 * time.Millisecond)
				return nil
			}})
			done <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		closed := make(chan error)
		go func() { closed <- sys.Close(ctx) }()
		if err := <-done; err != actor.ErrKilled && err != actor.ErrShutdown {
			t.Errorf("Spawn: %v", err)
		}
		if err := <-closed; err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestConfigReportsEveryMistake(t *testing.T) {
	_, err := actor.NewSystem(actor.Config{
		Node:      actor.NodeID{Name: "a b", Incarnation: actor.Incarnation{Unique: "/"}},
		KillGrace: -1,
	})
	for _, want := range []string{`"a b"`, `"/"`, "KillGrace -1ns"} {
		if err == nil || !contains(err, want) {
			t.Errorf("%v does not mention %s", err, want)
		}
	}
}

func TestSystemsDoNotKnowEachOthersProcesses(t *testing.T) {
	one := actortest.NewSystemConfig(t, actor.Config{Node: actor.NodeID{Name: "one"}})
	two := actortest.NewSystemConfig(t, actor.Config{Node: actor.NodeID{Name: "two"}})
	pid := spawn(t, one, echo())
	if two.Alive(pid) {
		t.Error("alive elsewhere")
	}
	if _, ok := two.Info(pid); ok {
		t.Error("known elsewhere")
	}
	if err := two.Send(pid, 1); err != actor.ErrNoCluster {
		t.Errorf("Send: %v", err)
	}
}
