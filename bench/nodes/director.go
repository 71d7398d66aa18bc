package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/internal/crowd"
)

const (
	// joins is by how many others a node joins.
	joins = 3
	// broadcasts is how many there are, of nodes spread over the processes.
	broadcasts = 5
	// progress is after how many starts a line says so.
	progress = 100
)

var errBehind = errors.New("the machine cannot keep up with so many")

// director has nodes started, killed and asked, in its processes.
type director struct {
	kill                       float64
	every, limit, settle, rest time.Duration
	out                        io.Writer

	crowd *crowd.Crowd[event]
	plan  plan
	alive []int    // nodes, of which node i is in process i % processes
	addrs []string // of all nodes
	rng   *rand.Rand
}

// direct starts the processes and measures.
func (d *director) direct(ctx context.Context, p plan, processes int) (r result, err error) {
	d.plan, d.rng = p, rand.New(rand.NewPCG(1, 1))
	if d.crowd, err = crowd.New[event](processes); err != nil {
		return result{}, err
	}
	defer d.crowd.End()
	for i := range processes {
		if err := d.crowd.Start(i, p); err != nil {
			return result{}, err
		}
	}
	r = result{Nodes: p.Nodes, Processes: processes}
	for _, measure := range []func(context.Context, *result) error{d.start, d.stay, d.spread, d.bury} {
		if err := measure(ctx, &r); err != nil {
			return result{}, err
		}
	}
	return r, nil // the rest are killed: hundreds would not leave in peace
}

