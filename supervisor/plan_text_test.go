package supervisor

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/topos-go/topos/actor"
)

// valueText describes a reply in one line, or one line for each child.
func valueText(value any) string {
	switch v := value.(type) {
	case result[actor.PID]:
		switch {
		case v.err != nil && !v.value.IsZero():
			return fmt.Sprintf("%s, %s", number(v.value), oneLine(v.err))
		case v.err != nil:
			return oneLine(v.err)
		case v.value.IsZero():
			return "ok"
		}
		return number(v.value)
	case result[Counts]:
		c := v.value
		return fmt.Sprintf("%d specs, %d active, %d supervisors, %d workers", c.Specs, c.Active, c.Supervisors, c.Workers)
	case result[[]ChildInfo]:
		var b strings.Builder
		fmt.Fprintf(&b, "%d children", len(v.value))
		for _, c := range v.value {
			fmt.Fprintf(&b, "\n  %s %s", c.ID, c.Status)
			if !c.PID.IsZero() {
				b.WriteString(" " + number(c.PID))
			}
			if c.Restarts > 0 {
				fmt.Fprintf(&b, ", restarts %d", c.Restarts)
			}
		}
		return b.String()
	}
	return fmt.Sprint(value)
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// spec reads flags and the children's lines.
func (w *world) spec(flags []string, children string) Spec {
	var s Spec
	for _, f := range flags {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "strategy":
			s.Strategy = named(w, value, OneForOne, OneForAll, RestForOne, SimpleOneForOne)
		case "auto":
			s.AutoShutdown = named(w, value, Never, AnySignificant, AllSignificant)
		case "period":
			s.Period = w.duration(value)
		case "intensity":
			n, err := strconv.Atoi(value)
			if err != nil {
				w.t.Fatal(err)
			}
			s.Intensity = AtMost(n)
		default:
			w.t.Fatalf("unknown flag %q", f)
		}
	}
	for line := range strings.Lines(children) {
		if fields := strings.Fields(line); len(fields) > 0 {
			s.Children = append(s.Children, w.child(fields))
		}
	}
	return s
}

// named returns the value that is called name.
func named[T fmt.Stringer](w *world, name string, values ...T) T {
	for _, v := range values {
		if v.String() == name {
			return v
		}
	}
	w.t.Fatalf("unknown name %q", name)
	return values[0]
}

func (w *world) duration(text string) time.Duration {
	switch text {
	case "brutal_kill":
		return BrutalKill
	case "infinity":
		return Infinity
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// child reads the description of a child.
func (w *world) child(fields []string) ChildSpec {
	c := ChildSpec{ID: fields[0], Start: func(*actor.Self, ...any) (actor.PID, error) { panic("not called") }}
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "permanent", "transient", "temporary":
			c.Restart = named(w, key, Permanent, Transient, Temporary)
		case "worker", "supervisor":
			c.Type = named(w, key, Worker, Supervisor)
		case "significant":
			c.Significant = true
		case "escalate":
			c.OnZombie = Escalate
		case "shutdown":
			c.Shutdown = w.duration(value)
		case "backoff":
			parts := append(strings.Split(value, "/"), "0s", "0s")
			c.Backoff = Backoff{Initial: w.duration(parts[0]), Max: w.duration(parts[1]), ResetAfter: w.duration(parts[2])}
		default:
			w.t.Fatalf("unknown attribute %q of %s", f, c.ID)
		}
	}
	return c
}
