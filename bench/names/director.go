package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/topos-go/topos/bench/measure"
	"github.com/topos-go/topos/internal/crowd"
)

const (
	// meeting is how long the nodes may take to see each other.
	meeting = 30 * time.Second
	// grace is how long after the last registration all must be known.
	grace = 30 * time.Second
)

// plan is what is measured, as members are told.
type plan struct{ Nodes, Names, Rate int }

// result is the last line.
type result struct {
	Nodes int     `json:"nodes"`
	Names int     `json:"names"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

// direct starts the members, lets them register, and puts together what they saw.
func direct(ctx context.Context, p plan, out io.Writer) (result, error) {
	c, err := crowd.New[event](p.Nodes)
	if err != nil {
		return result{}, err
	}
	defer c.End()
	for i := range p.Nodes {
		if err := c.Start(i, p); err != nil {
			return result{}, err
		}
	}
	if _, err := gather(ctx, c, "met", meeting); err != nil {
		return result{}, fmt.Errorf("the nodes do not meet: %w", err)
	}
	c.TellAll(command{Start: time.Now().Add(time.Second)})
	limit := time.Second + time.Duration(p.Names)*time.Second/time.Duration(p.Rate) + grace
	reports, err := gather(ctx, c, "seen", limit)
	if err != nil {
		return result{}, fmt.Errorf("not all names are known everywhere: %w", err)
	}
	times := visible(p, reports)
	fmt.Fprintf(out, "registered to known on all of %d nodes: %v\n", p.Nodes, times)
	return result{p.Nodes, p.Names, times.Percentile(0.5), times.Percentile(0.99), times.Percentile(1)}, nil
}

// gather waits until each member has told an event of a kind.
func gather(ctx context.Context, c *crowd.Crowd[event], kind string, limit time.Duration) ([]event, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	events := make([]event, c.Len())
	for range c.Len() {
		h, err := c.Next(ctx)
		switch {
		case err != nil:
			return nil, err
		case h.Event.Kind != kind:
			return nil, fmt.Errorf("%s: %q instead of %q", c.Name(h.Index), h.Event.Kind, kind)
		}
		events[h.Index] = h.Event
	}
	return events, nil
}

// visible returns, for each name, how long it took from its registration until the
// last node saw it.
func visible(p plan, reports []event) measure.Times {
	times := make(measure.Times, p.Names)
	for k := range times {
		last := int64(0)
		for _, r := range reports {
			last = max(last, r.Seen[k])
		}
		times[k] = time.Duration(last - reports[k%p.Nodes].Made[k])
	}
	return times
}
