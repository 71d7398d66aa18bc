package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/topos-go/topos/bench/measure"
	"github.com/topos-go/topos/internal/crowd"
	"github.com/topos-go/topos/remote"
)

const (
	// settleLimit is how long the nodes may take to see each other.
	settleLimit = 60 * time.Second
	// look is how often it is seen how far they are.
	look = 100 * time.Millisecond
	// idle is how long nothing more must arrive for the rest to be lost: longer than
	// a message is resent after a loss of connection.
	idle = 10 * time.Second
	// warm is how long messages flow before anything counts.
	warm = time.Second
)

// steps are the topologies of a round.
var steps = [...]remote.Topology{remote.HyParView, remote.ClientServer, remote.Gossip, remote.FullMesh}

// result is the last line.
type result struct {
	Rate      int     `json:"rate"`
	Switches  int     `json:"switches"`
	Lost      int64   `json:"lost"`
	Reordered uint64  `json:"reordered"`
	PauseP99  float64 `json:"pause_p99_ms"`
}

// director lets the nodes send and changes their topology.
type director struct {
	crowd *crowd.Crowd[event]
	names []string
	rate  int
	phase time.Duration
	out   io.Writer
	round int
	stall time.Duration // in the last stretch, see idleFor
}

func newDirector(nodes, rate int, phase time.Duration, out io.Writer) (*director, error) {
	c, err := crowd.New[event](nodes)
	if err != nil {
		return nil, err
	}
	d := &director{crowd: c, rate: rate, phase: phase, out: out}
	for i := range nodes {
		d.names = append(d.names, c.Name(i)+"@"+c.Addr(i))
	}
	return d, nil
}

func (d *director) run(ctx context.Context, rounds int) (r result, err error) {
	nodes := len(d.names)
	pairs := nodes * (nodes - 1)
	for i := range d.names {
		if err := d.crowd.Start(i, extra{Nodes: nodes, PerPair: (d.rate + pairs - 1) / pairs}); err != nil {
			return r, err
		}
	}
	if err := d.settle(ctx); err != nil {
		return r, err
	}
	d.crowd.TellAll(command{Do: "begin"})
	if _, err := d.gather(ctx, nodes, "begun"); err != nil {
		return r, err
	}
	if err := pause(ctx, warm); err != nil {
		return r, err
	}
	// Phase 0 was the warming up, phase 1 has no change.
	d.crowd.TellAll(command{Do: "phase", Phase: 1})
	calm, _, err := d.stretch(ctx)
	if err != nil {
		return r, err
	}
	fmt.Fprintf(d.out, "without a change: %.0f messages/s; the machine's own pauses %.1f ms\n", calm, measure.Times{d.stall}.Percentile(1))
	sum := 0.0
	phase := 1
	for range rounds {
		for _, to := range steps {
			phase++
			rate, taken, err := d.change(ctx, phase, to)
			if err != nil {
				return r, err
			}
			sum += rate
			if taken {
				r.Switches++
			}
		}
	}
	r.Rate = int(math.Round(sum / float64(phase-1)))
	views, sent, err := d.finish(ctx)
	if err != nil {
		return r, err
	}
	d.report(&r, views, sent)
	return r, nil
}

// change lets the lowest node change the topology and a phase pass.
func (d *director) change(ctx context.Context, phase int, to remote.Topology) (rate float64, taken bool, err error) {
	views, err := d.views(ctx)
	if err != nil {
		return 0, false, err
	}
	lowest := slices.Index(d.names, views[0].Members[0])
	if lowest < 0 {
		return 0, false, fmt.Errorf("lowest member %q is none of %v", views[0].Members[0], d.names)
	}
	d.crowd.TellAll(command{Do: "phase", Phase: phase})
	d.crowd.Tell(lowest, command{Do: "change", To: to})
	if _, err := d.gather(ctx, 1, "changed"); err != nil {
		return 0, false, err
	}
	rate, views, err = d.stretch(ctx)
	if err != nil {
		return 0, false, err
	}
	taken = true
	for i, v := range views {
		if v.Topology != to || len(v.Members) != len(d.names) {
			taken = false
			fmt.Fprintf(d.out, "%s has %v and sees %v\n", d.names[i], v.Topology, v.Members)
		}
	}
	fmt.Fprintf(d.out, "%v: %.0f messages/s, pauses %v; the machine's own %.1f ms\n", to, rate, pauses(views, phase), measure.Times{d.stall}.Percentile(1))
	return rate, taken, nil
}

