package remote

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/memory"
)

// smallHeap is what the collector aims at in a program of nearly nothing.
func smallHeap() heap { return heap{goal: 1 << 20, percent: 100, left: math.MaxInt64} }

// lateClock is long past the zero time.
func lateClock() *recyclerClock {
	c := new(recyclerClock)
	c.pass(time.Hour)
	return c
}

// burst is as much as a ballast of size bytes takes for a sign that much comes.
func burst(b *ballast, size int) {
	for range 2 * 256 {
		b.received(size / 256)
	}
}

func TestBallastIsHeldWhileMuchComes(t *testing.T) {
	const size = 1 << 20
	clock := lateClock()
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
	clock.pass(ballastTime)
	burst(b, size)
	expect("closed", 0)
}

// Whoever fills the measure is told so, and nobody else who comes meanwhile.
func TestOneOfManyWhoFillTheMeasureIsTold(t *testing.T) {
	const size = 1 << 20
	for range 100 {
		clock := lateClock()
		b := newBallast(size, clock.now, smallHeap)
		var readers sync.WaitGroup
		b.mu.Lock()
		for range 8 {
			readers.Go(func() { b.received(size) })
		}
		for b.came.Load() < 8*size {
			runtime.Gosched()
		}
		b.mu.Unlock()
		readers.Wait()
		if b.held() != 0 {
			t.Fatal("what came in longer than a second is taken for what came at once")
		}
	}
}

func TestBallastIsHeldOnlyWhereItHelps(t *testing.T) {
	const size = 1 << 20
	for _, tt := range []struct {
		name string
		heap heap
		size int
		want int
	}{
		{"small heap", heap{goal: 2*size - 1, objects: size - 1, percent: 100, left: math.MaxInt64}, size, size},
		{"large heap", heap{goal: 2 * size, percent: 100, left: math.MaxInt64}, size, 0},
		{"heap that has just grown", heap{goal: 1, objects: size, percent: 100, left: math.MaxInt64}, size, 0},
		{"no collections", heap{goal: 1, percent: math.MaxUint64, left: math.MaxInt64}, size, 0},
		{"one collection after the other", heap{goal: 1, percent: 0, left: math.MaxInt64}, size, 0},
		{"enough memory", heap{goal: 1, percent: 100, left: roomBallasts * size}, size, size},
		{"little memory", heap{goal: 1, percent: 100, left: roomBallasts*size - 1}, size, 0},
		{"none wanted", heap{goal: 1, percent: 100, left: math.MaxInt64}, -1, 0},
	} {
		b := newBallast(tt.size, lateClock().now, func() heap { return tt.heap })
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
		{"small but for the ballast", heap{goal: 4*size - 1, objects: 4 * size, percent: 100, left: math.MaxInt64}, size},
		{"large without it", heap{goal: 4 * size, percent: 100, left: math.MaxInt64}, 0},
		{"small, with much garbage", heap{goal: 7*size - 1, percent: 400, left: math.MaxInt64}, size},
		{"large without it, with much garbage", heap{goal: 7 * size, percent: 400, left: math.MaxInt64}, 0},
		{"no collections now", heap{goal: 1, percent: math.MaxUint64, left: math.MaxInt64}, 0},
		{"enough memory but for it", heap{goal: 1, percent: 100, left: (roomBallasts - 1) * size}, size},
		{"little memory now", heap{goal: 1, percent: 100, left: (roomBallasts-1)*size - 1}, 0},
	} {
		h := smallHeap()
		b := newBallast(size, lateClock().now, func() heap { return h })
		burst(b, size)
		h = tt.heap
		if b.rest(); b.held() != tt.want {
			t.Errorf("%s: %d bytes are held on, not %d", tt.name, b.held(), tt.want)
		}
	}
}

func TestHeapIsLookedAtOnceASecondUntilBallastIsHeld(t *testing.T) {
	const size = 1 << 20
	clock, looks := lateClock(), 0
	h := heap{goal: 2 * size, percent: 100, left: math.MaxInt64}
	b := newBallast(size, clock.now, func() heap { looks++; return h })
	for range 100 {
		burst(b, size)
		clock.pass(ballastTime / 10)
	}
	if looks != 10 {
		t.Errorf("within ten seconds, the heap was looked at %d times", looks)
	}
	h = smallHeap()
	for range 100 {
		burst(b, size)
		clock.pass(ballastTime / 10)
	}
	if looks != 11 || b.held() != size {
		t.Errorf("%d bytes are held, and the heap was looked at %d times more", b.held(), looks-10)
	}
}

