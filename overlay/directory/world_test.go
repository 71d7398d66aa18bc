package directory

import (
	"fmt"
	"hash"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/topos-go/topos/internal/sim/timeline"
	"github.com/topos-go/topos/overlay"
)

// world is some places where nodes start, crash, leave and are cut off, over a
// network that loses messages and whole broadcasts, with a failure detector in
// each that errs, driven by one seed on one goroutine.
type world struct {
	rng    *rand.Rand
	now    time.Time
	queue  timeline.Timeline[func()]
	cfg    Config
	sites  []*site
	lost   int // of a hundred broadcasts, so many reach nobody
	loss   int // of a hundred messages, so many are lost
	tamper func(from *site, e Effect) bool
	forget func(at *site, ev Event) bool
	err    error // the first thing that went wrong
	log    hash.Hash64
	counts struct{ events, sends, broadcasts, ups, downs, returned, restarted, displaced, detected, healed, ended, tries int }
	onDown func(at *site, node overlay.Node)
}

// site is a place and the node that runs there, if any.
type site struct {
	index    int
	boot     uint64
	node     overlay.Node
	core     *Core // nil if none
	side     int   // of the network
	deaf     bool  // nothing arrives
	tick     time.Time
	up       map[overlay.Node]bool // as the effects say
	detected []PartitionDetected
	healed   []PartitionHealed
	ended    []PartitionEnded
}

func newWorld(seed uint64, nodes int) *world {
	w := &world{
		rng: rand.New(rand.NewPCG(seed, 5)), now: start, lost: 20, loss: 10,
		cfg: Config{Interval: 5 * time.Second, Timeout: 2 * time.Second, TryMax: 20 * time.Second},
	}
	for i := range nodes {
		w.sites = append(w.sites, &site{index: i})
	}
	return w
}

func (w *world) after(d time.Duration, do func()) {
	w.queue.Put(w.now.Add(d), do)
}

func (w *world) pause(most time.Duration) time.Duration {
	return time.Duration(w.rng.Int64N(int64(most)))
}

func (w *world) fail(err error) {
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("at %v: %w", w.now.Sub(start), err)
	}
}

// boot starts the next incarnation at i, which joins by whoever is there.
func (w *world) boot(i int) {
	s := w.sites[i]
	s.boot++
	s.node = overlay.Node{Name: fmt.Sprintf("n%03d@n%d", i, i), Boot: s.boot}
	cfg := w.cfg
	cfg.Self, cfg.Meta = s.node, fmt.Sprintf("zone=%d", i%3)
	cfg.Rand = rand.New(rand.NewPCG(w.rng.Uint64(), 1))
	core, err := New(cfg)
	if err != nil {
		panic(err)
	}
	s.core, s.tick, s.up = core, time.Time{}, make(map[overlay.Node]bool)
	s.detected, s.healed, s.ended = nil, nil, nil
	w.carryOut(s, core.Tick(w.now))
	node := s.node
	w.after(w.pause(time.Second), func() { w.probe(node, s) })
	w.join(node, s)
}

// join has a node meet another one, again and again until it has.
func (w *world) join(node overlay.Node, s *site) {
	if s.core == nil || s.node != node || len(s.up) > 0 {
		return
	}
	if to := w.sites[w.rng.IntN(len(w.sites))]; to != s && to.core != nil && w.reaches(s, to) && w.reaches(to, s) {
		w.step(s.node, s, Met{to.node})
		w.step(to.node, to, Met{s.node})
	}
	w.after(time.Second, func() { w.join(node, s) })
}

func (w *world) reaches(from, to *site) bool {
	return from.core != nil && to.core != nil && from.side == to.side && !to.deaf
}

// step tells a node something, if it still runs.
func (w *world) step(node overlay.Node, s *site, ev Event) {
	if s.core == nil || s.node != node || w.forget != nil && w.forget(s, ev) {
		return
	}
	w.counts.events++
	w.carryOut(s, s.core.Step(w.now, ev))
}

