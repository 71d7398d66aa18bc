package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

// given is what the constructor "given" calls.
type given = func() (actor.Actor, []actor.SpawnOption, error)

// making returns the arguments that make a.
func making(a actor.Actor, opts ...actor.SpawnOption) given {
	return func() (actor.Actor, []actor.SpawnOption, error) { return a, opts, nil }
}

// starting is making of an actor with this Init.
func starting(init func(self *actor.Self) error) given {
	return making(&scripted{init: init, receive: echo().Receive})
}

// spawnLinkAt spawns in the probe.
func spawnLinkAt(ctx context.Context, probe *actortest.Probe, node actor.NodeID, args given) (pid actor.PID, err error) {
	probe.Do(func(self *actor.Self) error {
		pid, err = self.SpawnLinkAt(ctx, node, "given", args)
		return nil
	})
	return pid, err
}

// wantIdle checks that nothing is left of what two nodes did together.
func wantIdle(t *testing.T, places ...*place) {
	t.Helper()
	synctest.Wait()
	for _, p := range places {
		if _, calls := p.PeerCounts(); calls != 0 {
			t.Errorf("%s: %d requests left", p.name, calls)
		}
		if n := p.Errands(); n != 0 {
			t.Errorf("%s: %d spawns of others left", p.name, n)
		}
		if n := p.Stats().Processes; n != 1 {
			t.Errorf("%s: %d processes are alive besides the probe", p.name, n-1)
		}
	}
}

func TestProcessIsSpawnedOnAnotherNodeByName(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		for _, node := range []actor.NodeID{b.Node(), {Name: "b"}, a.Node(), {Name: "a"}} {
			var parent actor.PID
			args := starting(func(self *actor.Self) error { parent = self.Parent(); return nil })
			var pid actor.PID
			a.probe.Do(func(self *actor.Self) (err error) {
				pid, err = self.SpawnAt(t.Context(), node, "given", args)
				return err
			})
			if pid.Node().Name != node.Name || parent != a.probe.PID() {
				t.Errorf("%v: %v with parent %v", node, pid, parent)
			}
			if got, err := actor.Call[any](t.Context(), a.System, pid, 7); got != 7 || err != nil {
				t.Errorf("%v: the process answers %v, %v", node, got, err)
			}
			outside, err := a.SpawnAt(t.Context(), node, "given", args)
			if err != nil || outside.Node().Name != node.Name || parent != (actor.PID{}) {
				t.Errorf("%v: %v with parent %v, %v", node, outside, parent, err)
			}
			for _, pid := range []actor.PID{pid, outside} {
				_ = a.Kill(pid)
			}
		}
		wantIdle(t, a, b)
	})
}