// start has all nodes started, one after the other, and waits until they know each other.
func (d *director) start(ctx context.Context, r *result) error {
	d.crowd.TellAll(command{Do: "phase", Phase: "start"})
	next := time.NewTicker(d.every)
	doubts := make([]doubted, d.crowd.Len())
	defer next.Stop()
	begun := time.Now()
	for i := range d.plan.Nodes {
		if behind := time.Since(begun) - time.Duration(i)*d.every; behind > d.limit {
			return fmt.Errorf("%d nodes have been started after %v, %v: %w", i, time.Since(begun), total(doubts), d.dump(errBehind))
		}
		if i%progress == 0 && i > 0 {
			fmt.Fprintf(d.out, "%d nodes have been started after %.1f s: %v\n", i, time.Since(begun).Seconds(), total(doubts))
		}
		c := command{Do: "start", Node: i}
		for range min(i, joins) {
			c.Join = append(c.Join, d.addrs[d.rng.IntN(i)])
		}
		process := i % d.crowd.Len()
		d.crowd.Tell(process, c)
		e, err := d.hear(ctx, "started")
		if err != nil {
			return err
		}
		doubts[process] = e.doubted
		d.addrs, d.alive = append(d.addrs, e.Addr), append(d.alive, i)
		if i+1 == d.plan.Nodes {
			break
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	last := time.Now()
	known, err := d.agreed(ctx)
	if err != nil {
		return err
	}
	r.Directory = known.Sub(last).Seconds()
	all, err := d.usage(ctx, true)
	if err != nil {
		return err
	}
	for _, u := range all {
		r.Memory += u.Resident
		r.Heap += u.Heap
		r.Stacks += u.Stacks
		r.Goroutines += u.Goroutines
		r.Files += u.Files
		r.Start += u.Processor.Seconds()
		r.Doubts.add(u.doubted)
	}
	r.Memory, r.Heap, r.Stacks = r.Memory>>20, r.Heap>>20, r.Stacks>>20
	fmt.Fprintf(d.out, "%d nodes know each other %.1f s after the last start: %d MB of memory in %d processes, %d MB of heap and %d MB of stacks, %d goroutines, %d files; %v\n",
		r.Nodes, r.Directory, r.Memory, r.Processes, r.Heap, r.Stacks, r.Goroutines, r.Files, r.Doubts)
	return nil
}

// stay measures what nodes do when nothing happens.
func (d *director) stay(ctx context.Context, r *result) error {
	d.crowd.TellAll(command{Do: "phase", Phase: "settle"})
	if err := pause(ctx, d.settle); err != nil {
		return err
	}
	d.crowd.TellAll(command{Do: "phase", Phase: "rest"})
	before, err := d.usage(ctx, false)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := pause(ctx, d.rest); err != nil {
		return err
	}
	after, err := d.usage(ctx, false)
	if err != nil {
		return err
	}
	var used time.Duration
	for i := range after {
		used += after[i].Processor - before[i].Processor
	}
	r.Rest = float64(used) / float64(time.Since(begun)) * 1000 / float64(r.Nodes)
	fmt.Fprintf(d.out, "at rest, a node takes %.2f ms of processor time a second\n", r.Rest)
	d.crowd.TellAll(command{Do: "dump"})
	return nil
}

// spread measures how long broadcasts take.
func (d *director) spread(ctx context.Context, r *result) error {
	d.crowd.TellAll(command{Do: "phase", Phase: "broadcast"})
	for round := range broadcasts {
		d.crowd.TellAll(command{Do: "listen", Round: round})
		if _, err := d.gather(ctx, "listening"); err != nil {
			return err
		}
		from := d.alive[round*len(d.alive)/broadcasts]
		begun := time.Now()
		d.crowd.Tell(from%d.crowd.Len(), command{Do: "broadcast", Node: from, Round: round})
		heard, err := d.gather(ctx, "heard")
		if err != nil {
			return fmt.Errorf("a broadcast does not reach all: %w", err)
		}
		r.Broadcast = max(r.Broadcast, latest(heard).Sub(begun).Seconds())
	}
	fmt.Fprintf(d.out, "a broadcast reaches all within %.3f s\n", r.Broadcast)
	return nil
}

// bury kills nodes and measures how long it takes until all others know.
func (d *director) bury(ctx context.Context, r *result) error {
	d.crowd.TellAll(command{Do: "phase", Phase: "kill"})
	d.rng.Shuffle(len(d.alive), func(i, j int) { d.alive[i], d.alive[j] = d.alive[j], d.alive[i] })
	dead := d.alive[:int(d.kill*float64(len(d.alive)))]
	d.alive = d.alive[len(dead):]
	kills := make([][]int, d.crowd.Len())
	for _, i := range dead {
		kills[i%len(kills)] = append(kills[i%len(kills)], i)
	}
	begun := time.Now()
	for process, nodes := range kills {
		d.crowd.Tell(process, command{Do: "kill", Nodes: nodes})
	}
	buried, err := d.agreed(ctx)
	if err != nil {
		return err
	}
	r.Obituaries = buried.Sub(begun).Seconds()
	fmt.Fprintf(d.out, "%d have been killed, which all others know after %.1f s\n", len(dead), r.Obituaries)
	d.crowd.TellAll(command{Do: "phase"}) // the profile is complete when its process answers
	all, err := d.usage(ctx, false)
	if err != nil {
		return err
	}
	for _, u := range all {
		r.MemoryPeak += u.ResidentPeak
		r.FilesPeak = max(r.FilesPeak, u.FilesPeak)
		r.DoubtsKill.add(u.doubted)
	}
	r.MemoryPeak >>= 20
	return nil
}

// agreed returns when the last of the living nodes knew them all, and nobody else.
func (d *director) agreed(ctx context.Context) (time.Time, error) {
	d.crowd.TellAll(command{Do: "agree", Members: len(d.alive), Limit: d.limit})
	known, err := d.gather(ctx, "agreed")
	if err != nil {
		return time.Time{}, err
	}
	for i, e := range known {
		if e.Least != len(d.alive) || e.Most != len(d.alive) {
			err = errors.Join(err, fmt.Errorf("after %v nodes of process %d know between %d and %d of %d", d.limit, i, e.Least, e.Most, len(d.alive)))
		}
	}
	if err != nil {
		return time.Time{}, d.dump(err)
	}
	return latest(known), nil
}

// dump has all profiles written, to see why something has failed, and returns err.
func (d *director) dump(err error) error {
	if d.plan.Profile == "" {
		return err
	}
	d.crowd.TellAll(command{Do: "phase"})
	d.crowd.TellAll(command{Do: "dump"})
	_, failed := d.usage(context.Background(), false) // told when that is done
	return errors.Join(err, failed)
}

func (d *director) usage(ctx context.Context, collected bool) ([]event, error) {
	d.crowd.TellAll(command{Do: "measure", Collect: collected})
	return d.gather(ctx, "usage")
}

// gather waits until each process has told an event of a kind.
func (d *director) gather(ctx context.Context, kind string) ([]event, error) {
	events := make([]event, d.crowd.Len())
	for range events {
		e, err := d.hear(ctx, kind)
		if err != nil {
			return nil, err
		}
		events[e.Process] = e
	}
	return events, nil
}

// hear waits for an event of a kind, a little longer than members do for anything.
func (d *director) hear(ctx context.Context, kind string) (event, error) {
	ctx, cancel := context.WithTimeout(ctx, d.limit+d.limit/2)
	defer cancel()
	h, err := d.crowd.Next(ctx)
	switch {
	case err != nil:
		return event{}, fmt.Errorf("no event %q: %w", kind, err)
	case h.Event.Kind != kind:
		return event{}, fmt.Errorf("%s: %q instead of %q", d.crowd.Name(h.Index), h.Event.Kind, kind)
	}
	return h.Event, nil
}

// total sums up what the processes have told.
func total(all []doubted) (sum doubted) {
	for _, d := range all {
		sum.add(d)
	}
	return sum
}

// latest returns when the last of some events happened.
func latest(events []event) (last time.Time) {
	for _, e := range events {
		if e.At.After(last) {
			last = e.At
		}
	}
	return last
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
