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
				b.step(LinkReset{node, true})
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

func TestWhoWasLeftToOthersAndHasCrashedIsForgotten(t *testing.T) {
	b := courtesyBench(t, DefaultCrowd)
	b.step(LinkReset{b.peers[0], true})
	b.step(Unwatch{b.peers[0], true})
	if n := b.c.checks(reset); n != 0 {
		t.Errorf("%d checks", n)
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

func TestNoMoreIsLeftToOthersThanIsLookedInto(t *testing.T) {
	b := newBench(t, DefaultCrowd, Config{Stride: 5, Discreet: true, MaxChecks: 3})
	b.step(Near{b.peers[1]})
	for _, node := range b.peers[2:] {
		b.step(LinkReset{node, true})
	}
	if n := b.c.checks(reset); n != 3 {
		t.Errorf("%d checks", n)
	}
	for _, node := range b.peers {
		if s, _ := b.c.State(node); s != Alive {
			t.Errorf("%v is %v", node, s)
		}
	}
}
