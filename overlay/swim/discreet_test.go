package swim

import (
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// busy has one of twenty nodes come to its messages late, another one each second, by
// more than two questions take, and by less than a suspicion.
func busy(cfg Config) (w *world, accusations, withdrawn uint64) {
	w = newWorld(11, 100, cfg)
	w.broadcast = true
	for w.now < 2*time.Minute {
		for _, s := range w.sites {
			if s.lag = 0; w.rng.IntN(20) == 0 {
				s.lag = 700*time.Millisecond + time.Duration(w.rng.Int64N(int64(500*time.Millisecond)))
			}
		}
		w.run(time.Second)
	}
	for _, s := range w.sites {
		accusations += s.core.Stats().Accusations
		withdrawn += s.core.Stats().Withdrawn
	}
	return w, accusations, withdrawn
}

// What an overloaded machine has too much of already are broadcasts: answers that come
// late must not make for more.
func TestLateAnswersAccuseHardlyAnybody(t *testing.T) {
	t.Parallel()
	w, loud, _ := busy(Config{Twice: true, Fanout: -1})
	if loud < 100 {
		t.Fatalf("nothing is put to the test: %d accusations", loud)
	}
	d, discreet, withdrawn := busy(Config{Twice: true, Discreet: true, Fanout: -1})
	t.Logf("%d accusations, %d facts broadcast; discreetly %d and %d, and %d were withdrawn",
		loud, w.counts.spread, discreet, d.counts.spread, withdrawn)
	if withdrawn < 100 || discreet*20 > withdrawn || d.counts.spread*20 > w.counts.spread {
		t.Errorf("of %d late answers came %d accusations", withdrawn, discreet)
	}
	d.live(t)
}

// With five of a hundred messages lost, nobody is accused in ten minutes.
func TestDiscreetNodesAccuseNobodyForLoss(t *testing.T) {
	t.Parallel()
	for seed := range *seeds {
		w := newWorld(20+seed, 100, Config{Twice: true, Discreet: true, Fanout: -1})
		w.broadcast, w.loss = true, .05
		w.run(10 * time.Minute)
		w.live(t)
		if w.counts.spread > 0 || w.counts.refuted > 0 {
			t.Errorf("seed %d: %+v", seed, w.counts)
		}
	}
}

// Whoever has failed has the time of its suspicion from when one node began it, and not
// from when all were told.
func TestSilenceIsSeenNoLaterForDiscretion(t *testing.T) {
	t.Parallel()
	var each [2][]time.Duration
	for n, discreet := range []bool{false, true} {
		w := newWorld(4, 100, Config{Twice: true, Discreet: discreet, Fanout: -1})
		w.broadcast, w.loss = true, .05
		d := w.die(t, 64, 9*time.Second, func(i int) { w.kill(i, false) })
		if slices.Min(d.first) < DefaultSuspicion*DefaultPeriod {
			t.Errorf("one failed after %v, without a suspicion", slices.Min(d.first))
		}
		each[n] = d.each
	}
	if loud, soft := quantile(each[0], .5), quantile(each[1], .5); soft > loud+DefaultPeriod/4 {
		t.Errorf("median %v, and discreetly %v", loud, soft)
	}
}

// doubted is a core that has just begun to suspect a member, and with which questions.
func doubted(t *testing.T, cfg Config) (b *bench, who overlay.Node, effects Effects) {
	t.Helper()
	cfg.Twice, cfg.Discreet, cfg.Fanout, cfg.Crowd = true, true, -1, 2
	b = newBench(t, 8, cfg)
	who, _ = b.turn()
	for range 50 {
		effects = b.tick()
		for n, to := range effects {
			if s, ok := to.(Suspected); ok {
				if s.Node != who {
					t.Fatalf("%v is suspected, not %v", s.Node, who)
				}
				return b, who, effects[n:]
			}
			if s, ok := to.(Send); ok && s.To != who { // all others are well
				switch body := s.Message.Body.(type) {
				case Ping:
					b.hear(s.To, Ack(body))
				case PingReq:
					b.hear(s.To, Nack{Seq: body.Seq})
				}
			}
		}
	}
	t.Fatal("nobody is suspected")
	return nil, who, nil
}

// accusations is how often effects accuse who.
func accusations(effects Effects, who overlay.Node) (said int) {
	for _, e := range effects {
		switch e := e.(type) {
		case Spread:
			said++
		case Send:
			for _, f := range e.Message.Facts {
				if f.Node == who && f.State != Alive {
					said++
				}
			}
		}
	}
	return said
}

func TestASuspicionIsToldToNobodyAtFirst(t *testing.T) {
	b, who, effects := doubted(t, Config{})
	to, _ := sent[Ping](effects)
	if helpers, _ := sent[PingReq](effects); len(helpers) != DefaultIndirect || len(to) != 1 || to[0] != who {
		t.Fatalf("asked are %v and %v", to, helpers)
	}
	if n := accusations(effects, who); n > 0 || len(b.c.Suspects()) != 1 {
		t.Errorf("%d are told", n)
	}
	// Nor are those who happen to ask something else, the member itself among them.
	for _, p := range b.peers {
		if n := accusations(b.hear(p, Gossip{}), who) + accusations(b.c.Step(b.now, nil), who); n > 0 {
			t.Errorf("%v is told", p)
		}
	}
	if b.c.Stats().Accusations > 0 {
		t.Errorf("%+v", b.c.Stats())
	}
}

func TestAnyAnswerEndsWhatNobodyWasTold(t *testing.T) {
	for what, say := range map[string]func(b *bench, who overlay.Node, helper overlay.Node, seq uint64) Effects{
		"an answer":      func(b *bench, who, _ overlay.Node, seq uint64) Effects { return b.hear(who, Ack{seq}) },
		"a helper's":     func(b *bench, _, helper overlay.Node, seq uint64) Effects { return b.hear(helper, Ack{seq}) },
		"a late one":     func(b *bench, who, _ overlay.Node, seq uint64) Effects { return b.hear(who, Ack{1}) },
		"something else": func(b *bench, who, _ overlay.Node, seq uint64) Effects { return b.hear(who, Ping{77}) },
	} {
		b, who, effects := doubted(t, Config{})
		_, pings := sent[Ping](effects)
		helpers, _ := sent[PingReq](effects)
		after := say(b, who, helpers[0], pings[0].Seq)
		if !slices.ContainsFunc(after, func(e Effect) bool { return e == Trusted{Node: who} }) {
			t.Errorf("%s: %+v", what, after)
		}
		if len(b.c.Suspects()) > 0 || accusations(after, who) > 0 || b.c.Stats().Withdrawn != 1 {
			t.Errorf("%s: %+v", what, b.c.Stats())
		}
	}
}

// The driver says that something has come, which is looked at when the time is over.
func TestASignOfLifeEndsWhatNobodyWasTold(t *testing.T) {
	b, who, _ := doubted(t, Config{})
	b.c.Seen(who)
	for end := b.now.Add(DefaultPeriod); !b.now.After(end); {
		if n := accusations(b.tick(), who); n > 0 {
			t.Fatal("it is accused")
		}
	}
	if state, _ := b.c.State(who); state != Alive {
		t.Errorf("it is %v", state)
	}
}

func TestWhoStaysSilentIsAccusedAfterAPeriod(t *testing.T) {
	b, who, effects := doubted(t, Config{})
	began := b.now
	helpers, asked := sent[PingReq](effects)
	b.hear(helpers[0], Nack{Seq: asked[0].Seq})
	said := 0
	for end := began.Add(DefaultPeriod); b.c.Deadline().Compare(end) <= 0; {
		said += accusations(b.tick(), who)
	}
	if said == 0 || b.c.Stats().Accusations != 1 {
		t.Errorf("%d are told, %+v", said, b.c.Stats())
	}
	if s := b.c.suspicions[0]; !s.since.Equal(began) {
		t.Errorf("its time counts from %v after the beginning", s.since.Sub(began))
	}
	// An answer is not enough any more.
	if b.hear(who, Ack{b.c.seq}); len(b.c.Suspects()) != 1 {
		t.Error("an answer ends it")
	}
	if b.step(Received{who, Message{Incarnation: 1, Body: Gossip{}}}); len(b.c.Suspects()) != 0 {
		t.Error("a refutation does not end it")
	}
}

// Who hears of nobody, not of those either who could have been of help, had better not
// say anything yet; but not for long: perhaps they have all failed.
func TestWhoHearsOfNobodyWaitsLongerBeforeItAccuses(t *testing.T) {
	b, who, _ := doubted(t, Config{})
	began := b.now
	for range 50 {
		if accusations(b.tick(), who) > 0 {
			if took := b.now.Sub(began); took <= DefaultPeriod || took > 2*time.Duration(DefaultSuspicion)*DefaultPeriod {
				t.Errorf("it is accused after %v", took)
			}
			return
		}
	}
	t.Error("it is never accused")
}

// If another one has told all already, there is nothing to be discreet about, and two
// that agree need not wait for longer.
func TestWhoIsAccusedAlreadyIsAccusedAtOnce(t *testing.T) {
	b := newBench(t, 8, Config{Twice: true, Discreet: true, Crowd: 2, Fanout: -1})
	who, _ := b.turn()
	b.step(Heard{Fact{State: Suspect, Node: who, By: b.peers[0]}})
	for range 50 {
		if accused := b.c.Stats().Accusations; accused > 0 {
			return
		}
		b.tick()
		if s := b.c.suspicions[0]; s.hidden {
			t.Fatal("it is kept secret")
		}
	}
	t.Error("it is never accused")
}

// If another one says so meanwhile, what nobody was told is withdrawn by an answer all
// the same, and the member has all of its time to refute what is left.
func TestAnAnswerWithdrawsTheOwnAccusationOnly(t *testing.T) {
	b, who, effects := doubted(t, Config{})
	_, pings := sent[Ping](effects)
	var other overlay.Node
	for _, p := range b.peers {
		if p != who {
			other = p
		}
	}
	b.now = b.now.Add(DefaultPeriod / 2)
	b.step(Heard{Fact{State: Suspect, Node: who, By: other}})
	b.hear(who, Ack{pings[0].Seq})
	s := b.c.suspicions
	if len(s) != 1 || s[0].own || !slices.Equal(s[0].accusers, []overlay.Node{other}) || !s[0].since.Equal(b.now) {
		t.Errorf("%+v", s)
	}
}

// If this node has told all in the meantime, it goes on asking: only a refutation counts.
func TestASignOfLifeComesTooLateForWhatAllWereTold(t *testing.T) {
	b, who, _ := doubted(t, Config{})
	b.c.Seen(who)
	b.c.accuse(b.c.members.find(who))
	for end := b.now.Add(DefaultPeriod); !b.now.After(end); {
		b.tick()
	}
	if state, _ := b.c.State(who); state != Suspect || !slices.ContainsFunc(b.c.probes, func(p *probe) bool { return p.kind == recheck }) {
		t.Errorf("it is %v, and not asked any more", state)
	}
}

// A suspicion of which nobody has been told fails nobody, however late this node is.
func TestASecretSuspicionFailsNobody(t *testing.T) {
	b, who, _ := doubted(t, Config{Late: time.Hour})
	s := b.c.suspicions[0]
	b.now = s.expires.Add(DefaultPeriod)
	b.c.Tick(b.now)
	if state, _ := b.c.State(who); state != Suspect || s.expires.Sub(b.now) < time.Duration(DefaultSuspicion)*DefaultPeriod/2 {
		t.Errorf("it is %v, with %v left", state, s.expires.Sub(b.now))
	}
}
