package supervisor_test

import (
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// TestChildUnlink checks that a supervisor does not wait for ever for a child
// that has unlinked itself, whether it is still there or not.
func TestChildUnlink(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		for _, end := range []func(pid actor.PID){
			func(actor.PID) {},
			func(pid actor.PID) { f.end(pid, errAbnormal) },
		} {
			pid := f.startChild(sup, temporary("naughty"))
			if err := f.sys.Send(pid, func(self *actor.Self) { self.Unlink(self.Parent()) }); err != nil {
				t.Fatal(err)
			}
			f.idle()
			end(pid)
			f.terminateChild(sup, "naughty")
			f.wantChildren(sup)
		}
	})
}

func TestTree(t *testing.T) {
	bubble(t, func(f *fixture) {
		four := func(children ...supervisor.ChildSpec) supervisor.Spec {
			return supervisor.Spec{Intensity: supervisor.AtMost(4), Period: time.Hour, Children: children}
		}
		topSpec := four()
		topSpec.Strategy = supervisor.OneForAll
		top := f.supervise(topSpec)
		sup1 := f.startChild(top, supervisor.Child("sup1", four(permanent("child1"), permanent("child2"))))
		sup2 := f.startChild(top, supervisor.Child("sup2", four()))
		third := supervisor.Child("sup3", four())
		third.Restart = supervisor.Transient
		f.startChild(top, third)
		f.terminateChild(top, "sup3")
		f.wantCounts(top, 3, 2, 3, 0)
		f.wantCounts(sup1, 2, 2, 0, 2)
		f.wantCounts(sup2, 0, 0, 0, 0)

		stuck := permanent("child3")
		stuck.Start = startsOnce()
		child3, child4 := f.startChild(sup2, stuck), f.startChild(sup2, permanent("child4"))
		f.wantCounts(sup2, 2, 2, 0, 2)

		before1, before2 := f.pids(sup1), f.pids(sup2)
		f.end(child4, errAbnormal)
		f.wantReplaced(sup1, before1, nil)
		f.wantReplaced(sup2, before2, map[string]bool{"child4": true})

		// child3 cannot be restarted: the whole tree is, without the dynamic
		// children, and with the one that was terminated.
		before := f.pids(top)
		f.end(child3, errAbnormal)
		f.retried()
		f.wantReplaced(top, before, map[string]bool{"sup1": true, "sup2": true, "sup3": true})
		f.wantCounts(top, 3, 3, 3, 0)
		now := f.pids(top)
		f.wantChildren(now["sup1"], "child1 running", "child2 running")
		f.wantChildren(now["sup2"])
		f.wantChildren(now["sup3"])
	})
}

// wantCountedInstances starts 2,000 instances, counts them, kills them all and
// counts again.
func wantCountedInstances(t *testing.T, template supervisor.ChildSpec, supervisors, workers int) {
	t.Helper()
	bubble(t, func(f *fixture) {
		template.Restart = supervisor.Temporary
		sup := f.supervise(simple(template))
		for n := 1000; n <= 2000; n += 1000 {
			for range 1000 {
				f.startInstance(sup)
			}
			if got := len(f.which(sup)); got != n {
				t.Errorf("%d instances are listed, want %d", got, n)
			}
			f.wantCounts(sup, 1, n, n*supervisors, n*workers)
		}
		for _, c := range f.which(sup) {
			f.kill(c.PID)
		}
		f.wantCounts(sup, 1, 0, 0, 0)
	})
}

func TestCountChildren(t *testing.T) {
	wantCountedInstances(t, permanent("child"), 0, 1)
}

func TestCountChildrenSupervisor(t *testing.T) {
	wantCountedInstances(t, supervisor.Child("child", supervisor.Spec{}), 1, 0)
}

// TestDoNotSaveChildSpecsForTemporaryChildren checks, for all strategies but
// SimpleOneForOne and all ways to end, whose specification is kept.
func TestDoNotSaveChildSpecsForTemporaryChildren(t *testing.T) {
	type ending struct {
		name string
		end  func(f *fixture, sup, pid actor.PID)
		want [3]error // what StartChild with the same ID returns for each restart type
	}
	kept, again := supervisor.ErrAlreadyPresent, supervisor.ErrAlreadyStarted
	endings := []ending{
		{"kill", func(f *fixture, _, pid actor.PID) { f.kill(pid) }, [3]error{again, again, nil}},
		{"normal", func(f *fixture, _, pid actor.PID) { f.end(pid, actor.ErrNormal) }, [3]error{again, kept, nil}},
		{"abnormal", func(f *fixture, _, pid actor.PID) { f.end(pid, errAbnormal) }, [3]error{again, again, nil}},
		{"terminate", func(f *fixture, sup, _ actor.PID) { f.terminateChild(sup, "child") }, [3]error{kept, kept, nil}},
	}
	for _, strategy := range []supervisor.Strategy{supervisor.OneForAll, supervisor.OneForOne, supervisor.RestForOne} {
		for _, e := range endings {
			for i, child := range []supervisor.ChildSpec{permanent("child"), transient("child"), temporary("child")} {
				bubble(t, func(f *fixture) {
					sup := f.supervise(supervisor.Spec{Strategy: strategy})
					e.end(f, sup, f.startChild(sup, child))
					_, err := supervisor.StartChild(f.ctx, f.sys, sup, child)
					f.wantError(strategy.String()+" "+child.Restart.String()+" after "+e.name, err, e.want[i])
				})
			}
		}
	}
}

// TestSimpleGlobalSupervisor checks restarts of named supervisors and workers:
// the names are free when the replacement starts.
func TestSimpleGlobalSupervisor(t *testing.T) {
	bubble(t, func(f *fixture) {
		child := supervisor.ChildSpec{
			ID:       "child",
			Start:    actor.Start(func() actor.Actor { return new(worker) }, actor.Name("server")),
			Shutdown: 2 * time.Second,
		}
		spec := supervisor.Spec{
			Strategy: supervisor.OneForAll, Intensity: supervisor.AtMost(3), Period: time.Minute,
			Children: []supervisor.ChildSpec{child},
		}
		middle := supervisor.Child("middle", spec, actor.Name("sup2"))
		middle.Shutdown = 2 * time.Second
		// A supervisor that is killed is gone before its children are. Its
		// replacement would find the server's name taken, and try again until
		// that is one time too many.
		middle.Backoff.Initial = 10 * time.Millisecond
		spec.Children = []supervisor.ChildSpec{middle}
		for _, disturb := range []func(sup2, server actor.PID){
			func(sup2, _ actor.PID) { f.kill(sup2) },
			func(_, server actor.PID) { f.kill(server) },
			func(_, server actor.PID) { f.end(server, actor.ErrNormal) },
			func(sup2, _ actor.PID) { f.terminateChild(sup2, "child"); f.restartChild(sup2, "child") },
		} {
			top := f.supervise(spec)
			sup2, _ := f.sys.Whereis("sup2")
			server, _ := f.sys.Whereis("server")
			disturb(sup2, server)
			time.Sleep(200 * time.Millisecond)
			again, ok := f.sys.Whereis("server")
			if !ok || again == server {
				t.Errorf("the server was %v and is %v, %v", server, again, ok)
			}
			if _, ok := f.sys.Whereis("sup2"); !ok {
				t.Error("sup2 is gone")
			}
			f.kill(top)
			f.idle()
			for _, name := range []actor.Name{"sup2", "server"} {
				if pid, ok := f.sys.Whereis(name); ok {
					t.Errorf("%s is still %v after its supervisor was killed", name, pid)
				}
			}
		}
	})
}