// stretch lets a phase pass and says how many messages a second have arrived in it.
func (d *director) stretch(ctx context.Context) (rate float64, views []event, err error) {
	before, err := d.views(ctx)
	if err != nil {
		return 0, nil, err
	}
	began := time.Now()
	if d.stall, err = idleFor(ctx, d.phase); err != nil {
		return 0, nil, err
	}
	if views, err = d.views(ctx); err != nil {
		return 0, nil, err
	}
	return float64(count(views)-count(before)) / time.Since(began).Seconds(), views, nil
}

// finish ends the sending and waits until all has arrived, or nothing comes any more.
func (d *director) finish(ctx context.Context) (views []event, sent uint64, err error) {
	d.crowd.TellAll(command{Do: "rest"})
	rested, err := d.gather(ctx, len(d.names), "rested")
	if err != nil {
		return nil, 0, err
	}
	refused := 0
	for _, e := range rested {
		for _, n := range e.Sent {
			sent += n
		}
		refused += e.Refused
	}
	if refused > 0 {
		fmt.Fprintf(d.out, "%d sends were refused and made again\n", refused)
	}
	for last, at := uint64(0), time.Now(); ; {
		if views, err = d.views(ctx); err != nil {
			return nil, 0, err
		}
		n := count(views)
		if n != last {
			last, at = n, time.Now()
		}
		if n == sent || time.Since(at) > idle {
			return views, sent, nil
		}
		if err := pause(ctx, look); err != nil {
			return nil, 0, err
		}
	}
}

func (d *director) report(r *result, views []event, sent uint64) {
	r.Lost = int64(sent) - int64(count(views))
	for _, v := range views {
		for _, a := range v.Arrived {
			r.Reordered += a.Reordered + a.Repeated
		}
	}
	var all measure.Times
	phases := len(views[0].Arrived[0].Pauses)
	for phase := 2; phase < phases; phase++ {
		all = append(all, pauses(views, phase)...)
	}
	r.PauseP99 = all.Percentile(0.99)
	fmt.Fprintf(d.out, "sent %d, arrived %d\n", sent, count(views))
	fmt.Fprintf(d.out, "pauses of pairs without a change: %v\n", pauses(views, 1))
	fmt.Fprintf(d.out, "pauses of pairs with changes:     %v\n", all)
}

// count is how many messages have arrived.
func count(views []event) (n uint64) {
	for _, v := range views {
		for _, a := range v.Arrived {
			n += a.Count
		}
	}
	return n
}

// pauses are the longest pauses of all pairs in a phase.
func pauses(views []event, phase int) (t measure.Times) {
	for _, v := range views {
		for _, a := range v.Arrived {
			t = append(t, a.Pauses[phase])
		}
	}
	return t
}

// settle waits until all nodes see all nodes.
func (d *director) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for {
		views, err := d.views(ctx)
		if err != nil {
			return fmt.Errorf("nodes do not see each other: %w", err)
		}
		if !slices.ContainsFunc(views, func(e event) bool { return len(e.Members) != len(d.names) }) {
			return nil
		}
		if err := pause(ctx, look); err != nil {
			return fmt.Errorf("nodes do not see each other: %w", err)
		}
	}
}

// views asks every node what it sees.
func (d *director) views(ctx context.Context) ([]event, error) {
	d.round++
	d.crowd.TellAll(command{Do: "view", Round: d.round})
	return d.gather(ctx, len(d.names), "view")
}

// gather waits for n events of a kind, each from another node, in the order of nodes;
// with n being 1, for one.
func (d *director) gather(ctx context.Context, n int, kind string) ([]event, error) {
	events := make([]event, len(d.names))
	for range n {
		h, err := d.crowd.Next(ctx)
		switch {
		case err != nil:
			return nil, err
		case h.Event.Kind != kind:
			return nil, fmt.Errorf("%s: %q instead of %q", d.names[h.Index], h.Event.Kind, kind)
		}
		events[h.Index] = h.Event
	}
	return events, nil
}

// idleFor lets d pass and returns the longest time for which this process, which has
// nothing to do but look at the clock, did not get to do so: no pause of messages can
// be expected to be shorter.
func idleFor(ctx context.Context, d time.Duration) (stall time.Duration, err error) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	for last := began; last.Sub(began) < d; {
		select {
		case <-tick.C:
			now := time.Now()
			stall = max(stall, now.Sub(last))
			last = now
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return stall, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
