package supervisor_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

func app(name string, dependsOn ...string) supervisor.App {
	return supervisor.App{Name: name, DependsOn: dependsOn, Start: start}
}

// ids returns the children's IDs in order.
func ids(spec supervisor.Spec) (all []string) {
	for _, c := range spec.Children {
		all = append(all, c.ID)
	}
	return all
}

func TestApplicationsStartAfterWhatTheyDependOn(t *testing.T) {
	for _, c := range []struct {
		apps []supervisor.App
		want []string
	}{
		{nil, nil},
		{[]supervisor.App{app("b"), app("a")}, []string{"b", "a"}},
		{[]supervisor.App{app("web", "db", "log"), app("db", "log"), app("log")}, []string{"log", "db", "web"}},
		{[]supervisor.App{app("a", "c"), app("b"), app("c"), app("d", "b", "a")}, []string{"c", "a", "b", "d"}},
		{[]supervisor.App{app("d", "b", "c"), app("b", "a"), app("c", "a"), app("a")}, []string{"a", "b", "c", "d"}},
	} {
		spec, err := supervisor.Applications(c.apps...)
		if got := ids(spec); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v start as %v, %v; want %v", c.apps, got, err, c.want)
		}
	}
}

func TestApplicationsReportEveryMistakeAtOnce(t *testing.T) {
	noStart := app("x")
	noStart.Start = nil
	_, err := supervisor.Applications(app("a", "b"), app("b", "c"), app("c", "a"), app("d", "d", "nobody"), noStart, app("b"), app(""))
	wantMistakes(t, err,
		`apps depend on each other: a → b → c → a`,
		`apps depend on each other: d → d`,
		`app "d" depends on "nobody", which is not there`,
		`child "x": no Start`,
		`child "b": another child has the same ID`,
		`child "": no ID`,
	)
	_, err = supervisor.Applications(app("z", "a"), app("a", "b"), app("b", "c"), app("c", "a"))
	wantMistakes(t, err, "apps depend on each other: a → b → c → a")
}

// TestApplicationsStopInReverseOrder, and TestApplicationsEndTogether below,
// run what Applications returns.
func TestApplicationsStopInReverseOrder(t *testing.T) {
	bubble(t, func(f *fixture) {
		var log []string
		logging := func(name string, dependsOn ...string) supervisor.App {
			a := app(name, dependsOn...)
			a.Start = supervisor.Start(supervisor.Spec{Children: []supervisor.ChildSpec{{
				ID: "worker", Start: actor.Start(func() actor.Actor {
					return &worker{
						init:      func(*actor.Self) error { log = append(log, "+"+name); return nil },
						terminate: func(*actor.Self, error) { log = append(log, "-"+name) },
					}
				}),
			}}})
			return a
		}
		spec, err := supervisor.Applications(logging("web", "db"), logging("db", "log"), logging("log"))
		if err != nil {
			t.Fatal(err)
		}
		f.stop(f.supervise(spec))
		if want := []string{"+log", "+db", "+web", "-web", "-db", "-log"}; !slices.Equal(log, want) {
			t.Errorf("order is %v, want %v", log, want)
		}
	})
}

// TestApplicationsEndTogether checks what the end of an application of each
// restart type means for the others.
func TestApplicationsEndTogether(t *testing.T) {
	for _, c := range []struct {
		restart supervisor.Restart
		reason  error
		ends    bool
	}{
		{supervisor.Permanent, actor.ErrNormal, true},
		{supervisor.Permanent, errAbnormal, true},
		{supervisor.Transient, actor.ErrNormal, false},
		{supervisor.Transient, errAbnormal, true},
		{supervisor.Temporary, errAbnormal, false},
	} {
		bubble(t, func(f *fixture) {
			part := app("part")
			part.Restart = c.restart
			spec, err := supervisor.Applications(app("other"), part)
			if err != nil {
				t.Fatal(err)
			}
			sup := f.supervise(spec)
			other := f.child(sup, "other").PID
			f.end(f.child(sup, "part").PID, c.reason)
			f.idle()
			if f.sys.Alive(sup) == c.ends || f.sys.Alive(other) == c.ends {
				t.Errorf("%v part ended with %v: program alive %v, other part alive %v",
					c.restart, c.reason, f.sys.Alive(sup), f.sys.Alive(other))
			}
		})
	}
}

// TestFaultyApplicationShutdown checks that the error of a child deep in an
// application is what the start of the program fails with, and that what had
// been started is stopped.
func TestFaultyApplicationShutdown(t *testing.T) {
	bubble(t, func(f *fixture) {
		stopped := false
		first := supervisor.App{Name: "first", Start: actor.Start(func() actor.Actor {
			return &worker{terminate: func(*actor.Self, error) { stopped = true }}
		})}
		faulty := supervisor.App{Name: "faulty", DependsOn: []string{"first"}, Start: supervisor.Start(supervisor.Spec{
			Children: []supervisor.ChildSpec{startingWith("server", func(*actor.Self) error {
				var undefined func()
				undefined()
				return nil
			})},
		})}
		spec, err := supervisor.Applications(faulty, first)
		if err != nil {
			t.Fatal(err)
		}
		_, err = supervisor.Spawn(f.ctx, f.sys, spec)
		var outer *supervisor.StartError
		if !errors.As(err, &outer) || outer.ID != "faulty" {
			t.Fatalf("Spawn fails with %v, want a StartError of faulty", err)
		}
		var inner *supervisor.StartError
		if !errors.As(outer.Err, &inner) || inner.ID != "server" {
			t.Errorf("faulty failed with %v, want a StartError of server", outer.Err)
		}
		var panicked *actor.PanicError
		if !errors.As(err, &panicked) || panicked.Stack() == "" {
			t.Errorf("Spawn fails with %v, want the panic and its stack", err)
		}
		if !stopped {
			t.Error("the first application was not stopped")
		}
	})
}
