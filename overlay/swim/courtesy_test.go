package swim

import (
	"testing"
	"time"
)

// refusedFor lets time pass, in which the first peer refuses everything and the others
// answer, and returns when others were first asked about it.
func (b *bench) refusedFor(d time.Duration) (asked time.Duration, others bool) {
	b.t.Helper()
	start := b.now
	for b.c.Deadline().Before(start.Add(d)) {
		effects := b.tick()
		if to, reqs := sent[PingReq](effects); len(to) > 0 && reqs[0].Target == b.peers[0] {
			return b.now.Sub(start), true
		}
		to, pings := sent[Ping](effects)
		for i, node := range to {
			if node == b.peers[0] {
				if to, _ := sent[PingReq](b.step(LinkReset{node, true})); len(to) > 0 {
					return b.now.Sub(start), true
				}
			} else {
				b.hear(node, Ack(pings[i]))
			}
		}
	}
	b.now = start.Add(d)
	return 0, false
}

func courtesyBench(t *testing.T, peers int) *bench {
	b := newBench(t, peers, Config{Stride: 5, Discreet: true})
	b.step(Near{b.peers[1]})
	return b
}

func TestARefusalByOneWhoIsNotNearIsLeftToThoseWhoAre(t *testing.T) {
	b := courtesyBench(t, DefaultCrowd)
	for range 3 { // once or again
		if to, _ := sent[PingReq](b.step(LinkReset{b.peers[0], true})); len(to) > 0 {
			t.Fatalf("asks %v", to)
		}
	}
	if at, ok := b.refusedFor(courtesy*DefaultPeriod - 1); ok || b.state() != Alive {
		t.Fatalf("others are asked after %v; %v", at, b.state())
	}
	// They have not found out.
	if at, ok := b.refusedFor(time.Millisecond); !ok {
		t.Errorf("others were asked: %v, after %v", ok, at)
	}
}

// What ends the wait, or puts an end to it.
func TestWhatIsLeftToOthersMayBeOver(t *testing.T) {
	for what, c := range map[string]struct {
		happens func(b *bench)
		asks    bool
	}{
		"nothing":               {func(*bench) {}, true},
		"it is said to be dead": {func(b *bench) { b.step(Unwatch{b.peers[0], true}) }, false},
		"it has answered":       {func(b *bench) { b.hear(b.peers[0], Gossip{}) }, false},
		"a sign of life":        {func(b *bench) { b.c.Seen(b.peers[0]) }, false},
		"this node slept":       {func(b *bench) { b.now = b.c.Deadline().Add(DefaultPeriod); b.c.Tick(b.now) }, true},
	} {
		b := courtesyBench(t, DefaultCrowd)
		b.step(LinkReset{b.peers[0], true})
		c.happens(b)
		if to, _ := sent[PingReq](b.c.take()); len(to) > 0 {
			t.Errorf("%s: asks %v at once", what, to)
		}
		asks := false
		for end := b.now.Add((courtesy + 1) * DefaultPeriod); b.now.Before(end); {
			effects := b.tick()
			if _, reqs := sent[PingReq](effects); len(reqs) > 0 && reqs[0].Target == b.peers[0] {
				asks = true
			}
			to, pings := sent[Ping](effects)
			for i, node := range to {
				b.hear(node, Ack(pings[i]))
			}
		}
		if asks != c.asks {
			t.Errorf("%s: asks %v", what, asks)
		}
	}
}

// Who has become near may crash, and then there is nobody to leave it to.
func TestALinkThatIsResetIsNotLeftToOthers(t *testing.T) {
	for what, ev := range map[string]LinkReset{"a link was reset": {}, "it refuses": {Refused: true}} {
		b := courtesyBench(t, DefaultCrowd)
		b.step(LinkReset{b.peers[0], true})
		b.c.Seen(b.peers[0])
		b.step(Near{b.peers[0]})
		ev.Node = b.peers[0]
		if to, _ := sent[PingReq](b.step(ev)); len(to) != DefaultIndirect {
			t.Errorf("%s: asks %v", what, to)
		}
	}
}