// What one of many nodes holds is seen by the others at once, though the collector aims
// higher only when it has been at work.
func TestOneOfManyNodesHoldsBallast(t *testing.T) {
	const size = 1 << 20
	all := make([]*ballast, 100)
	sum := func() (held uint64) {
		for _, b := range all {
			held += uint64(len(b.memory))
		}
		return held
	}
	clock, goal := lateClock(), uint64(size)
	for i := range all {
		all[i] = newBallast(size, clock.now, func() heap {
			return heap{goal: goal, objects: size/4 + sum(), percent: 100, left: math.MaxInt64}
		})
	}
	for range 3 {
		for _, b := range all {
			burst(b, size)
		}
		goal = 2 * (size/4 + sum())
		for _, b := range all {
			b.rest()
		}
		clock.pass(ballastTime)
	}
	if held := sum(); held != size {
		t.Errorf("100 nodes hold %d bytes", held)
	}
}

func TestBallastLetsTheHeapOfTheProgramGrow(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	collected := func() heap {
		for range 3 { // pools and finalizers keep some for two
			runtime.GC()
		}
		return programHeap()
	}
	size := max(int(collected().goal), 16<<20)
	b := newBallast(size, lateClock().now, programHeap)
	burst(b, size)
	with := collected()
	if b.held() < size {
		t.Fatalf("%d bytes are held, not %d", b.held(), size)
	}
	b.close()
	without := collected()
	if with.goal < without.goal+3*uint64(size)/2 || with.objects < without.objects+uint64(size)*9/10 {
		t.Errorf("with a ballast of %d bytes the collector aims at %d, with %d in use, without it at %d, with %d",
			size, with.goal, with.objects, without.goal, without.objects)
	}
}

func TestLimitsOfTheProgramAreMinded(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	runtime.GC()
	size := max(int(programHeap().goal), 16<<20)
	held := func() bool {
		b := newBallast(size, lateClock().now, programHeap)
		defer b.close()
		burst(b, size)
		return b.held() > 0
	}
	used := math.MaxInt64 - int64(programHeap().left)
	for _, tt := range []struct {
		name    string
		percent int
		limit   int64
		want    bool
	}{
		{"none", 100, math.MaxInt64, true},
		{"no collections", -1, math.MaxInt64, false},
		{"little memory", 100, used + int64(size), false},
		{"enough memory", 100, used + 20*int64(size), true},
	} {
		debug.SetGCPercent(tt.percent)
		debug.SetMemoryLimit(tt.limit)
		runtime.GC()
		if held() != tt.want {
			t.Errorf("%s: held: %v", tt.name, !tt.want)
		}
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
		say(size >> 10 * 7 / 8)
		for range 10 {
			if err := from.SendControl(to.ID(), "topic", make([]byte, size)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if held := to.Stats().Ballast; held != 0 {
			t.Errorf("after few small messages and some large ones, it holds %d bytes", held)
		}
		say(2 * size >> 10)
		if gets, sends := to.Stats().Ballast, from.Stats().Ballast; gets != size || sends != 0 {
			t.Errorf("who gets much holds %d bytes, who sends it %d", gets, sends)
		}
		time.Sleep(2 * releaseEvery)
		if held := to.Stats().Ballast; held != 0 {
			t.Errorf("who has got nothing for some time holds %d bytes", held)
		}
		nobody := actor.MakePID(to.handle, 1<<40) // what comes for him comes all the same
		for range 3 * size >> 10 {
			if err := from.Carry(actor.PID{}, nobody, make([]byte, 1<<10)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if to.Stats().Ballast != size {
			t.Error("who gets much again, of messages between processes, holds nothing")
		}
		if err := to.Close(t.Context()); err != nil || to.Stats().Ballast != 0 {
			t.Errorf("who is closed holds %d bytes, %v", to.Stats().Ballast, err)
		}
	})
}

func TestNodeHasBallastUnlessToldOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork()
		for set, want := range map[int]int{0: DefaultBallast, -1: 0, 5 << 20: 5 << 20} {
			n := startedAs(t, network, Config{Name: fmt.Sprint("n", want), Ballast: set})
			if n.ballast.size != want {
				t.Errorf("with Config.Ballast %d a node would hold %d bytes", set, n.ballast.size)
			}
		}
	})
}
