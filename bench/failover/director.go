package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/bench/measure"
	"github.com/topos-go/topos/internal/crowd"
	"github.com/topos-go/topos/registry"
)

const (
	// lostAfter is when a trial counts as lost.
	lostAfter = 30 * time.Second
	// settleLimit is how long the nodes may take to agree, from the start or after
	// a trial; longer is an error of the program.
	settleLimit = 60 * time.Second
	// look is how often it is seen whether they do.
	look = 50 * time.Millisecond
	// after is how long after they do double owners are looked for: more than
	// the placement's settling time.
	after = time.Second
	// phase is within which time of calls the victim is lost, at random: more than a
	// second, so that every phase of heartbeats is met.
	phase = 1200 * time.Millisecond
)

// result is the last line.
type result struct {
	Trials       int     `json:"trials"`
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
	Lost         int     `json:"lost"`
	DoubleOwners int     `json:"double_owners"`
}

// director lets nodes be lost and measures.
type director struct {
	crowd    *crowd.Crowd[event]
	names    []string // whole names of the nodes
	children []string // child i belongs to node i
	stop     bool
	random   *rand.Rand
	out      io.Writer
	peace    time.Duration // between trials
	round    int

	times    measure.Times
	lost     int
	doubles  int
	unserved int
	changes  int // of owner, as the client sees it, since the trial's second
	flapped  int
	healing  measure.Times // from the end of the trial until all agree again
}

func newDirector(nodes int, stop bool, seed uint64, out io.Writer) (*director, error) {
	c, err := crowd.New[event](nodes)
	if err != nil {
		return nil, err
	}
	d := &director{crowd: c, stop: stop, random: rand.New(rand.NewPCG(seed, 0)), out: out}
	var ids []actor.NodeID
	for i := range nodes {
		d.names = append(d.names, c.Name(i)+"@"+c.Addr(i))
		ids = append(ids, actor.NodeID{Name: d.names[i]})
	}
	d.children = make([]string, nodes)
	for k, found := 0, 0; found < nodes; k++ { // every node has its share
		child := fmt.Sprintf("counter/%d", k)
		if i := slices.Index(ids, registry.Owner(child, ids)); d.children[i] == "" {
			d.children[i] = child
			found++
		}
	}
	return d, nil
}

func (d *director) run(ctx context.Context, trials int) (result, error) {
	for i := range d.names {
		if err := d.crowd.Start(i, d.children); err != nil {
			return result{}, err
		}
	}
	if err := d.settle(ctx); err != nil {
		return result{}, err
	}
	for t := range trials {
		if err := d.trial(ctx, t); err != nil {
			return result{}, fmt.Errorf("trial %d: %w", t, err)
		}
	}
	how := "killed"
	if d.stop {
		how = "stopped"
	}
	fmt.Fprintf(d.out, "%s to answered by another owner: %v\n", how, d.times)
	fmt.Fprintf(d.out, "back to all agreeing again: %v\n", d.healing)
	fmt.Fprintf(d.out, "lost %d, double owners %d, unserved %d, more changes of owner than two %d\n", d.lost, d.doubles, d.unserved, d.flapped)
	return result{trials, d.times.Percentile(0.5), d.times.Percentile(0.99), d.lost, d.doubles}, nil
}

// trial loses one node and gets it back.
func (d *director) trial(ctx context.Context, t int) error {
	victim := t % len(d.names)
	client := (victim + 1) % len(d.names)
	d.crowd.Tell(client, command{Do: "call", Child: d.children[victim]})
	first, err := d.answer(ctx, settleLimit)
	if err != nil {
		return err
	}
	if first.Node != d.names[victim] {
		return fmt.Errorf("%s is served by %s, not %s", d.children[victim], first.Node, d.names[victim])
	}
	if err := pause(ctx, d.peace+time.Duration(d.random.Int64N(int64(phase)))); err != nil {
		return err
	}
	began := time.Now()
	if err := d.lose(victim); err != nil {
		return err
	}
	second, err := d.answer(ctx, lostAfter)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		d.lost++
		fmt.Fprintf(d.out, "trial %d: %s lost: no answer in %v\n", t, d.names[victim], lostAfter)
	case err != nil:
		return err
	default:
		took := time.Duration(second.At - began.UnixNano())
		d.times = append(d.times, took)
		fmt.Fprintf(d.out, "trial %d: %s lost, %s answered after %v\n", t, d.names[victim], second.Node, took.Round(time.Millisecond/10))
	}
	back := time.Now()
	d.changes = 0
	if err := d.regain(victim); err != nil {
		return err
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	d.healing = append(d.healing, time.Since(back))
	if err := d.inspect(ctx); err != nil {
		return err
	}
	return d.rest(ctx, client)
}

