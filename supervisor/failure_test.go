package supervisor_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// startingWith returns a child whose Init is given.
func startingWith(id string, init func(*actor.Self) error) supervisor.ChildSpec {
	return supervisor.ChildSpec{ID: id, Start: actor.Start(func() actor.Actor { return &worker{init: init} })}
}

func TestPanicsOfAStartAreItsError(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		for _, child := range []supervisor.ChildSpec{
			startingWith("in Init", func(*actor.Self) error { panic("boom") }),
			{ID: "in Start", Start: func(*actor.Self, ...any) (actor.PID, error) { panic("boom") }},
		} {
			_, err := supervisor.StartChild(f.ctx, f.sys, sup, child)
			var panicked *actor.PanicError
			if !errors.As(err, &panicked) || panicked.Value != "boom" || !strings.Contains(panicked.Stack(), "failure_test.go") {
				t.Errorf("StartChild(%q) fails with %v, want the panic", child.ID, err)
			}
			_, err = supervisor.Spawn(f.ctx, f.sys, supervisor.Spec{Children: []supervisor.ChildSpec{child}})
			if !errors.As(err, &panicked) {
				t.Errorf("Spawn with %q fails with %v, want the panic", child.ID, err)
			}
		}
		f.wantChildren(sup)
	})
}

func TestAStartThatReturnsNoProcessFails(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		_, err := supervisor.StartChild(f.ctx, f.sys, sup, supervisor.ChildSpec{
			ID:    "child",
			Start: func(*actor.Self, ...any) (actor.PID, error) { return actor.PID{}, nil },
		})
		f.wantError("StartChild", err, supervisor.ErrNoProcess)
	})
}

func TestGoexitInAStartEndsTheSupervisorInOrder(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		w, wChild := f.watch("supervisor", sup), f.watch("child", f.startChild(sup, permanent("child")))
		_, err := supervisor.StartChild(f.ctx, f.sys, sup, supervisor.ChildSpec{
			ID:    "goexit",
			Start: func(*actor.Self, ...any) (actor.PID, error) { runtime.Goexit(); return actor.PID{}, nil },
		})
		f.wantError("StartChild", err, actor.ErrGoexit)
		f.wantEnd(w, actor.ErrGoexit)
		f.wantEnd(wChild, actor.ErrShutdown)
	})
}

func TestAFailedStartRollsBackInReverseOrder(t *testing.T) {
	bubble(t, func(f *fixture) {
		var log []string
		logging := func(id string, d time.Duration) supervisor.ChildSpec {
			return supervisor.ChildSpec{ID: id, Start: actor.Start(func() actor.Actor {
				return &worker{terminate: func(_ *actor.Self, reason error) {
					<-time.After(d)
					log = append(log, id+" "+reason.Error())
				}}
			})}
		}
		_, err := supervisor.Spawn(f.ctx, f.sys, supervisor.Spec{Children: []supervisor.ChildSpec{
			logging("a", 0), logging("b", time.Second), {ID: "c", Start: refusing}, logging("d", 0),
		}})
		f.wantError("Spawn", err, errRefused)
		var startError *supervisor.StartError
		if !errors.As(err, &startError) || startError.ID != "c" {
			t.Errorf("Spawn fails with %v, want a StartError of c", err)
		}
		// It has waited for all of them: nothing need be waited for here.
		if got := strings.Join(log, ", "); got != "b actor: shutdown, a actor: shutdown" {
			t.Errorf("rolled back %q", got)
		}
		f.idle()
		if n := f.sys.Stats().Processes; n != 0 {
			t.Errorf("%d processes are left", n)
		}
	})
}

// TestTheEndOfSpawnsContextRollsBack cancels the start of a supervisor in the
// Init of its second child, which heeds its context.
func TestTheEndOfSpawnsContextRollsBack(t *testing.T) {
	bubble(t, func(f *fixture) {
		ctx, cancel := context.WithTimeout(f.ctx, time.Second)
		defer cancel()
		stopped := false
		first := supervisor.ChildSpec{ID: "first", Start: actor.Start(func() actor.Actor {
			return &worker{terminate: func(*actor.Self, error) { <-time.After(time.Second); stopped = true }}
		})}
		_, err := supervisor.Spawn(ctx, f.sys, supervisor.Spec{Children: []supervisor.ChildSpec{
			first, startingWith("second", func(self *actor.Self) error { <-self.Context().Done(); return errRefused }),
		}})
		f.wantError("Spawn", err, errRefused)
		if !stopped {
			t.Error("the first child was not stopped in order")
		}
	})
}

func TestAnExitDuringTheStartIsObeyedAfterIt(t *testing.T) {
	bubble(t, func(f *fixture) {
		release := make(chan struct{})
		parent := make(chan actor.PID, 1)
		result := make(chan actor.PID, 1)
		go func() {
			pid, err := supervisor.Spawn(f.ctx, f.sys, supervisor.Spec{Children: []supervisor.ChildSpec{
				startingWith("child", func(self *actor.Self) error {
					parent <- self.Parent()
					<-release
					return nil
				}),
			}})
			if err != nil {
				t.Error(err)
			}
			result <- pid
		}()
		sup := <-parent
		w := f.watch("supervisor", sup)
		if err := f.sys.Exit(sup, actor.ErrShutdown); err != nil {
			t.Fatal(err)
		}
		f.idle()
		close(release)
		if pid := <-result; pid != sup {
			t.Errorf("Spawn returned %v, want %v", pid, sup)
		}
		f.wantEnd(w, actor.ErrShutdown)
		f.idle()
		if n := f.sys.Stats().Processes; n != 0 {
			t.Errorf("%d processes are left", n)
		}
	})
}

