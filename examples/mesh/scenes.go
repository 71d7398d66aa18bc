package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/topos-go/topos/behaviours/mesh"
)

// watching is how long each part of the show is watched, in steps of a table.
const (
	watching = time.Second
	step     = 250 * time.Millisecond
)

// scenes is the show itself.
func (d *director) scenes(ctx context.Context) error {
	const sick, victim = 1, 2
	sickName, victimName := d.crowd.Name(sick), d.crowd.Name(victim)
	d.say("all is well")
	if err := d.expectShares(ctx, d.size); err != nil {
		return err
	}
	d.say("process %s is made SICK: its services fail", sickName)
	d.crowd.Tell(sick, command{"break"})
	ill := func(in mesh.InstanceStatus) bool { return short(in.PID.Node().Name) == sickName && !in.Healthy }
	if err := d.await(ctx, "the sick to be known", ill, 1); err != nil {
		return err
	}
	if err := d.expectOpened(sickName); err != nil {
		return err
	}
	if err := d.expectShares(ctx, d.size-1); err != nil {
		return err
	}
	d.say("process %s is HEALED", sickName)
	d.crowd.Tell(sick, command{"heal"})
	well := func(in mesh.InstanceStatus) bool { return in.Healthy && in.Circuit == mesh.Closed }
	if err := d.await(ctx, "the healed to be called again", well, d.size); err != nil {
		return err
	}
	if err := d.expectShares(ctx, d.size); err != nil {
		return err
	}
	d.say("process %s is KILLED", victimName)
	if err := d.crowd.Kill(victim); err != nil {
		return err
	}
	if err := d.await(ctx, "the killed to be forgotten", well, d.size-1); err != nil {
		return err
	}
	if err := d.expectShares(ctx, d.size-1); err != nil {
		return err
	}
	calls, failed := d.failures()
	d.say("%d calls, %d failed", calls, failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d calls failed", failed, calls)
	}
	fmt.Fprintln(d.out, "\nOne process was sick and one was killed, and no call failed.")
	return nil
}

// await returns when, of each service, n instances are as ok says, printing the
// state meanwhile. A killed instance is not there any more.
func (d *director) await(ctx context.Context, what string, ok func(mesh.InstanceStatus) bool, n int) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); ; {
		there := 0
		for _, s := range d.services {
			count := 0
			for _, in := range s.Status().Instances {
				if ok(in) {
					count++
				}
			}
			if count == n {
				there++
			}
		}
		if there == len(d.services) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		}
		if time.Since(began) > step {
			began = time.Now()
			d.table(nil)
		}
	}
}

// expectOpened checks that circuits opened before the sick had said so: those of
// services whose balancing goes on asking it.
func (d *director) expectOpened(node string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range services {
		if s.share > 0 && !d.opened[[2]string{s.name, node}] {
			return fmt.Errorf("%s: the circuit of %s did not open", s.name, node)
		}
	}
	return nil
}

// counts is how many calls each instance has had, by service and node.
func (d *director) counts() map[[2]string]int64 {
	counts := make(map[[2]string]int64)
	for _, s := range d.services {
		for _, in := range s.Status().Instances {
			counts[[2]string{s.Name(), short(in.PID.Node().Name)}] = in.Calls
		}
	}
	return counts
}

// expectShares watches the calls for a while. Each service must be called, and
// have n instances with its part of an even share.
func (d *director) expectShares(ctx context.Context, n int) error {
	before := d.counts()
	for range watching / step {
		select {
		case <-time.After(step):
			d.table(before)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	after := d.counts()
	for i, s := range d.services {
		total, even := int64(0), 0
		for at, calls := range after {
			if at[0] == s.Name() {
				total += calls - before[at]
			}
		}
		least := services[i].share * float64(total) / float64(n)
		for at, calls := range after {
			if at[0] == s.Name() && least > 0 && float64(calls-before[at]) >= least {
				even++
			}
		}
		if total == 0 || least > 0 && even != n {
			return fmt.Errorf("%s: %d instances have an even share of %d calls, want %d", s.Name(), even, total, n)
		}
	}
	return nil
}

// table prints a line for each service: what each instance has had since before,
// and how it is.
func (d *director) table(before map[[2]string]int64) {
	for _, s := range d.services {
		var b strings.Builder
		status := s.Status()
		for _, in := range status.Instances {
			name := short(in.PID.Node().Name)
			health := "well"
			if !in.Healthy {
				health = "sick"
			}
			fmt.Fprintf(&b, "  %s %4d calls, %s, %-9v", name, in.Calls-before[[2]string{s.Name(), name}], health, in.Circuit)
		}
		d.say("%-6s %s", s.Name(), strings.TrimRight(b.String(), " "))
	}
}

// short is a node's name without its address.
func short(node string) string {
	name, _, _ := strings.Cut(node, "@")
	return name
}