func (w *world) carryOut(s *site, effects Effects) {
	for _, e := range effects {
		if w.tamper != nil && w.tamper(s, e) {
			continue
		}
		if w.log != nil {
			fmt.Fprintf(w.log, "%v %v %T %v\n", w.now, s.node, e, e)
		}
		switch e := e.(type) {
		case Send:
			w.counts.sends++
			if to := w.siteOf(e.To); w.reaches(s, to) && w.rng.IntN(100) >= w.loss {
				ev := Received{s.node, e.Message}
				w.after(w.pause(200*time.Millisecond), func() { w.step(e.To, to, ev) })
			}
		case Broadcast:
			w.counts.broadcasts++
			w.broadcast(s, e)
		case Try:
			w.counts.tries++
			w.try(s, e.Node)
		default:
			w.notice(s, e)
		}
	}
	core := s.core
	if core == nil {
		return
	}
	if due := core.Deadline(); !due.IsZero() && (s.tick.IsZero() || due.Before(s.tick)) {
		s.tick = due
		w.after(due.Sub(w.now), func() {
			if s.core == core && s.tick.Equal(due) {
				s.tick = time.Time{}
				w.carryOut(s, core.Tick(w.now))
			}
		})
	}
}

// notice keeps what a node lets others know, which must make sense.
func (w *world) notice(s *site, e Effect) {
	must := func(ok bool) {
		if !ok {
			w.fail(fmt.Errorf("%v says %T%v", s.node, e, e))
		}
	}
	switch e := e.(type) {
	case Up:
		must(!s.up[e.Node])
		s.up[e.Node] = true
		w.counts.ups++
	case Returned:
		must(!s.up[e.Node])
		s.up[e.Node] = true
		w.counts.returned++
	case Restarted:
		must(!s.up[e.New] && e.New.Newer(e.Old) && e.Noticed != (s.up[e.Old] || e.Old == s.node))
		delete(s.up, e.Old)
		s.up[e.New] = true
		w.counts.restarted++
	case Down:
		must(s.up[e.Node])
		delete(s.up, e.Node)
		w.counts.downs++
		if w.onDown != nil {
			w.onDown(s, e.Node)
		}
	case Departed:
		must(s.up[e.Node] || e.Node == s.node)
		delete(s.up, e.Node)
	case Displaced: // it starts again
		w.counts.displaced++
		w.after(time.Second, func() {
			if s.core != nil {
				w.boot(s.index)
			}
		})
	case PartitionDetected:
		s.detected = append(s.detected, e)
		w.counts.detected++
	case PartitionHealed:
		s.healed = append(s.healed, e)
		w.counts.healed++
	case PartitionEnded:
		s.ended = append(s.ended, e)
		w.counts.ended++
	}
}

func (w *world) broadcast(s *site, e Broadcast) {
	if w.rng.IntN(100) < w.lost {
		return
	}
	for _, to := range w.sites {
		if to != s && w.reaches(s, to) && w.rng.IntN(100) >= w.loss {
			node := to.node
			w.after(w.pause(500*time.Millisecond), func() { w.step(node, to, Heard{e}) })
		}
	}
}

// try dials: who is there, of whatever incarnation, is met.
func (w *world) try(s *site, node overlay.Node) {
	to, from := w.siteOf(node), s.node
	w.after(w.pause(100*time.Millisecond), func() {
		switch {
		case w.reaches(s, to) && w.reaches(to, s):
			there := to.node
			w.step(from, s, Met{there})
			w.step(there, to, Met{from})
		default:
			w.step(from, s, TryFailed{Node: node, Refused: s.core != nil && to.core == nil && s.side == to.side})
		}
	})
}

func (w *world) siteOf(node overlay.Node) *site {
	var i int
	if _, err := fmt.Sscanf(node.Name, "n%d@", &i); err != nil {
		panic(err)
	}
	return w.sites[i]
}

// probe is the failure detector: it looks at two of those that are up each
// second, and waits two seconds before it believes what it sees.
func (w *world) probe(node overlay.Node, s *site) {
	if s.core == nil || s.node != node {
		return
	}
	if members := s.core.Members(); len(members) > 1 {
		for range 2 {
			if m := members[w.rng.IntN(len(members))]; s.up[m] && w.silent(s, m) {
				w.after(2*time.Second, func() {
					if s.core != nil && w.silent(s, m) {
						to := w.siteOf(m)
						w.step(node, s, Obituary{Node: m, Crashed: to.core == nil && s.side == to.side && w.rng.IntN(2) == 0})
					}
				})
			}
		}
	}
	w.after(time.Second, func() { w.probe(node, s) })
}

func (w *world) silent(s *site, node overlay.Node) bool {
	to := w.siteOf(node)
	return !w.reaches(s, to) || !w.reaches(to, s) || to.node != node
}

