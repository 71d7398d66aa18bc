package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/topos-go/topos/overlay/hyparview"
	"github.com/topos-go/topos/overlay/plumtree"
)

// The pace of a run.
const (
	cycle = hyparview.DefaultShuffleInterval
	// joinEvery is the time between two joins, unless there are so many nodes
	// that it would take longer than joinWithin.
	joinEvery  = 10 * time.Millisecond
	joinWithin = 40 * time.Second
	// joinsTold is after how many joins there is a word of progress.
	joinsTold = 10_000
	// spacing is the time between two broadcasts while nothing happens: a few
	// are on their way at the same time. Floods do not disturb each other.
	spacing      = 250 * time.Millisecond
	floodSpacing = 50 * time.Millisecond
	// look is how often one looks whether the world is healed.
	look = 500 * time.Millisecond
)

// run is a Run as it goes on.
type run struct {
	*world
	report   Report
	healedAt int64 // when the nodes were one graph again; 0 is not yet
	cleanAt  int64 // when nobody had a dead neighbor any more
	agreedAt int64 // when all had the live ones for members, and no others
	brokenAt int64 // when they were killed
}

// Run plays the scenario of cfg: see the package. The report is complete if err
// is nil; ctx ends the run before. It is an error if cfg is not valid, if the
// transcript cannot be written, and if ctx has ended the run, but not if
// something is violated: that is in the report.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if err := cfg.Valid(); err != nil {
		return Report{}, err
	}
	cfg = cfg.withDefaults()
	r := &run{world: newWorld(ctx, cfg)}
	defer r.end()
	r.report.Config = cfg
	if cfg.Progress != nil {
		_, _ = fmt.Fprintf(cfg.Progress, "seed %d, %d nodes, %s, X-BOT %v, kill %v by %s; %v\n",
			cfg.Seed, cfg.Nodes, cfg.Topology, cfg.XBot, cfg.Kill, cfg.Notice, cfg.Faults)
	}
	for _, phase := range []struct {
		name string
		play func() bool
	}{
		{"join", r.join},
		{"settle", r.settle},
		{"stable", r.stable},
		{"kill", r.kill},
		{"faults", r.disturb},
		{"heal", r.heal},
		{"healed", r.healed},
	} {
		ok := phase.play()
		if ok && cfg.sabotage != nil && phase.name == "healed" {
			cfg.sabotage(r.world)
		}
		if ok && phase.name != "heal" && phase.name != "healed" {
			r.demand(safety())
		}
		if !ok {
			break
		}
	}
	if ctx.Err() == nil {
		r.finish()
	}
	r.report.take(r.world)
	return r.report, errorsOf(ctx, r.world)
}

// say tells the progress: the time in the world, and how many events there were.
func (r *run) say(format string, args ...any) {
	if r.cfg.Progress != nil {
		_, _ = fmt.Fprintf(r.cfg.Progress, "%8.1fs  %11d  %s\n", r.elapsed().Seconds(), r.steps, fmt.Sprintf(format, args...))
	}
}

// join starts one node after the other.
func (r *run) join() bool {
	every := min(joinEvery, joinWithin/time.Duration(r.cfg.Nodes))
	for i := range r.cfg.Nodes {
		r.queue.push(event{at: r.now + int64(every)*int64(i), kind: begins, to: r.add()})
	}
	for told := 0; told < r.cfg.Nodes; {
		more := min(joinsTold, r.cfg.Nodes-told)
		if !r.run(every * time.Duration(more)) {
			return false
		}
		told += more
		r.say("%d nodes have joined", told)
	}
	return true
}

// settle lets the views settle.
func (r *run) settle() bool {
	for i := range r.cfg.Cycles {
		if !r.run(cycle) {
			return false
		}
		r.demand(safety())
		if (i+1)%10 == 0 {
			r.say("%d cycles; parts of %v nodes", i+1, first(r.parts(), 5))
		}
	}
	r.report.Parts = len(r.parts())
	r.report.Degree, r.report.Cost = r.degree(), r.cost()
	return true
}

// cost returns how far neighbors are from each other on average.
func (w *world) cost() time.Duration {
	sum, n := int64(0), int64(0)
	for i := range w.nodes {
		for _, nb := range w.nodes[i].near {
			sum, n = sum+w.base(int32(i), nb.node), n+1
		}
	}
	return time.Duration(sum / max(1, n))
}

func first(list []int, n int) []int { return list[:min(n, len(list))] }

// degree returns the mean number of neighbors.
func (w *world) degree() float64 {
	sum := 0
	for i := range w.nodes {
		sum += len(w.nodes[i].near)
	}
	return float64(sum) / float64(max(1, w.living))
}

