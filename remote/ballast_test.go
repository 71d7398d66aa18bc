package remote

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/memory"
)

// smallHeap is what the collector aims at in a program of nearly nothing.
func smallHeap() heap { return heap{goal: 1 << 20, percent: 100, limit: math.MaxInt64} }

// burst is as much as a ballast of size bytes takes for a sign that much comes.
func burst(b *ballast, size int) {
	for range 2 * 256 {
		b.received(size / 256)
	}
}

func TestBallastIsHeldWhileMuchComes(t *testing.T) {
	const size = 1 << 20
	clock := new(recyclerClock)
	b := newBallast(size, clock.now, smallHeap)
	expect := func(when string, held int) {
		t.Helper()
		if b.held() != held {
			t.Errorf("%s: %d bytes are held, not %d", when, b.held(), held)
		}
	}
	for range 10 {
		clock.pass(ballastTime + 1)
		b.received(size)
		expect("not as much in a second as it holds", 0)
	}
	clock.pass(ballastTime)
	b.received(size - 1)
	expect("less than it holds", 0)
	b.received(1)
	expect("as much in a second", size)
	clock.pass(ballastTime)
	b.rest()
	expect("used of late", size)
	b.received(size)
	clock.pass(ballastTime + 1)
	b.rest()
	expect("not used of late", 0)
	burst(b, size)
	expect("again", size)
	b.close()
	burst(b, size)
	expect("closed", 0)
}

func TestBallastIsHeldOnlyWhereItHelps(t *testing.T) {
	const size = 1 << 20
	for _, tt := range []struct {
		name string
		heap heap
		size int
		want int
	}{
		{"small heap", heap{goal: 2*size - 1, percent: 100, limit: math.MaxInt64}, size, size},
		{"large heap", heap{goal: 2 * size, percent: 100, limit: math.MaxInt64}, size, 0},
		{"no collections", heap{goal: 1, percent: math.MaxUint64, limit: math.MaxInt64}, size, 0},
		{"enough memory", heap{goal: 1, percent: 100, limit: limitBallasts * size}, size, size},
		{"little memory", heap{goal: 1, percent: 100, limit: limitBallasts*size - 1}, size, 0},
		{"none wanted", heap{goal: 1, percent: 100, limit: math.MaxInt64}, -1, 0},
	} {
		clock := new(recyclerClock)
		b := newBallast(tt.size, clock.now, func() heap { return tt.heap })
		burst(b, size)
		if b.held() != tt.want {
			t.Errorf("%s: %d bytes are held, not %d", tt.name, b.held(), tt.want)
		}
	}
	for _, tt := range []struct {
		name string
		heap heap
		want int
	}{
		{"small but for the ballast", heap{goal: 4*size - 1, percent: 100, limit: math.MaxInt64}, size},
		{"large without it", heap{goal: 4 * size, percent: 100, limit: math.MaxInt64}, 0},
		{"small, with much garbage", heap{goal: 7*size - 1, percent: 400, limit: math.MaxInt64}, size},
		{"large without it, with much garbage", heap{goal: 7 * size, percent: 400, limit: math.MaxInt64}, 0},
		{"little memory now", heap{goal: 1, percent: 100, limit: size}, 0},
	} {
		h := smallHeap()
		b := newBallast(size, new(recyclerClock).now, func() heap { return h })
		burst(b, size)
		h = tt.heap
		if b.rest(); b.held() != tt.want {
			t.Errorf("%s: %d bytes are held on, not %d", tt.name, b.held(), tt.want)
		}
	}
}

func TestFewOfManyNodesHoldBallast(t *testing.T) {
	const size = 1 << 20
	all := make([]*ballast, 100)
	sum := func() (held int) {
		for _, b := range all {
			held += len(b.memory)
		}
		return held
	}
	for i := range all {
		all[i] = newBallast(size, new(recyclerClock).now, func() heap {
			h := smallHeap()
			h.goal = size/4 + 2*uint64(sum())
			return h
		})
	}
	for range 3 {
		for _, b := range all {
			burst(b, size)
			b.rest()
		}
	}
	if held := sum(); held != size {
		t.Errorf("100 nodes hold %d bytes", held)
	}
}

func TestBallastLetsTheHeapOfTheProgramGrow(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	runtime.GC()
	before := programHeap()
	size := int(before.goal)
	b := newBallast(size, new(recyclerClock).now, programHeap)
	burst(b, size)
	runtime.GC()
	during := programHeap()
	b.close()
	runtime.GC()
	after := programHeap()
	if least := before.goal + 3*uint64(size)/2; during.goal < least || after.goal > least {
		t.Errorf("the collector aims at %d bytes, with a ballast of %d at %d, and at %d afterwards", before.goal, size, during.goal, after.goal)
	}
}

func TestNodeThatGetsMuchHoldsBallast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 1 << 20
		network := memory.NewNetwork()
		from := startedAs(t, network, Config{Name: "from", Ballast: size})
		to := startedAs(t, network, Config{Name: "to", Ballast: size, Join: []string{"from:1"}})
		for _, n := range []*Node{from, to} {
			n.ballast.mu.Lock()
			n.ballast.heap = smallHeap // else that of the tests counts
			n.ballast.mu.Unlock()
			n.HandleControl("topic", func(actor.NodeID, []byte) {})
		}
		time.Sleep(time.Second)
		say := func(times int) {
			for range times {
				if err := from.SendControl(to.ID(), "topic", make([]byte, 1<<10)); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
		}
		say(size >> 10 / 2)
		if held := to.Stats().Ballast; held != 0 {
			t.Errorf("after half as much as it holds, it holds %d bytes", held)
		}
		say(2 * size >> 10)
		if gets, sends := to.Stats().Ballast, from.Stats().Ballast; gets != size || sends != 0 {
			t.Errorf("who gets much holds %d bytes, who sends it %d", gets, sends)
		}
		time.Sleep(2 * releaseEvery)
		if held := to.Stats().Ballast; held != 0 {
			t.Errorf("who has got nothing for some time holds %d bytes", held)
		}
		say(3 * size >> 10)
		if to.Stats().Ballast != size {
			t.Error("who gets much again holds nothing")
		}
		if err := to.Close(t.Context()); err != nil || to.Stats().Ballast != 0 {
			t.Errorf("who is closed holds %d bytes, %v", to.Stats().Ballast, err)
		}
	})
}
