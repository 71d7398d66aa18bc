package mesh

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
)

// reporter is the process that puts an instance into its groups and reports its
// health. What it calls runs in a process of its own, so that the reporter can
// hear meanwhile that the instance has ended.
type reporter struct {
	*Registration
	pulse    pulse
	joined   bool
	sick     bool
	checking actor.MonitorRef // of the process that checks; zero if there is none
	number   int              // of the check
	counted  bool             // the check under way was too late and has been counted
	leaving  bool
}

type (
	leaveNow  struct{}
	checkNow  struct{}
	checkLate struct{ number int }
	checkDone struct {
		number int
		err    error
	}
)

func (r *reporter) Init(self *actor.Self) error {
	r.reporter.Store(self.PID())
	h := r.definition.Health
	r.pulse = pulse{rise: h.Rise, fall: h.Fall}
	self.Monitor(r.pid)
	if h.Check == nil {
		return r.join(true)
	}
	self.Every(h.Interval, checkNow{})
	return r.check(self)
}

// join puts the instance into the groups.
func (r *reporter) join(well bool) error {
	if err := r.report(well); err != nil {
		r.end(err)
		return err
	}
	if !r.joined {
		if err := r.mesh.cfg.Groups.Join(groupOf(r.definition.Name), r.pid, r.metadata); err != nil {
			r.end(err)
			return err
		}
		r.joined = true
		r.mesh.refresh(r.definition.Name)
	}
	r.begun.Do(func() { close(r.ready) })
	return nil
}

// report puts the instance among the sick, or takes it from there.
func (r *reporter) report(well bool) error {
	if r.sick != well {
		return nil
	}
	group := sickOf(r.definition.Name)
	if well {
		if err := r.mesh.cfg.Groups.Leave(group, r.pid); err != nil {
			return err
		}
	} else if err := r.mesh.cfg.Groups.Join(group, r.pid, nil); err != nil {
		return err
	}
	r.sick = !well
	r.mesh.refresh(r.definition.Name)
	return nil
}

func (r *reporter) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case leaveNow:
		r.leaving = true
		return actor.ErrNormal
	case checkNow:
		return r.check(self)
	case checkLate:
		if m.number == r.number && r.checking != (actor.MonitorRef{}) && !r.counted {
			r.counted = true
			return r.checked(false)
		}
	case checkDone:
		if m.number == r.number && !r.counted {
			r.counted = true
			return r.checked(m.err == nil)
		}
	case actor.Down:
		if m.Ref != r.checking {
			return actor.ErrNormal // the instance has ended
		}
		r.checking = actor.MonitorRef{}
		if !r.counted {
			r.counted = true
			return r.checked(false) // it crashed
		}
	}
	return nil
}

// check begins a check. One that still runs, although its time was over when the
// next was due, has failed once more.
func (r *reporter) check(self *actor.Self) error {
	if r.checking != (actor.MonitorRef{}) {
		if !r.counted {
			return nil // Interval is shorter than Timeout
		}
		return r.checked(false)
	}
	h := r.definition.Health
	r.number++
	r.counted = false
	checker, ref, err := self.SpawnMonitor(&checker{reporter: self.PID(), health: h, instance: r.pid, number: r.number},
		actor.Label("mesh health check"))
	if err != nil {
		return fmt.Errorf("mesh: health check: %w", err)
	}
	r.checking = ref
	self.SendAfter(h.Timeout, checkLate{r.number})
	return self.Send(checker, checkNow{})
}

// checked notes the result of a check.
func (r *reporter) checked(ok bool) error {
	if !r.pulse.checked(ok) {
		return nil
	}
	if !r.joined {
		return r.join(ok)
	}
	return r.report(ok)
}

// Terminate takes the instance out. A reporter that crashed has a successor,
// which puts it in again.
func (r *reporter) Terminate(_ *actor.Self, reason error) {
	groups, name := r.mesh.cfg.Groups, r.definition.Name
	if r.joined {
		_ = groups.Leave(groupOf(name), r.pid) // it has left by itself if it has ended
	}
	if r.sick {
		_ = groups.Leave(sickOf(name), r.pid)
	}
	r.mesh.refresh(name)
	if !actor.Abnormal(reason) {
		r.end(nil)
	}
}

// checker is the process of one check.
type checker struct {
	reporter actor.PID
	health   Health
	instance actor.PID
	number   int
}

func (c *checker) Receive(self *actor.Self, msg any) error {
	ctx, cancel := context.WithTimeout(self.Context(), c.health.Timeout)
	defer cancel()
	err := c.health.Check(ctx, self, c.instance)
	_ = self.Send(c.reporter, checkDone{c.number, err})
	return actor.ErrNormal
}