func TestSpawnOnAnotherNodeReturnsWhatWentWrong(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		_ = spawn(t, b.System, echo(), actor.Name("taken"))
		expired, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		for name, c := range map[string]struct {
			ctx         context.Context
			node        actor.NodeID
			constructor string
			args        given
			want        error
		}{
			"no constructor": {node: b.Node(), constructor: "missing", want: actor.ErrNoConstructor},
			"own node":       {node: a.Node(), constructor: "missing", want: actor.ErrNoConstructor},
			"constructor":    {node: b.Node(), args: func() (actor.Actor, []actor.SpawnOption, error) { return nil, nil, errBoom }, want: errBoom},
			"panic":          {node: b.Node(), args: func() (actor.Actor, []actor.SpawnOption, error) { panic(errBoom) }, want: errBoom},
			"Init":           {node: b.Node(), args: starting(func(*actor.Self) error { return errBoom }), want: errBoom},
			"Init's panic":   {node: b.Node(), args: starting(func(*actor.Self) error { panic(errBoom) }), want: errBoom},
			"Init's Goexit":  {node: b.Node(), args: starting(func(*actor.Self) error { runtime.Goexit(); return nil }), want: actor.ErrGoexit},
			"name":           {node: b.Node(), args: making(echo(), actor.Name("taken")), want: actor.ErrNameTaken},
			"no connection":  {node: elsewhere().Value(), args: making(echo()), want: actor.ErrNoConnection},
			"expired":        {ctx: expired, node: b.Node(), args: making(echo()), want: actor.ErrTimeout},
		} {
			if c.ctx == nil {
				c.ctx = t.Context()
			}
			if c.constructor == "" {
				c.constructor = "given"
			}
			a.probe.Do(func(self *actor.Self) error {
				pid, err := self.SpawnLinkAt(c.ctx, c.node, c.constructor, c.args)
				if !errors.Is(err, c.want) || pid != (actor.PID{}) {
					t.Errorf("%s: got %v, %v", name, pid, err)
				}
				return nil
			})
			a.probe.ExpectNothing(soon) // no exit signal
		}
		pid, err := a.SpawnAt(t.Context(), b.Node(), "given", func() (actor.Actor, []actor.SpawnOption, error) { return nil, nil, nil })
		if err == nil {
			t.Errorf("a nil actor became %v", pid)
		}
		taken, _ := b.Whereis("taken")
		_ = b.Kill(taken)
		wantIdle(t, a, b)
	})
}

func TestLinkedChildOnAnotherNodeSharesItsParentsFate(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		child, err := spawnLinkAt(t.Context(), a.probe, b.Node(), making(echo()))
		if err != nil {
			t.Fatal(err)
		}
		tell(t, b.System, child, errBoom)
		a.probe.ExpectExit(child, errBoom, soon)

		parent := spawn(t, a.System, echo())
		var plain, trapping actor.PID
		ended := make(chan error, 1)
		perform(t, a.System, parent, func(self *actor.Self) {
			plain, _ = self.SpawnLinkAt(t.Context(), b.Node(), "given", making(echo()))
			trapping, _ = self.SpawnLinkAt(t.Context(), b.Node(), "given", making(&scripted{
				init:      func(self *actor.Self) error { self.TrapExit(true); return nil },
				receive:   echo().Receive,
				terminate: func(_ *actor.Self, reason error) { ended <- reason },
			}))
		})
		other := actortest.NewProbe(t, b.System) // the two end in any order
		_ = b.probe.Monitor(plain)
		_ = other.Monitor(trapping)
		tell(t, a.System, parent, errBoom)
		b.probe.ExpectDown(plain, errBoom, soon)
		other.ExpectDown(trapping, errBoom, soon)
		other.End(actor.ErrNormal)
		if reason := <-ended; !errors.Is(reason, errBoom) {
			t.Errorf("Terminate with %v", reason)
		}

		// A lost node is the end of both halves.
		child, _ = spawnLinkAt(t.Context(), a.probe, b.Node(), making(echo()))
		_ = b.probe.Monitor(child)
		net.cut("a", "b", nil)
		a.probe.ExpectExit(child, actor.ErrNoConnection, soon)
		b.probe.ExpectDown(child, actor.ErrNoConnection, soon)
		wantIdle(t, a, b)
	})
}

func TestMonitorOfSpawnedProcessStandsFromTheBeginning(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		for _, node := range []actor.NodeID{b.Node(), a.Node()} {
			args := making(&scripted{
				init:    func(self *actor.Self) error { return self.Send(self.PID(), "end") },
				receive: func(self *actor.Self, _ any) error { _ = self.Send(self.Parent(), "last"); return errBoom },
			})
			var pid actor.PID
			var ref actor.MonitorRef
			a.probe.Do(func(self *actor.Self) (err error) {
				pid, ref, err = self.SpawnMonitorAt(t.Context(), node, "given", args)
				return err
			})
			a.probe.ExpectMessage("last", soon)
			down := actortest.Expect[actor.Down](a.probe, soon)
			if down.Ref != ref || down.Of != pid || !errors.Is(down.Reason, errBoom) {
				t.Errorf("got %v", down)
			}
		}
		wantIdle(t, a, b)
	})
}

