package supervisor_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

func TestSupStartMap(t *testing.T) {
	bubble(t, func(f *fixture) {
		brutal, sub := permanent("child2"), permanent("child3")
		brutal.Shutdown = supervisor.BrutalKill
		sub.Type = supervisor.Supervisor
		sup := f.supervise(supervisor.Spec{Children: []supervisor.ChildSpec{permanent("child1"), brutal, sub}})
		for id, want := range map[string]supervisor.ChildSpec{
			"child1": {Restart: supervisor.Permanent, Shutdown: 5 * time.Second, Type: supervisor.Worker},
			"child2": {Restart: supervisor.Permanent, Shutdown: supervisor.BrutalKill, Type: supervisor.Worker},
			"child3": {Restart: supervisor.Permanent, Shutdown: supervisor.Infinity, Type: supervisor.Supervisor},
		} {
			got, err := supervisor.ChildSpecOf(f.ctx, f.sys, sup, id)
			if err != nil || got.ID != id || got.Start == nil || got.Restart != want.Restart ||
				got.Shutdown != want.Shutdown || got.Type != want.Type || got.Significant {
				t.Errorf("ChildSpecOf(%q) = %+v, %v; want %+v", id, got, err, want)
			}
		}
		_, err := supervisor.ChildSpecOf(f.ctx, f.sys, sup, "child4")
		f.wantError("ChildSpecOf", err, supervisor.ErrNotFound)
		f.stop(sup)
	})
}

func TestSupStartMapSimple(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(simple(temporary("child")))
		f.startInstance(sup)
		got, err := supervisor.ChildSpecOf(f.ctx, f.sys, sup, "child")
		if err != nil || got.Restart != supervisor.Temporary || got.Shutdown != 5*time.Second || got.Start == nil {
			t.Errorf("ChildSpecOf = %+v, %v", got, err)
		}
		_, err = supervisor.ChildSpecOf(f.ctx, f.sys, sup, "other")
		f.wantError("ChildSpecOf", err, supervisor.ErrNotFound)
		f.stop(sup)
	})
}

// wantMistakes checks that err reports all of want and wraps ErrSpec.
func wantMistakes(t *testing.T, err error, want ...string) {
	t.Helper()
	if !errors.Is(err, supervisor.ErrSpec) {
		t.Errorf("error is %v, want ErrSpec", err)
		return
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Errorf("%d mistakes are reported, want %d:\n%v", len(lines), len(want), err)
		return
	}
	for i, text := range want {
		if got, ok := strings.CutPrefix(lines[i], "supervisor: invalid spec: "); !ok || got != text {
			t.Errorf("mistake %d is %q, want %q", i, got, text)
		}
	}
}

func TestSupStartMapFaultySpecs(t *testing.T) {
	bubble(t, func(f *fixture) {
		_, err := supervisor.Spawn(f.ctx, f.sys, supervisor.Spec{Children: []supervisor.ChildSpec{
			{Start: start}, {ID: "child2"},
		}})
		wantMistakes(t, err, `child "": no ID`, `child "child2": no Start`)
		if n := f.sys.Stats().Spawned; n != 0 {
			t.Errorf("%d processes were spawned for an invalid Spec", n)
		}
	})
}

