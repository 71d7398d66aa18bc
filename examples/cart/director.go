package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/internal/crowd"
)

// director runs the whole show.
type director struct {
	out    io.Writer
	opts   options
	crowd  crowd.Crowd[event]
	names  []string // the nodes', once started
	victim int      // who has been killed; -1: nobody
	ledger *ledger
	ready  int // members that were ready
	began  time.Time
}

// grace is how long a member that is to leave may take.
const grace = 20 * time.Second

func newDirector(out io.Writer, nodes int, o options) *director {
	d := &director{out: out, opts: o, victim: -1, ledger: newLedger(), began: time.Now()}
	for i := range nodes {
		d.crowd.Add(fmt.Sprintf("n%d", i+1))
	}
	return d
}

func (d *director) say(format string, args ...any) {
	fmt.Fprintf(d.out, "%6.2fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// run starts the cluster, lets it write, kills a member in the middle and
// checks what the others hold. Nil means that all was as promised.
func (d *director) run(ctx context.Context) error {
	defer func() {
		if err := d.crowd.Close(grace); err != nil {
			d.say("%v", err)
		}
	}()
	if err := d.start(ctx); err != nil {
		return err
	}
	before, err := d.owners(ctx)
	if err != nil {
		return err
	}
	d.showOwners(before)
	if err := d.write(ctx, d.busiest(before)); err != nil {
		return err
	}
	after, err := d.owners(ctx)
	if err != nil {
		return err
	}
	if err := d.showMoves(before, after); err != nil {
		return err
	}
	views, err := d.agree(ctx)
	if err != nil {
		return err
	}
	return d.verdict(views)
}

func (d *director) start(ctx context.Context) error {
	for i := range d.crowd.Len() {
		if err := d.crowd.Start(i, d.opts); err != nil {
			return fmt.Errorf("%w (without the permission to start processes, try -inproc)", err)
		}
		e, err := d.await(ctx, "started", i)
		if err != nil {
			return err
		}
		d.crowd.Locate(i, e.Addr)
		d.names = append(d.names, d.crowd.Name(i)+"@"+e.Addr)
		d.say("started %s", d.names[i])
	}
	for d.ready < d.crowd.Len() { // each knows where all carts are served
		if _, err := d.next(ctx, "all nodes to be ready"); err != nil {
			return err
		}
	}
	d.say("all %d nodes see all %d carts", d.crowd.Len(), d.opts.Carts)
	return nil
}

// next returns the next event. That a member ends is an error, unless it was killed.
func (d *director) next(ctx context.Context, waitingFor string) (crowd.Heard[event], error) {
	h, err := d.crowd.Next(ctx)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("waiting for %s: %w", waitingFor, err)
	}
	if h.Event.Kind == "ready" {
		d.ready++
	}
	return h, err
}

// await returns the next event of a kind from a node.
func (d *director) await(ctx context.Context, kind string, node int) (event, error) {
	for {
		h, err := d.next(ctx, fmt.Sprintf("%q from %s", kind, d.crowd.Name(node)))
		if err != nil || h.Event.Kind == kind && h.Index == node {
			return h.Event, err
		}
	}
}

// alive are the nodes that have not been killed.
func (d *director) alive() (nodes []int) {
	for i := range d.crowd.Len() {
		if i != d.victim {
			nodes = append(nodes, i)
		}
	}
	return nodes
}

func (d *director) owners(ctx context.Context) (map[string]string, error) {
	first := d.alive()[0]
	d.crowd.Tell(first, command{Do: "owners"})
	e, err := d.await(ctx, "owners", first)
	return e.Owners, err
}

// busiest is the node that serves the most carts.
func (d *director) busiest(owners map[string]string) int {
	serves := make(map[string]int)
	for _, node := range owners {
		serves[node]++
	}
	return slices.MaxFunc(d.alive(), func(a, b int) int { return serves[d.names[a]] - serves[d.names[b]] })
}

// write lets all nodes write, and kills victim after a third of the writes.
func (d *director) write(ctx context.Context, victim int) error {
	writing := d.crowd.Len()
	total := writing * d.opts.Writes
	d.say("all nodes write at once: %d writes to %d carts", total, d.opts.Carts)
	d.crowd.TellAll(command{Do: "write"})
	step := max(1, total/8)
	for seen := 0; writing > 0; {
		h, err := d.next(ctx, "all writes to be done")
		if err != nil {
			return err
		}
		switch e := h.Event; {
		case h.Gone: // all that the victim had to say has been read
			writing--
		case e.Kind == "sending":
			d.ledger.record(e)
		case e.Kind == "write":
			d.ledger.record(e)
			if seen++; seen%step == 0 {
				d.say("%5d of %d writes acknowledged, %d without an answer", d.ledger.writes, total, d.ledger.errors)
			}
			if seen == total/3 {
				d.victim = victim
				if err := d.crowd.Kill(victim); err != nil {
					return err
				}
				d.say("KILLED %s in the middle of it", d.names[victim])
			}
		case e.Kind == "written" && h.Index != d.victim:
			writing--
		}
	}
	d.say("the survivors are done: %d writes acknowledged, %d without an answer", d.ledger.writes, d.ledger.errors)
	return nil
}

// agree asks the survivors for their views until they are equal.
func (d *director) agree(ctx context.Context) (map[string]carts, error) {
	for {
		views := make(map[string]carts)
		for _, i := range d.alive() {
			d.crowd.Tell(i, command{Do: "view"})
			e, err := d.await(ctx, "view", i)
			if err != nil {
				return nil, fmt.Errorf("views have not become equal: %w", err)
			}
			views[d.names[i]] = e.View
		}
		if d.equal(views) {
			d.say("the survivors' views are equal")
			return views, nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("views have not become equal: %w", ctx.Err())
		}
	}
}

func (d *director) equal(views map[string]carts) bool {
	first := views[d.names[d.alive()[0]]]
	for _, v := range views {
		if !v.equal(first) {
			return false
		}
	}
	return true
}

// verdict prints every survivor's view of every cart and checks it.
func (d *director) verdict(views map[string]carts) error {
	names := slices.Sorted(maps.Keys(views))
	fmt.Fprintf(d.out, "\n%-8s  %-8s", "cart", "acked")
	for _, name := range names {
		fmt.Fprintf(d.out, "  %-20s", name)
	}
	fmt.Fprintln(d.out)
	for i := range d.opts.Carts {
		cart := cartName(i)
		var acked int64
		for at, n := range d.ledger.acked {
			if at.Cart == cart {
				acked += n
			}
		}
		fmt.Fprintf(d.out, "%-8s  %-8d", cart, acked)
		for _, name := range names {
			pieces, kinds := views[name].total(cart)
			fmt.Fprintf(d.out, "  %-20s", fmt.Sprintf("%d pieces of %d items", pieces, kinds))
		}
		fmt.Fprintln(d.out)
	}
	var faults []string
	for _, name := range names {
		for _, f := range d.ledger.check(views[name]) {
			faults = append(faults, name+": "+f)
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d lines are wrong:\n  %s", len(faults), strings.Join(faults, "\n  "))
	}
	fmt.Fprintf(d.out, "\nNothing that was acknowledged is lost, and nothing is there that nobody sent.\n")
	return nil
}

func (d *director) showOwners(owners map[string]string) {
	for _, cart := range slices.Sorted(maps.Keys(owners)) {
		d.say("%s is served by %s", cart, owners[cart])
	}
}

// showMoves says where the victim's carts went.
func (d *director) showMoves(before, after map[string]string) error {
	victim := d.names[d.victim]
	for _, cart := range slices.Sorted(maps.Keys(before)) {
		switch {
		case after[cart] == "" || after[cart] == victim:
			return fmt.Errorf("%s is not served by any survivor", cart)
		case before[cart] == victim:
			d.say("%s was started again on %s", cart, after[cart])
		}
	}
	return nil
}