func (d *director) lose(victim int) error {
	if d.stop {
		return d.crowd.Stop(victim)
	}
	return d.crowd.Kill(victim)
}

func (d *director) regain(victim int) error {
	if d.stop {
		return d.crowd.Continue(victim)
	}
	return d.crowd.Start(victim, d.children) // after the end of the former life, which is in the queue then
}

// answer waits until the client has an answer of an instance that is not the
// one before.
func (d *director) answer(ctx context.Context, limit time.Duration) (event, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		h, err := d.crowd.Next(ctx)
		if err != nil || h.Event.Kind == "answered" {
			return h.Event, err
		}
	}
}

// rest ends the calls. Since the second answer the owner should have changed once:
// back home.
func (d *director) rest(ctx context.Context, client int) error {
	d.crowd.Tell(client, command{Do: "rest"})
	for {
		h, err := d.crowd.Next(ctx)
		if err != nil {
			return err
		}
		switch h.Event.Kind {
		case "answered":
			d.changes++
		case "rested":
			if d.changes > 1 {
				d.flapped++
			}
			return nil
		}
	}
}

// views asks every node what it sees. Changes of owner meanwhile are counted.
func (d *director) views(ctx context.Context) ([]event, error) {
	d.round++
	d.crowd.TellAll(command{Do: "view", Round: d.round})
	views := make([]event, len(d.names))
	for got := 0; got < len(views); {
		h, err := d.crowd.Next(ctx)
		if err != nil {
			return nil, err
		}
		switch e := h.Event; {
		case e.Kind == "view" && e.Round == d.round:
			views[h.Index] = e
			got++
		case e.Kind == "answered":
			d.changes++
		}
	}
	return views, nil
}

// settle waits until all nodes see all nodes, and every child where it belongs.
func (d *director) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for {
		views, err := d.views(ctx)
		if err != nil {
			return fmt.Errorf("nodes do not agree: %w", err)
		}
		if !slices.ContainsFunc(views, func(e event) bool { return !d.complete(e) }) {
			break
		}
		if err := pause(ctx, look); err != nil {
			return fmt.Errorf("nodes do not agree: %w: %+v", err, views)
		}
	}
	return nil
}

func (d *director) complete(e event) bool {
	if len(e.Members) != len(d.names) {
		return false
	}
	for i, child := range d.children {
		if e.Owners[child] != d.names[i] {
			return false
		}
	}
	return true
}

// inspect counts the children of which not exactly one instance answers.
func (d *director) inspect(ctx context.Context) error {
	if err := pause(ctx, after); err != nil {
		return err
	}
	views, err := d.views(ctx)
	if err != nil {
		return err
	}
	for i, n := range instances(views, d.children) {
		switch {
		case n > 1:
			d.doubles++
			fmt.Fprintf(d.out, "%s has %d owners\n", d.children[i], n)
		case n < 1:
			d.unserved++
			fmt.Fprintf(d.out, "%s has no owner\n", d.children[i])
		}
	}
	return nil
}

// instances counts, for each child, the instances on all nodes that answer.
func instances(views []event, children []string) []int {
	n := make([]int, len(children))
	for _, e := range views {
		for _, child := range e.Accepting {
			if i := slices.Index(children, child); i >= 0 {
				n[i]++
			}
		}
	}
	return n
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