// When others have not found out, the word of this node is what it was refused of late.
func TestAnOldRefusalIsNotThisNodesWordAfterTheWait(t *testing.T) {
	for _, lately := range []bool{false, true} {
		b := courtesyBench(t, DefaultCrowd)
		b.step(LinkReset{b.peers[0], true})
		p := b.c.resetOf(b.c.members.find(b.peers[0]))
		for again := lately; !p.active(); {
			if again && p.end.Sub(b.now) < 2*DefaultPeriod {
				b.step(LinkReset{b.peers[0], true})
				again = false
			}
			to, pings := sent[Ping](b.tick())
			for i, node := range to {
				if node != b.peers[0] {
					b.hear(node, Ack(pings[i]))
				}
			}
		}
		if p.again != lately {
			t.Errorf("refused lately %v: %v", lately, p.again)
		}
	}
}

func TestOthersAreAskedAtOnceWhereThatIsLittleOrThisNodesTask(t *testing.T) {
	for what, c := range map[string]struct {
		peers   int
		prepare func(b *bench)
		event   LinkReset
	}{
		"it is near":           {DefaultCrowd, func(b *bench) { b.step(Near{b.peers[0]}) }, LinkReset{Refused: true}},
		"few members":          {DefaultCrowd - 2, func(*bench) {}, LinkReset{Refused: true}},
		"a link was reset":     {DefaultCrowd, func(*bench) {}, LinkReset{}},
		"nobody is near":       {DefaultCrowd, func(b *bench) { b.step(Far{b.peers[1]}) }, LinkReset{Refused: true}},
		"it is suspected":      {DefaultCrowd, func(b *bench) { b.c.suspect(b.c.members.find(b.peers[0]), b.c.cfg.Self, false); b.c.take() }, LinkReset{Refused: true}},
		"all are equally near": {DefaultCrowd, func(b *bench) { b.c.cfg.Stride = 0 }, LinkReset{Refused: true}},
	} {
		b := courtesyBench(t, c.peers)
		c.prepare(b)
		c.event.Node = b.peers[0]
		if to, _ := sent[PingReq](b.step(c.event)); len(to) != DefaultIndirect {
			t.Errorf("%s: asks %v", what, to)
		}
	}
}

// Those that are left to others take no place from those that are not, and those for
// which there is no place have their turn as otherwise.
func TestWhatIsLeftToOthersHasAPlaceOfItsOwn(t *testing.T) {
	b := newBench(t, DefaultCrowd, Config{Stride: 5, Discreet: true, MaxChecks: 3})
	b.step(Near{b.peers[1]})
	turn := b.c.open(inTurn, b.c.members.find(b.peers[9]), b.now.Add(time.Second))
	for _, node := range b.peers[2:] {
		b.step(LinkReset{node, true})
	}
	if n := b.c.checks(reset, false); n != 3 {
		t.Errorf("%d checks", n)
	}
	if b.c.find(turn.seq) == nil {
		t.Error("one for which there is no place has lost its turn")
	}
	if to, _ := sent[PingReq](b.step(LinkReset{Node: b.peers[1]})); len(to) != DefaultIndirect {
		t.Errorf("of one that is near, asks %v", to)
	}
	for _, node := range b.peers {
		if s, _ := b.c.State(node); s != Alive {
			t.Errorf("%v is %v", node, s)
		}
	}
}

// What nobody has found out, and there is no room to look into, has its turn again.
func TestWhatIsTakenOverNeedsRoom(t *testing.T) {
	for _, room := range []bool{true, false} {
		b := newBench(t, DefaultCrowd, Config{Stride: 5, Discreet: true, MaxChecks: 1})
		b.step(Near{b.peers[1]})
		b.step(LinkReset{b.peers[0], true})
		if !room {
			b.step(LinkReset{Node: b.peers[1]})
		}
		p := b.c.resetOf(b.c.members.find(b.peers[0]))
		b.c.takeOver(p)
		if p.active() != room || (b.c.find(p.seq) != nil) != room {
			t.Errorf("with room %v it is taken over: %v", room, p.active())
		}
		if s := b.state(); s != Alive {
			t.Errorf("with room %v it is %v", room, s)
		}
	}
}

// Who is refused has an answer: that others wait for theirs says nothing of this machine.
func TestARefusalIsNoSilence(t *testing.T) {
	for _, refused := range []bool{true, false} {
		b := courtesyBench(t, DefaultCrowd)
		for n, node := range b.peers[2:4] {
			b.c.tempo.ask(question{uint64(n + 1), b.c.members.find(node), b.now})
			if refused {
				b.step(LinkReset{node, true})
			}
		}
		if waiting := b.c.tempo.waiting(b.now.Add(time.Second)) > 0; waiting == refused {
			t.Errorf("refused %v: it waits: %v", refused, waiting)
		}
	}
}