// stable measures broadcasts while nothing happens.
func (r *run) stable() (ok bool) {
	if r.report.Stable, ok = r.broadcasts("stable", r.cfg.Before, false, spacing, nil); ok {
		r.report.Flooded, ok = r.broadcasts("stable, flooded", r.cfg.Before, true, floodSpacing, nil)
	}
	return ok
}

// broadcasts measures n broadcasts of random nodes. watch is called now and then.
func (r *run) broadcasts(name string, n int, flood bool, every time.Duration, watch func()) (Measure, bool) {
	from, next := len(r.book.casts), r.now
	var senders []int32
	for k := range n {
		i := r.alive()
		if i < 0 {
			break
		}
		if k < r.cfg.Senders {
			senders = append(senders, i)
		}
		r.broadcast(senders[k%len(senders)], flood)
		if !r.run(every) {
			return Measure{}, false
		}
		if watch != nil && r.now >= next {
			watch()
			next = r.now + int64(look)
		}
	}
	for end := r.now + int64(judgement) + 1; r.now < end; {
		if !r.run(min(look, time.Duration(end-r.now))) {
			return Measure{}, false
		}
		if watch != nil {
			watch()
		}
	}
	m := r.summary(from, len(r.book.casts))
	r.say("%s: %v", name, m)
	return m, true
}

// kill crashes a part of the nodes at once, and measures broadcasts at once,
// within one interval.
func (r *run) kill() bool {
	if r.cfg.Kill == 0 {
		return true
	}
	r.calm = false
	n := int(r.cfg.Kill * float64(r.living))
	order := r.rng.Perm(len(r.nodes))
	for _, i := range order[:n] {
		r.stop(int32(i), r.cfg.Notice)
	}
	r.brokenAt = r.now
	r.say("%d nodes are killed, %d are left, in parts of %v", n, r.living, first(r.parts(), 5))
	name := "after the crash"
	if r.cfg.Flood {
		name += ", flooded"
	}
	var ok bool
	r.report.Killed, ok = r.broadcasts(name, r.cfg.Broadcasts, r.cfg.Flood, r.cfg.Spacing, r.watch)
	return ok
}

// watch notes when the world is healed.
func (r *run) watch() {
	if r.healedAt == 0 && r.holds([]checker{{"connected", checkConnected}}) {
		r.healedAt = r.now
	}
	if r.cleanAt == 0 && r.deadNeighbors() == 0 {
		r.cleanAt = r.now
	}
	if r.agreedAt == 0 && r.cfg.Directory && r.holds([]checker{{"member", checkMembers}}) {
		r.agreedAt = r.now
	}
}

// deadNeighbors returns how many neighbors are dead.
func (w *world) deadNeighbors() (n int) {
	for i := range w.nodes {
		for _, nb := range w.nodes[i].near {
			if !w.runs(nb.node, nb.boot) {
				n++
			}
		}
	}
	return n
}

// heal ends all faults, and gives the nodes time until all is as it must be.
func (r *run) heal() bool {
	r.mend()
	began := r.now
	for {
		r.watch()
		covered := r.cover()
		if r.cleanAt != 0 && covered && r.holds(liveness()) {
			break
		}
		if r.elapsed()-time.Duration(began) >= r.cfg.Healing {
			break
		}
		if !r.run(look) {
			return false
		}
	}
	if r.brokenAt != 0 {
		r.report.Healed.after(r.brokenAt, r.healedAt, r.cleanAt, r.agreedAt)
	}
	r.say("%v after the faults have ended: %d nodes in parts of %v, %d dead neighbors",
		r.elapsed()-time.Duration(began), r.living, first(r.parts(), 5), r.deadNeighbors())
	return true
}

// cover notes which broadcasts are promised: those of the last half of Retain, at
// the moment at which the world is healed, if nodes have room to keep them for so long
// among what their parts have broadcast. It is false before that.
func (r *run) cover() bool {
	if r.healedAt == 0 {
		return false
	}
	for id := range r.book.casts {
		c := &r.book.casts[id]
		c.covered = !c.flood && r.healedAt-c.at < int64(r.cfg.Retain/2) &&
			r.speech.count()-c.spoken < plumtree.DefaultMaxRetained/2
	}
	return true
}

// healed measures broadcasts again.
func (r *run) healed() (ok bool) {
	r.report.Sound, ok = r.broadcasts("healed", r.cfg.Broadcasts, false, spacing, nil)
	return ok
}

// finish checks everything, after it had a moment to be in order: a swap of
// neighbors may be under way.
func (r *run) finish() {
	for range 60 {
		r.cover()
		if r.holds(liveness()) || !r.run(look) {
			break
		}
	}
	r.demand(liveness())
}
