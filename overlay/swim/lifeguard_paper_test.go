package swim

import (
	"math"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Sections of Dadgar, Phillips and Currey, "Lifeguard: Local Health Awareness for
// More Accurate Failure Detection" (2018).

// verdict counts what was said wrongly: that a node has failed that lives.
type verdict struct{ healthy, slow int }

// overload has a fifth of fifty nodes come to their messages late, by up to lag,
// and stop for up to stop, again and again.
func overload(cfg Config, seed uint64, length, lag, stop time.Duration) (v verdict) {
	w := newWorld(seed, 50, cfg)
	const slow = 10
	w.watch = func(_ *site, e Effect) {
		if f, ok := e.(Failed); ok && w.bySite[f.Node] < slow {
			v.slow++
		} else if ok {
			v.healthy++
		}
	}
	var next [slow]time.Duration
	for w.now < length {
		for i, s := range w.sites[:slow] {
			switch {
			case lag > 0 && w.now%time.Second == 0:
				s.lag = time.Duration(w.rng.Int64N(int64(lag)))
			case stop > 0 && w.now >= next[i] && s.asleep:
				w.wake(i)
				next[i] = w.now + time.Duration(w.rng.Int64N(int64(500*time.Millisecond)))
			case stop > 0 && w.now >= next[i]:
				s.asleep = true
				next[i] = w.now + time.Duration(w.rng.Int64N(int64(stop)))
			}
		}
		w.run(20 * time.Millisecond)
	}
	return v
}

// Section V: with a fifth of the members slow, Lifeguard has far fewer false
// positives about those that are well, at least five times fewer. What is said of
// slow ones is true as long as they are slow, and is not what Lifeguard is about.
func TestPaperLifeguardHasFewerFalsePositivesWhenAFifthIsOverloaded(t *testing.T) {
	t.Parallel()
	plain := overload(Config{Plain: true}, 1, 20*time.Second, 3*time.Second, 0)
	guarded := overload(Config{}, 1, 20*time.Second, 3*time.Second, 0)
	t.Logf("plain %+v, with Lifeguard %+v", plain, guarded)
	if plain.healthy < 20 || 5*guarded.healthy > plain.healthy {
		t.Errorf("plain %+v, with Lifeguard %+v", plain, guarded)
	}
}

// The same with pauses, as of a collector of garbage or of a virtual machine that
// is moved, of up to two seconds.
func TestPaperLifeguardHasFewerFalsePositivesWhenAFifthStops(t *testing.T) {
	t.Parallel()
	plain := overload(Config{Plain: true}, 2, 30*time.Second, 0, 2*time.Second)
	guarded := overload(Config{}, 2, 30*time.Second, 0, 2*time.Second)
	t.Logf("plain %+v, with Lifeguard %+v", plain, guarded)
	if all := plain.healthy + plain.slow; all < 20 || 5*(guarded.healthy+guarded.slow) > all {
		t.Errorf("plain %+v, with Lifeguard %+v", plain, guarded)
	}
}

// bench is one core that the test speaks to. Nobody else is there.
type bench struct {
	t     *testing.T
	c     *Core
	now   time.Time
	peers []overlay.Node
}

func newBench(t *testing.T, peers int, cfg Config) *bench {
	w := newWorld(1, peers+1, cfg)
	b := &bench{t: t, c: w.sites[0].core, now: epoch}
	for _, s := range w.sites[1:] {
		b.peers = append(b.peers, s.node)
	}
	return b
}

func (b *bench) step(ev Event) Effects {
	b.t.Helper()
	effects := b.c.Step(b.now, ev)
	if err := b.c.valid(); err != nil {
		b.t.Fatal(err)
	}
	return effects
}

// tick goes on to the next deadline.
func (b *bench) tick() Effects {
	b.t.Helper()
	b.now = b.c.Deadline()
	effects := b.c.Tick(b.now)
	if err := b.c.valid(); err != nil {
		b.t.Fatal(err)
	}
	return effects
}

func (b *bench) hear(from overlay.Node, body Body, facts ...Fact) Effects {
	b.t.Helper()
	return b.step(Received{from, Message{Body: body, Facts: facts}})
}

// sent returns what of one kind is sent in effects.
func sent[B Body](effects Effects) (to []overlay.Node, bodies []B) {
	for _, e := range effects {
		if s, ok := e.(Send); ok {
			if b, ok := s.Message.Body.(B); ok {
				to, bodies = append(to, s.To), append(bodies, b)
			}
		}
	}
	return to, bodies
}

// probe ticks until the next ping, and returns whom and with which number. What
// others want meanwhile is not heard.
func (b *bench) probe() (overlay.Node, Ping) {
	b.t.Helper()
	for range 100 {
		if to, pings := sent[Ping](b.tick()); len(pings) > 0 {
			return to[0], pings[0]
		}
	}
	b.t.Fatal("no ping")
	return overlay.Node{}, Ping{}
}

// turn is the same for the next turn.
func (b *bench) turn() (overlay.Node, Ping) {
	b.t.Helper()
	for before := b.c.stats.Probes; ; {
		to, pings := sent[Ping](b.tick())
		if b.c.stats.Probes > before {
			return to[len(to)-1], pings[len(pings)-1]
		}
	}
}

// Section IV.A: the local health multiplier, and what changes it.
func TestPaperLocalHealthCountsWhatHappensToThisNode(t *testing.T) {
	b := newBench(t, 5, Config{MaxHealth: 2})
	health := func(want int, what string) {
		t.Helper()
		if b.c.Health() != want {
			t.Fatalf("%s: health %d, not %d", what, b.c.Health(), want)
		}
	}
	b.probe()
	b.tick() // others are asked, and are silent, too
	b.tick()
	health(1, "a probe failed and no helper was heard of")
	b.hear(b.peers[0], Gossip{}, Fact{State: Suspect, Node: b.c.cfg.Self, By: b.peers[0]})
	health(2, "it was suspected")
	b.hear(b.peers[0], Gossip{}, Fact{State: Suspect, Node: b.c.cfg.Self, Incarnation: 1, By: b.peers[0]})
	health(2, "there is a maximum")
	to, ping := b.turn()
	if b.c.turnAt.Sub(b.now) != 3*DefaultPeriod {
		t.Fatalf("the period is %v", b.c.turnAt.Sub(b.now))
	}
	if due := b.c.find(ping.Seq).direct; due.Sub(b.now) != 3*DefaultTimeout {
		t.Fatalf("the timeout is %v", due.Sub(b.now))
	}
	b.hear(to, Ack(ping))
	health(1, "a probe was answered")
}

// The same: who has his nacks knows that it is not his fault. They come before the
// period is over.
func TestPaperNacksKeepLocalHealthWhole(t *testing.T) {
	b := newBench(t, 5, Config{})
	target, ping := b.probe()
	helpers, asked := sent[PingReq](b.tick())
	if len(asked) != DefaultIndirect || asked[0] != (PingReq{Seq: ping.Seq, Target: target}) {
		t.Fatalf("asked %v of %v", asked, helpers)
	}
	b.hear(helpers[0], Nack{Seq: ping.Seq})
	b.tick()
	if b.c.Health() != 0 || len(b.c.Suspects()) != 1 {
		t.Errorf("health %d, suspects %v", b.c.Health(), b.c.Suspects())
	}
	if DefaultTimeout >= DefaultPeriod-DefaultTimeout {
		t.Error("a nack comes when the period is over")
	}
}

// Section IV.B, the formula of the suspicion timeout, and which confirmations
// count: from members, each once, the first K of them, which are gossiped on.
func TestPaperSuspicionTimeoutFallsWithConfirmations(t *testing.T) {
	b := newBench(t, 20, Config{})
	of := b.peers[0]
	accuse := func(by overlay.Node) Effects {
		return b.hear(b.peers[19], Gossip{}, Fact{State: Suspect, Node: of, By: by})
	}
	low := time.Duration(DefaultSuspicion) * DefaultPeriod
	high := low * DefaultMaxSuspicion
	for c := range 6 {
		accuse(b.peers[c+1])
		accuse(b.peers[c+1]) // again
		accuse(overlay.Node{Name: "stranger@x", Boot: uint64(c)})
		s := b.c.suspicions[0]
		k := min(c, DefaultConfirmations)
		want := high - time.Duration(float64(high-low)*math.Log(float64(k+1))/math.Log(DefaultConfirmations+1))
		if got := s.expires.Sub(s.since); got-want > time.Millisecond || want-got > time.Millisecond {
			t.Errorf("%d confirmations: %v, not %v", c, got, want)
		}
		if n := b.c.rumors.count; n != k+1 {
			t.Errorf("%d confirmations: %d are gossiped", c, n)
		}
	}
}

// Without Lifeguard there is one timeout, whoever else has no answer.
func TestPaperSuspicionTimeoutIsFixedWithoutLifeguard(t *testing.T) {
	b := newBench(t, 20, Config{Plain: true})
	for _, by := range b.peers[1:5] {
		b.hear(by, Gossip{}, Fact{State: Suspect, Node: b.peers[0], By: by})
	}
	if s := b.c.suspicions[0]; s.expires.Sub(epoch) != DefaultSuspicion*DefaultPeriod || len(s.accusers) != 1 {
		t.Errorf("it expires after %v", s.expires.Sub(epoch))
	}
}

// Section IV.C: a suspect is told with the next ping, even if what is said of it is
// told to nobody else any more, and there is other news.
func TestPaperBuddySystemTellsTheSuspectFirst(t *testing.T) {
	for _, plain := range []bool{false, true} {
		b := newBench(t, 20, Config{Plain: plain, Fanout: -1, MaxFacts: 3, Late: time.Hour})
		charge := Fact{State: Suspect, Node: b.peers[0], By: b.peers[1]}
		b.hear(b.peers[1], Gossip{}, charge)
		for range 50 { // until it is old news
			b.hear(b.peers[2], Ping{1})
		}
		for _, p := range b.peers[2:10] {
			b.hear(p, Gossip{}, Fact{State: Alive, Node: p, Incarnation: 1, By: p})
		}
		m := b.hear(b.peers[0], Ping{2})[0].(Send).Message
		if told := m.Facts[0] == charge; told == plain {
			t.Errorf("plain %v: said to the suspect: %+v", plain, m.Facts)
		}
	}
}