func TestChildSpecs(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		for _, c := range []struct {
			spec supervisor.ChildSpec
			want string
		}{
			{supervisor.ChildSpec{ID: "c"}, `child "c": no Start`},
			{supervisor.ChildSpec{ID: "c", Start: start, Restart: 3}, `child "c": Restart(3) is not a restart type`},
			{supervisor.ChildSpec{ID: "c", Start: start, Shutdown: -10}, `child "c": Shutdown -10ns is negative`},
			{supervisor.ChildSpec{ID: "c", Start: start, Type: 2}, `child "c": Type(2) is not a type of child`},
			{supervisor.ChildSpec{ID: "c", Start: start, OnZombie: 2}, `child "c": OnZombie(2) is not a way to treat zombies`},
		} {
			_, err := supervisor.StartChild(f.ctx, f.sys, sup, c.spec)
			wantMistakes(t, err, c.want)
			wantMistakes(t, c.spec.Validate(supervisor.Never), c.want)
		}
		f.wantChildren(sup)
	})
	for _, restart := range []supervisor.Restart{supervisor.Permanent, supervisor.Transient, supervisor.Temporary} {
		for _, shutdown := range []time.Duration{0, 1, time.Second, supervisor.Infinity, supervisor.BrutalKill} {
			for _, typ := range []supervisor.Type{supervisor.Worker, supervisor.Supervisor} {
				spec := supervisor.ChildSpec{ID: "c", Start: start, Restart: restart, Shutdown: shutdown, Type: typ}
				if err := spec.Validate(supervisor.Never); err != nil {
					t.Errorf("%+v: %v", spec, err)
				}
			}
		}
	}
	two := []supervisor.ChildSpec{permanent("c"), permanent("c")}
	wantMistakes(t, supervisor.Spec{Children: two}.Validate(), `child "c": another child has the same ID`)
	template := supervisor.Spec{Strategy: supervisor.SimpleOneForOne}
	wantMistakes(t, template.Validate(), "SimpleOneForOne needs exactly one child, the template; there are 0")
	template.Children = []supervisor.ChildSpec{permanent("a"), permanent("b")}
	wantMistakes(t, template.Validate(), "SimpleOneForOne needs exactly one child, the template; there are 2")
}

// TestChildSpecsMap checks which children may be significant.
func TestChildSpecsMap(t *testing.T) {
	for _, auto := range []supervisor.AutoShutdown{supervisor.Never, supervisor.AnySignificant, supervisor.AllSignificant} {
		for _, restart := range []supervisor.Restart{supervisor.Permanent, supervisor.Transient, supervisor.Temporary} {
			spec := supervisor.ChildSpec{ID: "c", Start: start, Restart: restart, Significant: true}
			var want []string
			if auto == supervisor.Never {
				want = append(want, `child "c": Significant needs an AutoShutdown other than Never`)
			}
			if restart == supervisor.Permanent {
				want = append(want, `child "c": Significant cannot be Permanent`)
			}
			if err := spec.Validate(auto); len(want) > 0 {
				wantMistakes(t, err, want...)
			} else if err != nil {
				t.Errorf("%v %v: %v", auto, restart, err)
			}
		}
	}
}

func TestSupFlags(t *testing.T) {
	spec := supervisor.Spec{
		Strategy:     9,
		Intensity:    supervisor.AtMost(-1),
		Period:       -time.Second,
		AutoShutdown: 7,
	}
	want := []string{
		"Strategy(9) is not a strategy",
		"Intensity AtMost(-1) is negative",
		"Period -1s is negative",
		"AutoShutdown(7) is not a mode of automatic shutdown",
	}
	wantMistakes(t, spec.Validate(), want...)
	_, err := supervisor.New(spec)
	wantMistakes(t, err, want...)
	bubble(t, func(f *fixture) {
		_, err := supervisor.Spawn(f.ctx, f.sys, spec)
		wantMistakes(t, err, want...)
		nested := supervisor.Spec{Children: []supervisor.ChildSpec{supervisor.Child("sub", spec)}}
		_, err = supervisor.Spawn(f.ctx, f.sys, nested)
		f.wantError("Spawn of a supervisor with an invalid child", err, supervisor.ErrSpec)
	})
}

func TestAlreadyStartedOutsideSupervisor(t *testing.T) {
	bubble(t, func(f *fixture) {
		sup := f.supervise(supervisor.Spec{})
		if _, err := f.sys.Spawn(f.ctx, new(worker), actor.Name("taken")); err != nil {
			t.Fatal(err)
		}
		_, err := supervisor.StartChild(f.ctx, f.sys, sup, supervisor.ChildSpec{
			ID:      "child",
			Start:   supervisor.Start(supervisor.Spec{}, actor.Name("taken")),
			Restart: supervisor.Transient,
		})
		f.wantError("StartChild", err, actor.ErrNameTaken)
		f.wantChildren(sup)
	})
}
