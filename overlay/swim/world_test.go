package swim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/internal/sim/timeline"
	"github.com/topos-go/topos/overlay"
)

// epoch is when virtual time begins.
var epoch = time.Unix(1_000_000_000, 0)

// happening is something that a site is to be told: to tick, if there is no event.
type happening struct {
	site  int
	event Event
}

// site is a place where nodes run, one after the other.
type site struct {
	node   overlay.Node
	core   *Core
	tick   time.Duration // the next one that is on the timeline
	side   int           // of a partition
	lag    time.Duration // what it has to do before it comes to a message
	last   time.Duration // when it comes to the last one so far
	asleep bool
	inbox  []Event // of one that sleeps
	dead   bool
	// refusing: it is dead, and its machine says so.
	refusing bool
	verdicts map[int]time.Duration // when it said that another site's present node has failed
}

// world is some nodes that watch each other, on one goroutine, driven by one seed.
type world struct {
	cfg    Config
	rng    *rand.Rand
	now    time.Duration
	queue  timeline.Timeline[happening]
	sites  []*site
	bySite map[overlay.Node]int
	loss   float64
	lost   func(from, to int) bool // nil if only chance decides
	steady time.Duration           // the latency, if it is not drawn
	// effort is what each message takes of the one machine that all nodes are on, which
	// has enough to do until free.
	effort, free time.Duration
	// broadcast has the directory's broadcast carry each Spread.
	broadcast bool
	counts    counts
	wrong     []string // invariants broken, and what the test says must not happen
	watch     func(at *site, e Effect)
	tamper    func(from *site, e Send) Send
	trace     *strings.Builder
	checked   bool
}

type counts struct {
	sent, bytes, events, spread          int
	suspected, trusted, failed, returned int
	lies                                 int // live nodes that were said to have failed
	lieSources                           int // of these, by who said so first
	refuted                              int
}

func newWorld(seed uint64, nodes int, cfg Config) *world {
	w := &world{cfg: cfg, rng: rand.New(rand.NewPCG(seed, 1)), bySite: make(map[overlay.Node]int)}
	for i := range nodes {
		w.sites = append(w.sites, &site{verdicts: make(map[int]time.Duration)})
		w.boot(i)
	}
	for i := range nodes {
		for j := range nodes {
			w.step(i, Watch{w.sites[j].node})
		}
	}
	return w
}

// boot starts a node at a site, which nobody watches yet.
func (w *world) boot(i int) {
	s := w.sites[i]
	s.node = overlay.Node{Name: fmt.Sprintf("node-%04d@10.0.%d.%d:4000", i, i/250, i%250), Boot: s.node.Boot + 1, Unique: "abcdefgh"}
	cfg := w.cfg
	cfg.Self, cfg.Rand = s.node, rand.New(rand.NewPCG(w.rng.Uint64(), 2))
	core, err := New(cfg)
	if err != nil {
		panic(err)
	}
	s.core, s.dead, s.refusing, s.tick, s.asleep, s.inbox = core, false, false, 0, false, nil
	clear(s.verdicts)
	w.bySite[s.node] = i
}

// replace has another node where one has died; the directory tells all.
func (w *world) replace(i int) {
	old := w.sites[i].node
	w.boot(i)
	for j := range w.sites {
		delete(w.sites[j].verdicts, i)
		w.step(j, Unwatch{Node: old})
		w.step(j, Watch{w.sites[i].node})
		w.step(i, Watch{w.sites[j].node})
	}
	delete(w.bySite, old)
}

func (w *world) at(at time.Duration, i int, ev Event) {
	w.queue.Put(epoch.Add(at), happening{i, ev})
}

// latency is of a network with queues.
func (w *world) latency() time.Duration {
	if w.steady > 0 {
		return w.steady
	}
	return time.Millisecond/2 + time.Duration(w.rng.Int64N(int64(5*time.Millisecond)))
}

// step tells a site, or puts it where it finds it when it wakes.
func (w *world) step(i int, ev Event) {
	s := w.sites[i]
	switch {
	case s.dead:
	case s.asleep:
		s.inbox = append(s.inbox, ev)
	case ev == nil:
		w.carryOut(i, s.core.Tick(epoch.Add(w.now)))
	default:
		w.carryOut(i, s.core.Step(epoch.Add(w.now), ev))
	}
}