// TestAChildThatNeverStartsIsKilledWithItsSupervisor: the Init of a child that
// heeds nothing occupies its supervisor. Its supervisor's supervisor gives it
// up after its Shutdown and the kill grace.
func TestAChildThatNeverStartsIsKilledWithItsSupervisor(t *testing.T) {
	bubble(t, func(f *fixture) {
		release := make(chan struct{})
		middle := supervisor.Child("middle", supervisor.Spec{})
		middle.Shutdown = time.Second
		top := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{middle}})
		sup := f.child(top, "middle").PID
		w := f.watch("middle", sup)
		failed := make(chan error, 1)
		go func() {
			_, err := supervisor.StartChild(f.ctx, f.sys, sup, startingWith("never", func(*actor.Self) error {
				<-release
				return nil
			}))
			failed <- err
		}()
		f.idle()
		began := time.Now()
		f.terminateChild(top, "middle")
		f.wantTook("giving up a supervisor that is stuck in a start", began, time.Second+actor.DefaultKillGrace)
		f.wantEnd(w, actor.ErrZombie)
		f.wantError("StartChild", <-failed, actor.ErrZombie)
		<-time.After(2 * actor.DefaultKillGrace) // the child has one of its own
		if n := f.sys.Stats().Zombies; n != 2 {
			t.Errorf("%d zombies, want the supervisor and its child", n)
		}
		close(release)
		f.idle()
		if n := f.sys.Stats(); n.Zombies != 0 || n.Processes != 1 {
			t.Errorf("after the release there are %d zombies and %d processes, want 0 and 1", n.Zombies, n.Processes)
		}
	})
}

func TestAChildWhoseInitHeedsItsContextEndsWithItsSupervisor(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		go func() {
			_, _ = supervisor.StartChild(f.ctx, f.sys, sup, startingWith("never", func(self *actor.Self) error {
				<-self.Context().Done()
				return context.Cause(self.Context())
			}))
		}()
		f.idle()
		began := time.Now()
		f.kill(sup)
		f.wantTook("killing a supervisor in a start", began, 0)
		f.idle()
		if n := f.sys.Stats(); n.Zombies != 0 || n.Processes != 0 {
			t.Errorf("%d zombies and %d processes are left", n.Zombies, n.Processes)
		}
	})
}

// TestAStuckChildIsGivenUpAtShutdown: a child that heeds nothing delays its
// supervisor's end by its Shutdown and the kill grace.
func TestAStuckChildIsGivenUpAtShutdown(t *testing.T) {
	bubble(t, func(f *fixture) {
		release := make(chan struct{})
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{permanent("first"), permanent("stuck")}})
		first, stuck := f.watch("first", f.child(sup, "first").PID), f.child(sup, "stuck").PID
		if err := f.sys.Send(stuck, func(*actor.Self) { <-release }); err != nil {
			t.Fatal(err)
		}
		w := f.watch("stuck", stuck)
		f.idle() // until it is
		began := time.Now()
		f.stop(sup)
		f.wantTook("the end", began, supervisor.DefaultShutdown+actor.DefaultKillGrace)
		f.wantEnd(w, actor.ErrZombie)
		f.wantEnd(first, actor.ErrShutdown)
		err := f.sys.Close(context.Background())
		if !errors.Is(err, actor.ErrClosed) || !strings.Contains(err.Error(), stuck.String()) {
			t.Errorf("Close says %v, want the zombie %v named", err, stuck)
		}
		close(release)
		f.idle()
	})
}

func TestEscalateEndsTheSupervisorOfAZombie(t *testing.T) {
	bubble(t, func(f *fixture) {
		release := make(chan struct{})
		child := permanent("port")
		child.OnZombie = supervisor.Escalate
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{child, permanent("other")}})
		w, other := f.watch("supervisor", sup), f.watch("other", f.child(sup, "other").PID)
		pid := f.child(sup, "port").PID
		if err := f.sys.Send(pid, func(*actor.Self) { <-release }); err != nil {
			t.Fatal(err)
		}
		f.idle() // until it is stuck
		if err := f.sys.Kill(pid); err != nil {
			t.Fatal(err)
		}
		reason := w.wait()
		var zombie *supervisor.ZombieError
		if !errors.As(reason, &zombie) || zombie.ID != "port" || zombie.PID != pid || !errors.Is(reason, actor.ErrZombie) {
			t.Errorf("the supervisor ended with %v, want a ZombieError of %v", reason, pid)
		}
		f.wantEnd(other, actor.ErrShutdown)
		close(release)
		f.idle()
	})
}
