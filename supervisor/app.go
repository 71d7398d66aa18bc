package supervisor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/actor"
)

// App is one part of a program, which needs others: usually the supervisor of a
// subsystem, made with [Start]. OTP calls it an application.
type App struct {
	// Name names the part. It is the ID of the child.
	Name string
	// DependsOn names the parts that must run before this one starts and as
	// long as it runs.
	DependsOn []string
	// Start starts it.
	Start actor.StartFunc
	// Restart says what the end of the part means for the program, since parts
	// are not restarted: that of a Permanent one ends the program, that of a
	// Transient one if it is abnormal, that of a Temporary one does not.
	Restart Restart
	// Shutdown is how long the part may take to end. Zero means Infinity.
	Shutdown time.Duration
}

// Applications returns the supervisor of a program that consists of apps. It
// starts each after those it depends on, otherwise in the order given, and
// stops them in the reverse order. When one ends that the program needs, all
// others are stopped and the supervisor ends with [ErrIntensity]. Run it with
// [Run].
//
// It reports every mistake at once, by name, wrapping [ErrSpec]: unknown and
// circular dependencies, and what [Spec.Validate] would say.
func Applications(apps ...App) (Spec, error) {
	o := ordering{byName: make(map[string]*App, len(apps)), done: make(map[string]bool)}
	for i := range slices.Backward(apps) { // of two with one name the first counts
		o.byName[apps[i].Name] = &apps[i]
	}
	for i := range apps {
		o.visit(&apps[i])
	}
	spec := Spec{Intensity: AtMost(0)}
	for _, a := range o.order {
		spec.Children = append(spec.Children, ChildSpec{
			ID: a.Name, Start: a.Start, Restart: a.Restart, Shutdown: a.Shutdown, Type: Supervisor,
		})
	}
	if err := errors.Join(errors.Join(o.errs...), spec.Validate()); err != nil {
		return Spec{}, err
	}
	return spec, nil
}

// ordering visits apps depth first, dependencies before those who have them.
type ordering struct {
	byName map[string]*App
	done   map[string]bool
	path   []string // from the app visited first to the one being visited
	order  []*App
	errs   []error
}

func (o *ordering) visit(a *App) {
	if i := slices.Index(o.path, a.Name); i >= 0 {
		circle := strings.Join(append(slices.Clone(o.path[i:]), a.Name), " → ")
		o.errs = append(o.errs, specError("apps depend on each other: %s", circle))
		return
	}
	if o.done[a.Name] && o.byName[a.Name] == a {
		return
	}
	o.done[a.Name] = true
	o.path = append(o.path, a.Name)
	for _, name := range a.DependsOn {
		if needed := o.byName[name]; needed != nil {
			o.visit(needed)
		} else {
			o.errs = append(o.errs, specError("app %q depends on %q, which is not there", a.Name, name))
		}
	}
	o.path = o.path[:len(o.path)-1]
	o.order = append(o.order, a)
}

// StopError is returned by [Run] when the tree was not down by its deadline.
type StopError struct {
	// Deadline is how long the tree had.
	Deadline time.Duration
	// Killed is who was still there, and was killed.
	Killed []actor.ProcessInfo
}

func (e *StopError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "supervisor: not stopped within %v; killed", e.Deadline)
	for i, p := range e.Killed {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %v", p.PID)
		if p.Label != "" {
			fmt.Fprintf(&b, " %q", p.Label)
		}
		fmt.Fprintf(&b, " (%s)", p.Type)
	}
	return b.String()
}