func (w *world) carryOut(i int, effects Effects) {
	s := w.sites[i]
	w.counts.events++
	for _, e := range effects {
		if w.trace != nil {
			fmt.Fprintf(w.trace, "%6.3f %s\n", w.now.Seconds(), describe(s.node, e))
		}
		if w.watch != nil {
			w.watch(s, e)
		}
		switch e := e.(type) {
		case Send:
			w.send(i, e)
		case Spread:
			w.counts.spread++
			for j := range w.sites {
				if w.broadcast && j != i && w.sites[j].side == s.side {
					w.at(w.work(w.now+3*w.latency()), j, Heard(e))
				}
			}
		case Suspected:
			w.counts.suspected++
		case Trusted:
			w.counts.trusted++
		case Refuted:
			w.counts.refuted++
		case Returned:
			w.counts.returned++
			if to, ok := w.bySite[e.Node]; ok {
				delete(s.verdicts, to)
			}
		case Failed:
			w.failed(s, e)
		}
	}
	if w.checked {
		if err := s.core.valid(); err != nil {
			w.wrong = append(w.wrong, fmt.Sprintf("at %v, %v: %v", w.now, s.node, err))
		}
	}
	if due := s.core.Deadline(); !due.IsZero() {
		if at := max(due.Sub(epoch), w.now+1); s.tick <= w.now || at < s.tick {
			s.tick = at
			w.at(at, i, nil)
		}
	}
}

func (w *world) failed(s *site, e Failed) {
	w.counts.failed++
	if to, ok := w.bySite[e.Node]; ok {
		s.verdicts[to] = w.now
		if !w.sites[to].dead && w.sites[to].side == s.side {
			w.counts.lies++
			if e.By == s.node {
				w.counts.lieSources++
			}
		}
	}
}

func (w *world) send(from int, e Send) {
	s := w.sites[from]
	if w.tamper != nil {
		e = w.tamper(s, e)
	}
	w.counts.sent++
	w.counts.bytes += size(e.Message)
	to, ok := w.bySite[e.To]
	if !ok || w.loss > 0 && w.rng.Float64() < w.loss || w.lost != nil && w.lost(from, to) {
		return
	}
	t := w.sites[to]
	switch {
	case t.side != s.side:
	case t.refusing:
		w.at(w.now+w.latency(), from, LinkReset{e.To, true})
	case !t.dead:
		at := w.now + w.latency()
		if t.lag > 0 {
			t.last = max(t.last, at+t.lag)
			at = t.last
		}
		w.at(w.work(at), to, Received{s.node, e.Message})
	}
}

// work returns when the machine has dealt with what comes at a time.
func (w *world) work(at time.Duration) time.Duration {
	if w.effort > 0 {
		w.free = max(w.free, at) + w.effort
		at = w.free
	}
	return at
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	end := w.now + d
	for at, h, ok := w.queue.Take(epoch.Add(end)); ok; at, h, ok = w.queue.Take(epoch.Add(end)) {
		w.now = at.Sub(epoch)
		s := w.sites[h.site]
		if h.event == nil {
			if s.tick != w.now || s.dead {
				continue // there was an earlier one
			}
			s.tick = 0
			if s.asleep {
				continue
			}
		}
		w.step(h.site, h.event)
	}
	w.now = end
}

// wake has a site that was asleep run on as if nothing had been: first its timers,
// and then what has come.
func (w *world) wake(i int) {
	s := w.sites[i]
	inbox := s.inbox
	s.asleep, s.inbox = false, nil
	if due := s.core.Deadline(); !due.IsZero() && due.Sub(epoch) <= w.now {
		w.step(i, nil)
	}
	for _, ev := range inbox {
		w.step(i, ev)
	}
	w.step(i, nil)
}

// kill ends the process at a site. If its machine says so, those that have a link
// to it see it reset.
func (w *world) kill(i int, refusing bool, linked ...int) {
	s := w.sites[i]
	s.dead, s.refusing = true, refusing
	for _, j := range linked {
		w.at(w.now+w.latency(), j, LinkReset{Node: s.node})
	}
}

// verdicts returns after how long those that live said that site i has failed, of
// the second value so many did not.
func (w *world) verdicts(i int, since time.Duration) (after []time.Duration, missing int) {
	for j, s := range w.sites {
		if j == i || s.dead {
			continue
		}
		if at, ok := s.verdicts[i]; ok {
			after = append(after, at-since)
		} else {
			missing++
		}
	}
	slices.Sort(after)
	return after, missing
}

// size is about what a message takes on the wire.
func size(m Message) int {
	n := 12
	if r, ok := m.Body.(PingReq); ok {
		n += weight(r.Target)
	}
	for _, f := range m.Facts {
		n += 8 + weight(f.Node) + weight(f.By)
	}
	return n
}

func weight(n overlay.Node) int { return len(n.Name) + len(n.Unique) + 12 }

// quantile returns the q-th of what is sorted.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func summary(ds []time.Duration) string {
	slices.Sort(ds)
	ms := func(q float64) time.Duration { return quantile(ds, q).Round(10 * time.Millisecond) }
	return fmt.Sprintf("p50 %v, p90 %v, p99 %v, max %v", ms(.5), ms(.9), ms(.99), ms(1))
}