func (w *world) crash(i int) { w.sites[i].core = nil }

func (w *world) leave(i int) {
	s := w.sites[i]
	node := s.node
	w.step(node, s, Leave{})
	w.after(time.Second, func() {
		if s.node == node {
			s.core = nil
		}
	})
}

func (w *world) heal() {
	for _, s := range w.sites {
		s.side, s.deaf = 0, false
	}
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	until := w.now.Add(d)
	for w.err == nil {
		at, do, ok := w.queue.Take(until)
		if !ok {
			break
		}
		w.now = at
		do()
	}
	w.now = until
}

// grow has all nodes join, one after the other.
func (w *world) grow() {
	for i := range w.sites {
		w.boot(i)
		w.run(w.pause(500 * time.Millisecond))
	}
}

// faults has things go wrong for a while.
func (w *world) faults(steps int) {
	for range steps {
		s := w.sites[w.rng.IntN(len(w.sites))]
		switch w.rng.IntN(13) {
		case 0, 1:
			w.crash(s.index)
		case 2, 3, 4:
			if s.core == nil {
				w.boot(s.index)
			}
		case 5:
			w.boot(s.index) // as fast as it has crashed
		case 6:
			if s.core != nil {
				w.leave(s.index)
			}
		case 7: // a lie
			if other := w.sites[w.rng.IntN(len(w.sites))]; s.core != nil && other != s {
				w.step(s.node, s, Obituary{Node: other.node, Crashed: w.rng.IntN(2) == 0})
			}
		case 8:
			share := 1 + w.rng.IntN(9)
			for _, s := range w.sites {
				if w.rng.IntN(10) < share {
					s.side = w.rng.IntN(3)
				}
			}
		case 9:
			w.heal()
		case 10:
			s.deaf = !s.deaf
		case 11: // another lie: it must start again
			to := w.sites[w.rng.IntN(len(w.sites))]
			w.step(s.node, s, Heard{Broadcast{Facts: []Fact{{Node: to.node, Status: Left}}}})
		case 12:
			if s.core != nil {
				effects, err := s.core.SetMeta(w.now, fmt.Sprint("meta ", w.rng.IntN(100)))
				if err == nil {
					w.carryOut(s, effects)
				}
				if effects, err := s.core.Propose(w.now, Topology, fmt.Sprint("value ", w.rng.IntN(100))); err == nil {
					w.carryOut(s, effects)
				}
			}
		}
		w.run(w.pause(5 * time.Second))
	}
	w.heal()
	for _, s := range w.sites { // or nobody is left
		if s.core == nil && w.rng.IntN(2) == 0 {
			w.boot(s.index)
		}
	}
}

// check reports what is wrong now that all should be right: each node lists
// exactly those that run, knows the same facts, and has said so.
func (w *world) check() error {
	var running []overlay.Node
	var one *Core
	for _, s := range w.sites {
		if s.core != nil {
			running = append(running, s.node)
			one = s.core
		}
	}
	slices.SortFunc(running, overlay.Node.Compare)
	for _, s := range w.sites {
		if s.core == nil {
			continue
		}
		if err := s.core.valid(); err != nil {
			return err
		}
		members := s.core.Members()
		if !slices.Equal(members, running) {
			return fmt.Errorf("%v lists %d members, but %d run: %s, not %s", s.node, len(members), len(running), calledAll(members), calledAll(running))
		}
		if len(s.up) != len(members)-1 {
			return fmt.Errorf("%v has said that %d are up", s.node, len(s.up))
		}
		for _, m := range members {
			if m != s.node && !s.up[m] {
				return fmt.Errorf("%v has not said that %v is up", s.node, m)
			}
			f, _ := s.core.Lookup(m.Name)
			g, _ := one.Lookup(m.Name)
			if f != g {
				return fmt.Errorf("%v has %v, another one %v", s.node, f, g)
			}
		}
		r, _ := s.core.Register(Topology)
		if q, _ := one.Register(Topology); r != q {
			return fmt.Errorf("%v has %v, another one %v", s.node, r, q)
		}
	}
	return nil
}

// settle runs until all agree, and returns how long that took.
func (w *world) settle(most time.Duration) time.Duration {
	from := w.now
	for w.err == nil {
		err := w.check()
		if err == nil {
			break
		}
		if w.now.Sub(from) >= most {
			w.fail(err)
		}
		w.run(time.Second)
	}
	return w.now.Sub(from)
}
