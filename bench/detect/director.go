package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/bench/measure"
	"github.com/topos-go/topos/internal/crowd"
)

const (
	// unseenAfter is when a loss counts as not seen by a node, and as its time then.
	unseenAfter = 30 * time.Second
	// settleLimit is how long all nodes may take to see all others; longer is an
	// error of the program.
	settleLimit = 60 * time.Second
	// quiet is how long nothing may happen before the next trial.
	quiet = 500 * time.Millisecond
	// phase is within which time the victim is lost, at random: more than a second, so
	// that every phase of heartbeats is met.
	phase = 1200 * time.Millisecond
)

// result is the last line.
type result struct {
	KillP50        float64 `json:"kill_p50_ms"`
	KillP99        float64 `json:"kill_p99_ms"`
	StopP50        float64 `json:"stop_p50_ms"`
	StopP99        float64 `json:"stop_p99_ms"`
	FalsePositives int     `json:"false_positives"`
}

// director lets nodes be lost and measures.
type director struct {
	crowd  *crowd.Crowd[event]
	names  []string
	random *rand.Rand
	out    io.Writer
	peace  time.Duration // between trials

	up      []map[string]bool // who each node says is up
	victim  int               // -1: none
	stopped int               // the victim of this trial if it was stopped, and may be awake again; -1: none
	began   time.Time         // of the loss
	seen    map[int]bool      // who has said that the victim is down
	times   measure.Times     // of this trial

	wrong, woken, unseen int
}

func newDirector(nodes int, seed uint64, out io.Writer) (*director, error) {
	c, err := crowd.New[event](nodes)
	if err != nil {
		return nil, err
	}
	d := &director{
		crowd: c, random: rand.New(rand.NewPCG(seed, 0)), out: out,
		up: make([]map[string]bool, nodes), victim: -1, stopped: -1,
	}
	for i := range nodes {
		d.names = append(d.names, c.Name(i)+"@"+c.Addr(i))
		d.up[i] = make(map[string]bool)
	}
	return d, nil
}

func (d *director) run(ctx context.Context, trials int) (result, error) {
	for i := range d.names {
		if err := d.crowd.Start(i, nil); err != nil {
			return result{}, err
		}
	}
	if err := d.settle(ctx); err != nil {
		return result{}, err
	}
	var kills, stops measure.Times
	for t := range trials {
		err := d.trial(ctx, t%len(d.names), d.crowd.Kill, func(i int) error { return d.crowd.Start(i, nil) })
		if err != nil {
			return result{}, fmt.Errorf("kill %d: %w", t, err)
		}
		kills = append(kills, d.times...)
	}
	fmt.Fprintf(d.out, "killed to seen down: %v; unseen %d, false positives %d\n", kills, d.unseen, d.wrong)
	for t := range trials {
		if err := d.trial(ctx, t%len(d.names), d.freeze, d.crowd.Continue); err != nil {
			return result{}, fmt.Errorf("stop %d: %w", t, err)
		}
		stops = append(stops, d.times...)
	}
	fmt.Fprintf(d.out, "stopped to seen down: %v; unseen %d, false positives %d\n", stops, d.unseen, d.wrong)
	fmt.Fprintf(d.out, "downs that woken nodes have said of others: %d\n", d.woken)
	return result{
		KillP50: kills.Percentile(0.5), KillP99: kills.Percentile(0.99),
		StopP50: stops.Percentile(0.5), StopP99: stops.Percentile(0.99), FalsePositives: d.wrong,
	}, nil
}

func (d *director) freeze(i int) error {
	d.stopped = i
	return d.crowd.Stop(i)
}

// trial loses a node and gets it back.
func (d *director) trial(ctx context.Context, victim int, lose, regain func(int) error) error {
	if err := d.hear(ctx, d.peace+time.Duration(d.random.Int64N(int64(phase))), never); err != nil {
		return err
	}
	d.victim, d.seen, d.times, d.began = victim, make(map[int]bool), nil, time.Now()
	if err := lose(victim); err != nil {
		return err
	}
	err := d.hear(ctx, unseenAfter, func() bool { return len(d.seen) == len(d.names)-1 })
	if err != nil {
		return err
	}
	for range len(d.names) - 1 - len(d.seen) {
		d.unseen++
		d.times = append(d.times, unseenAfter)
	}
	fmt.Fprintf(d.out, "%s lost: %v\n", d.names[victim], d.times)
	if err := regain(victim); err != nil {
		return err
	}
	err = d.settle(ctx)
	d.victim, d.stopped = -1, -1
	return err
}

// settle waits until all nodes see all others and nothing happens any more.
func (d *director) settle(ctx context.Context) error {
	all := func() bool {
		for _, up := range d.up {
			if len(up) != len(d.names)-1 {
				return false
			}
		}
		return true
	}
	limit, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for {
		if err := d.hear(limit, settleLimit, all); err != nil {
			return fmt.Errorf("nodes do not see each other: %w: %v", err, d.up)
		}
		if err := d.hear(limit, quiet, never); err != nil {
			return err
		}
		if all() {
			return nil
		}
	}
}

func never() bool { return false }

// hear takes in events until enough, or for as long as limit, which is no error.
func (d *director) hear(ctx context.Context, limit time.Duration, enough func() bool) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for !enough() {
		h, err := d.crowd.Next(limited)
		if err != nil {
			if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
				return nil
			}
			return err
		}
		d.take(h)
	}
	return nil
}

// take takes in one event.
func (d *director) take(h crowd.Heard[event]) {
	i, e := h.Index, h.Event
	if h.Gone {
		clear(d.up[i])
		return
	}
	if e.Kind == "up" {
		d.up[i][e.Node] = true
		return
	}
	delete(d.up[i], e.Node)
	switch {
	case i == d.stopped:
		d.woken++
	case d.victim >= 0 && e.Node == d.names[d.victim] && e.Kind == "down" && !d.seen[i]:
		d.seen[i] = true
		took := time.Duration(e.At - d.began.UnixNano())
		d.times = append(d.times, took)
		fmt.Fprintf(d.out, "  seen by %s after %v: %s\n", d.names[i], took.Round(time.Millisecond/10), e.Error)
	default:
		d.wrong++
		fmt.Fprintf(d.out, "false positive: %s says that %s is %s\n", d.names[i], e.Node, e.Kind)
	}
}
