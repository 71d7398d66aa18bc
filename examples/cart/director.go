package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// handle is the director's grip on one member, in this process or another.
type handle struct {
	index int
	name  string // the node's name, once started
	tell  func(command)
	kill  func() // at once, without a goodbye
	wait  func() error
	gone  bool
}

// launcher starts a member whose events go to events. The last of them has the
// kind "gone".
type launcher func(o options, events chan<- event) (*handle, error)

// director runs the whole show.
type director struct {
	out     io.Writer
	opts    options
	nodes   int
	events  chan event
	members []*handle
	ledger  *ledger
	ready   int // members that were ready
	began   time.Time
}

func (d *director) say(format string, args ...any) {
	fmt.Fprintf(d.out, "%6.2fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// run starts the cluster, lets it write, kills a member in the middle and
// checks what the others hold. Nil means that all was as promised.
func (d *director) run(ctx context.Context, launch launcher) error {
	defer d.stopAll()
	if err := d.start(ctx, launch); err != nil {
		return err
	}
	before, err := d.owners(ctx)
	if err != nil {
		return err
	}
	d.showOwners(before)
	victim := d.victim(before)
	if err := d.write(ctx, victim); err != nil {
		return err
	}
	after, err := d.owners(ctx)
	if err != nil {
		return err
	}
	if err := d.showMoves(before, after, victim); err != nil {
		return err
	}
	views, err := d.agree(ctx)
	if err != nil {
		return err
	}
	return d.verdict(views)
}

func (d *director) start(ctx context.Context, launch launcher) error {
	var join []string
	for i := range d.nodes {
		o := d.opts
		o.Index, o.Join = i+1, slices.Clone(join)
		h, err := launch(o, d.events)
		if err != nil {
			return err
		}
		d.members = append(d.members, h)
		e, err := d.await(ctx, "started", h)
		if err != nil {
			return err
		}
		h.name = fmt.Sprintf("n%d@%s", o.Index, e.Addr)
		join = append(join, e.Addr)
		d.say("started %s", h.name)
	}
	if err := d.awaitReady(ctx); err != nil {
		return err
	}
	d.say("all %d nodes see all %d carts", d.nodes, d.opts.Carts)
	return nil
}

// next returns the next event, unless it means trouble.
func (d *director) next(ctx context.Context, waitingFor string) (event, error) {
	select {
	case e := <-d.events:
		if e.Kind == "ready" {
			d.ready++
		}
		return e, d.trouble(e)
	case <-ctx.Done():
		return event{}, fmt.Errorf("waiting for %s: %w", waitingFor, ctx.Err())
	}
}

// await returns the next event of a kind from h.
func (d *director) await(ctx context.Context, kind string, h *handle) (event, error) {
	for {
		e, err := d.next(ctx, fmt.Sprintf("%q from node %d", kind, h.index))
		if err != nil || e.Kind == kind && e.Node == h.index {
			return e, err
		}
	}
}

// awaitReady returns when every member knows where all carts are served.
func (d *director) awaitReady(ctx context.Context) error {
	for d.ready < d.nodes {
		if _, err := d.next(ctx, "all nodes to be ready"); err != nil {
			return err
		}
	}
	return nil
}

// trouble is an error if e is the unexpected end of a member.
func (d *director) trouble(e event) error {
	switch {
	case e.Kind == "failed":
		return fmt.Errorf("node %d: %s", e.Node, e.Error)
	case e.Kind == "gone" && !d.members[e.Node-1].gone:
		return fmt.Errorf("node %d ended unexpectedly", e.Node)
	}
	return nil
}

func (d *director) alive() []*handle {
	return slices.DeleteFunc(slices.Clone(d.members), func(h *handle) bool { return h.gone })
}

func (d *director) owners(ctx context.Context) (map[string]string, error) {
	h := d.alive()[0]
	h.tell(command{Do: "owners"})
	e, err := d.await(ctx, "owners", h)
	return e.Owners, err
}

// victim is the member that serves the most carts.
func (d *director) victim(owners map[string]string) *handle {
	serves := make(map[string]int)
	for _, node := range owners {
		serves[node]++
	}
	return slices.MaxFunc(d.members, func(a, b *handle) int { return serves[a.name] - serves[b.name] })
}

// write lets all members write, and kills victim after a third of the writes.
func (d *director) write(ctx context.Context, victim *handle) error {
	total := d.nodes * d.opts.Writes
	d.say("all nodes write at once: %d writes to %d carts", total, d.opts.Carts)
	for _, h := range d.members {
		h.tell(command{Do: "write"})
	}
	writing := d.nodes
	step := max(1, total/8)
	for seen := 0; writing > 0; {
		e, err := d.next(ctx, "all writes to be done")
		if err != nil {
			return err
		}
		switch e.Kind {
		case "sending":
			d.ledger.record(e)
		case "write":
			d.ledger.record(e)
			if seen++; seen%step == 0 {
				d.say("%5d of %d writes acknowledged, %d without an answer", d.ledger.writes, total, d.ledger.errors)
			}
			if seen == total/3 {
				victim.gone = true
				victim.kill()
				d.say("KILLED %s in the middle of it", victim.name)
			}
		case "written":
			if !d.members[e.Node-1].gone {
				writing--
			}
		case "gone": // all that the victim had to say has been read
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
		for _, h := range d.alive() {
			h.tell(command{Do: "view"})
			e, err := d.await(ctx, "view", h)
			if err != nil {
				return nil, fmt.Errorf("views have not become equal: %w", err)
			}
			views[h.name] = e.View
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
	first := views[d.alive()[0].name]
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
func (d *director) showMoves(before, after map[string]string, victim *handle) error {
	for _, cart := range slices.Sorted(maps.Keys(before)) {
		switch {
		case after[cart] == "" || after[cart] == victim.name:
			return fmt.Errorf("%s is not served by any survivor", cart)
		case before[cart] == victim.name:
			d.say("%s was started again on %s", cart, after[cart])
		}
	}
	return nil
}

func (d *director) stopAll() {
	for _, h := range d.alive() {
		h.gone = true
		h.tell(command{Do: "stop"})
	}
	finished := make(chan struct{})
	go func() { // whoever is still talking is not listened to any more
		for {
			select {
			case <-d.events:
			case <-finished:
				return
			}
		}
	}()
	for _, h := range d.members {
		if err := h.wait(); err != nil {
			d.say("node %d: %v", h.index, err)
		}
	}
	close(finished)
}
