package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/behaviours/partition"
)

// The acts of the show, and how often the screen shows what everybody has.
const (
	nodes    = 5
	left     = 3 // nodes on the left side
	frame    = 300 * time.Millisecond
	together = 4 // frames in which all count before the cut, and after the healing
	parted   = 6 // frames in which all know that they are parted
)

// director runs the whole show.
type director struct {
	out      io.Writer
	strategy partition.Strategy
	secret   string
	company
	began time.Time
	cut   bool
}

func newDirector(out io.Writer, s partition.Strategy, secret string) *director {
	d := &director{out: out, strategy: s, secret: secret, began: time.Now()}
	d.says = func(member, text string) { d.say("%s %s", member, text) }
	return d
}

func (d *director) say(format string, args ...any) {
	fmt.Fprintf(d.out, "%6.2fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// run starts the cluster, parts and heals it, and checks what comes of it. Nil
// means that all was as promised.
func (d *director) run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, d.crowd.Close(grace)) }()
	if err := d.start(ctx); err != nil {
		return err
	}
	d.say("below, for each node: its count, whom it sees, and how many increments it has refused")
	if err := d.watch(ctx, "all to see each other", d.allTogether); err != nil {
		return err
	}
	d.say("all %d see each other; now all count, strategy %v", nodes, d.strategy)
	if err := d.ask(ctx, command{Do: "count"}); err != nil {
		return err
	}
	if err := d.frames(ctx, together); err != nil {
		return err
	}
	if err := d.partition(ctx); err != nil {
		return err
	}
	if err := d.heal(ctx); err != nil {
		return err
	}
	if err := d.ask(ctx, command{Do: "rest"}); err != nil {
		return err
	}
	d.say("nobody counts any more")
	if err := d.watch(ctx, "counts to become equal", func() bool { return equal(d.statuses()) }); err != nil {
		return errors.Join(err, errors.New(strings.Join(checkHealed(d.statuses()), "\n  ")))
	}
	return d.verdict()
}

// start starts the members.
func (d *director) start(ctx context.Context) error {
	for i := range nodes {
		if err := d.enter(ctx, d.secret, d.strategy); err != nil {
			return err
		}
		d.say("%s is process %d, at %s", nodeName(i), d.crowd.Pid(i), d.crowd.Addr(i))
	}
	return nil
}

// partition cuts the sides off from each other and checks what they do.
func (d *director) partition(ctx context.Context) error {
	if err := d.askEach(ctx, func(i int) command { return command{Do: "cut", Cut: d.beyond(i)} }); err != nil {
		return err
	}
	d.cut = true
	d.say("CUT: %s", sides())
	knows := func() bool {
		for i, s := range d.last {
			if !s.Parted || !slices.Equal(s.Members, sideOf(i)) {
				return false
			}
		}
		return true
	}
	if err := d.watch(ctx, "both sides to notice", knows); err != nil {
		return err
	}
	d.say("all know that they are parted")
	if err := d.watch(ctx, "the sides to settle", d.settled); err != nil {
		return err
	}
	before := d.statuses()
	if err := d.frames(ctx, parted); err != nil {
		return err
	}
	after := d.statuses()
	if faults := checkParted(d.strategy, before, after); len(faults) > 0 {
		return fmt.Errorf("while parted:\n  %s", strings.Join(faults, "\n  "))
	}
	if d.strategy == partition.ReadOnly {
		d.say("neither side has counted while it knew: %d refused on the left, %d on the right",
			sum(after[:left], refused)-sum(before[:left], refused), sum(after[left:], refused)-sum(before[left:], refused))
		return nil
	}
	d.say("both sides went on: %d more on the left, %d more on the right, neither knows of the other's",
		sum(after[:left], counted)-sum(before[:left], counted), sum(after[left:], counted)-sum(before[left:], counted))
	return nil
}

// settled reports whether what was under way on each side has arrived: at
// once where all go on, and when each side is equal where nobody counts.
func (d *director) settled() bool {
	all := d.statuses()
	return d.strategy != partition.ReadOnly || equal(all[:left]) && equal(all[left:])
}

// heal ends the partition, and lets all count on when they have noticed.
func (d *director) heal(ctx context.Context) error {
	if err := d.ask(ctx, command{Do: "heal"}); err != nil {
		return err
	}
	d.cut = false
	d.say("HEALED")
	if err := d.watch(ctx, "the sides to find each other", d.allTogether); err != nil {
		return err
	}
	before := d.statuses()
	if err := d.frames(ctx, together); err != nil {
		return err
	}
	for i, s := range d.last {
		if s.Counted == before[i].Counted {
			return fmt.Errorf("%s does not count although all is healed", nodeName(i))
		}
	}
	return nil
}

// allTogether reports whether everybody sees everybody.
func (d *director) allTogether() bool {
	return !slices.ContainsFunc(d.last[:], func(s status) bool { return s.Parted || len(s.Members) != nodes })
}

// sideOf returns the names of those on node i's side while the cluster is parted.
func sideOf(i int) (side []string) {
	for k := range nodes {
		if (k < left) == (i < left) {
			side = append(side, nodeName(k))
		}
	}
	return side
}

// beyond returns the addresses of those that are not on node i's side.
func (d *director) beyond(i int) (addrs []string) {
	for k := range nodes {
		if (k < left) != (i < left) {
			addrs = append(addrs, d.crowd.Addr(k))
		}
	}
	return addrs
}

func sides() string { return strings.Join(sideOf(0), " ") + " | " + strings.Join(sideOf(left), " ") }

// frames shows n frames.
func (d *director) frames(ctx context.Context, n int) error {
	shown := 0
	return d.watch(ctx, "the time to pass", func() bool { shown++; return shown >= n })
}

// watch shows frames until what is waited for has come.
func (d *director) watch(ctx context.Context, what string, come func() bool) error {
	for {
		err := d.listen(ctx, frame)
		if err == nil {
			err = d.ask(ctx, command{Do: "status"})
		}
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		d.say("%s", row(d.statuses(), d.cut))
		if come() {
			return nil
		}
	}
}