func TestSpawnThatIsAnsweredTooLateIsUndone(t *testing.T) {
	cluster(t, func(t *testing.T, net *network, a, b *place) {
		net.hold("b", "a", true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := spawnLinkAt(ctx, a.probe, b.Node(), making(echo())); !errors.Is(err, actor.ErrTimeout) {
			t.Errorf("got %v", err)
		}
		a.probe.Do(func(self *actor.Self) error {
			if _, _, err := self.SpawnMonitorAt(ctx, b.Node(), "given", making(echo())); !errors.Is(err, actor.ErrTimeout) {
				t.Errorf("got %v", err)
			}
			return nil
		})
		// A parent that is killed while it waits.
		parent := spawn(t, a.System, echo())
		tell(t, a.System, parent, do(func(self *actor.Self) error {
			_, err := self.SpawnLinkAt(context.Background(), b.Node(), "given", making(echo()))
			return err
		}))
		synctest.Wait()
		_ = a.Kill(parent)
		synctest.Wait()
		if n := b.Stats().Processes; n != 3 {
			t.Errorf("%d processes", n)
		}
		net.hold("b", "a", false)
		synctest.Wait()
		a.probe.ExpectNothing(time.Minute)
		wantIdle(t, a, b)
	})
}

func TestChildDoesNotOutliveANodeThatIsLostWhileItStarts(t *testing.T) {
	for name, args := range map[string]given{
		"in Init": starting(func(self *actor.Self) error {
			<-self.Context().Done()
			return context.Cause(self.Context())
		}),
		"in an Init that does not heed it": starting(func(self *actor.Self) error {
			<-time.After(2 * time.Second)
			return nil
		}),
		"in its constructor": func() (actor.Actor, []actor.SpawnOption, error) {
			<-time.After(2 * time.Second)
			return echo(), nil, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			cluster(t, func(t *testing.T, net *network, a, b *place) {
				parent := spawn(t, a.System, echo())
				tell(t, a.System, parent, do(func(self *actor.Self) error {
					_, err := self.SpawnLinkAt(t.Context(), b.Node(), "given", args)
					return err
				}))
				_ = a.probe.Monitor(parent)
				synctest.Wait()
				net.cut("a", "b", nil)
				a.probe.ExpectDown(parent, actor.ErrNoConnection, soon)
				time.Sleep(time.Minute)
				wantIdle(t, a, b)
			})
		})
	}
}

func TestInitOnAnotherNodeHasTheDeadlineOfTheSpawn(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := spawnLinkAt(ctx, a.probe, b.Node(), starting(func(self *actor.Self) error {
			began := time.Now()
			<-self.Context().Done()
			return fmt.Errorf("%v: %w", time.Since(began), errBoom)
		}))
		// Both give up at the same moment; either may be the first.
		if !errors.Is(err, actor.ErrTimeout) {
			t.Errorf("got %v", err)
		}
		wantIdle(t, a, b)
	})
}

func TestStartAtStartsALinkedChild(t *testing.T) {
	cluster(t, func(t *testing.T, _ *network, a, b *place) {
		fixed, dynamic := 0, 0
		start := actor.StartAt(b.Node(), "given", starting(func(*actor.Self) error { fixed++; return nil }))
		a.probe.Do(func(self *actor.Self) error {
			for _, args := range [][]any{nil, {starting(func(*actor.Self) error { dynamic++; return nil })}, nil} {
				pid, err := start(self, args...)
				if err != nil {
					t.Error(err)
				}
				self.Unlink(pid)
				_ = self.Exit(pid, actor.ErrKilled)
			}
			return nil
		})
		if fixed != 2 || dynamic != 1 {
			t.Errorf("fixed arguments taken %d times, dynamic ones %d times", fixed, dynamic)
		}
		wantIdle(t, a, b)
	})
}
