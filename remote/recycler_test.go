package remote

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/remote/memory"
)

// recyclerClock is a time that tests move.
type recyclerClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *recyclerClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *recyclerClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// state returns how much is ready, and how much is ready or has a finalizer.
func (r *recycler) state() (ready, tracked int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.shelves {
		ready += s.size * len(s.ready)
	}
	return ready, r.tracked
}

// collect lets the collector and the finalizers run until done.
func collect(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); runtime.GC() {
		if time.Now().After(end) {
			t.Fatal("the collector has not found what nobody has, or nothing has come of it")
		}
	}
}

// take takes so many blocks of n bytes, whose addresses are kept in where.
//
//go:noinline
func take(r *recycler, n, times int, where map[uintptr]int) {
	var all [][]byte
	for range times {
		b, _ := r.Take(n)
		where[uintptr(unsafe.Pointer(unsafe.SliceData(b)))]++
		all = append(all, b)
	}
	runtime.KeepAlive(all)
}

func TestLargeMemoryThatNobodyHasIsUsedAgain(t *testing.T) {
	r := newRecycler(new(recyclerClock).now)
	where := make(map[uintptr]int)
	take(r, 512<<10, 8, where)
	collect(t, func() bool { ready, _ := r.state(); return ready == 8*512<<10 })
	take(r, 500<<10, 8, where) // of about the size
	if len(where) != 8 || r.reused() != 8 {
		t.Errorf("%d blocks in 16 payloads, %d times again", len(where), r.reused())
	}
	if _, tracked := r.state(); tracked != 8*512<<10 {
		t.Errorf("%d bytes are ready or in use", tracked)
	}
}

func TestMemoryThatIsReadyMakesRoomForAnotherSize(t *testing.T) {
	clock := new(recyclerClock)
	r := newRecycler(clock.now)
	where := make(map[uintptr]int)
	take(r, 512<<10, 32, where)
	collect(t, func() bool { ready, _ := r.state(); return ready == recycledBytes })
	clock.pass(recyclerRest / 2)
	take(r, 1<<20, 4, where)
	if ready, tracked := r.state(); ready != recycledBytes-4<<20 || tracked != recycledBytes {
		t.Fatalf("%d bytes are ready, %d with those in use", ready, tracked)
	}
	collect(t, func() bool { ready, _ := r.state(); return ready == recycledBytes })
	clock.pass(recyclerRest/2 + 1)
	r.rest() // the smaller ones have had no use
	if ready, _ := r.state(); ready != 4<<20 {
		t.Fatalf("%d bytes are ready", ready)
	}
	take(r, 1<<20, 4, where)
	if r.reused() != 4 {
		t.Errorf("%d times again", r.reused())
	}
}

func TestTheSizeThatWasNotUsedForLongestMakesRoom(t *testing.T) {
	clock := new(recyclerClock)
	r := newRecycler(clock.now)
	where := make(map[uintptr]int)
	for _, size := range []int{1 << 20, 2 << 20} {
		take(r, size, recycledBytes/2/size, where)
		clock.pass(time.Millisecond)
	}
	collect(t, func() bool { ready, _ := r.state(); return ready == recycledBytes })
	b, _ := r.Take(1 << 20) // the first size has been used since
	clock.pass(time.Millisecond)
	c, _ := r.Take(512 << 10)
	left := func(size int) int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.shelves[size].ready)
	}
	if first, second := left(1<<20), left(2<<20); first != 7 || second != 3 {
		t.Errorf("%d of 7 and %d of 4 are left", first, second)
	}
	runtime.KeepAlive(b)
	runtime.KeepAlive(c)
}

func TestNodeGivesMemoryUpThatItHasNoUseFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := started(t, memory.NewNetwork(), "a")
		r := n.recycler
		for _, end := range []func(){
			func() { time.Sleep(2*releaseEvery + recyclerRest) },
			func() { _ = n.Close(t.Context()) },
		} {
			take(r, 1<<20, 4, make(map[uintptr]int))
			collect(t, func() bool { ready, _ := r.state(); return ready == 4<<20 })
			end()
			if ready, tracked := r.state(); ready != 0 || tracked != 0 {
				t.Errorf("%d bytes are ready, %d with those in use", ready, tracked)
			}
		}
	})
}

func TestLargeMemoryInUseIsNobodyElses(t *testing.T) {
	r := newRecycler(time.Now)
	sizes := []int{1, 100, leastRecycled - 1, leastRecycled, 100_000, 512 << 10, 512<<10 + 1, mostRecycled, mostRecycled + 1}
	var wg sync.WaitGroup
	for who := range byte(4) {
		wg.Go(func() {
			kept := make(map[byte][]byte)
			for i := range 81 {
				n := sizes[i%len(sizes)]
				b, loan := r.Take(n)
				if len(b) != n || cap(b) != n || loan != nil {
					t.Errorf("%d of %d bytes, not %d", len(b), cap(b), n)
				}
				mark := who<<6 | byte(i%60)
				copy(b, bytes.Repeat([]byte{mark}, n))
				if i%7 == int(who) { // some are kept for a while, a part of them
					kept[mark] = b[len(b)/2:]
				}
				if i%20 != 0 {
					continue
				}
				runtime.GC()
				for mark, part := range kept {
					if bytes.Count(part, []byte{mark}) != len(part) {
						t.Error("somebody else has written into it")
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestRecycledMemoryIsBounded(t *testing.T) {
	clock := new(recyclerClock)
	r := newRecycler(clock.now)
	var kept [][]byte
	for range 2 * recycledBytes / (1 << 20) {
		b, _ := r.Take(1 << 20)
		kept = append(kept, b)
	}
	if _, tracked := r.state(); tracked != recycledBytes {
		t.Fatalf("%d bytes are to be used again", tracked)
	}
	runtime.KeepAlive(kept)
	kept = nil
	collect(t, func() bool { ready, _ := r.state(); return ready == recycledBytes })
}

func TestRecyclerOfNoUseGivesItsMemoryUp(t *testing.T) {
	clock := new(recyclerClock)
	r := newRecycler(clock.now)
	take(r, 1<<20, 4, make(map[uintptr]int))
	collect(t, func() bool { ready, _ := r.state(); return ready == 4<<20 })
	kept, _ := r.Take(1 << 20)
	clock.pass(recyclerRest)
	r.rest()
	if ready, _ := r.state(); ready != 3<<20 {
		t.Fatalf("%d bytes are ready, soon after some were taken", ready)
	}
	clock.pass(1)
	r.rest()
	if ready, tracked := r.state(); ready != 0 || tracked != 1<<20 {
		t.Fatalf("%d bytes are ready, %d in use", ready, tracked)
	}
	runtime.KeepAlive(kept)
	kept = nil
	collect(t, func() bool { _, tracked := r.state(); return tracked == 0 })
	if ready, _ := r.state(); ready != 0 {
		t.Errorf("%d bytes are ready, though none has been needed for long", ready)
	}
}

func TestClosedRecyclerKeepsNothing(t *testing.T) {
	r := newRecycler(new(recyclerClock).now)
	take(r, 1<<20, 4, make(map[uintptr]int))
	collect(t, func() bool { ready, _ := r.state(); return ready == 4<<20 })
	kept, _ := r.Take(1 << 20)
	r.close()
	if ready, tracked := r.state(); ready != 0 || tracked != 1<<20 {
		t.Errorf("%d bytes are ready, %d with those in use", ready, tracked)
	}
	if b, _ := r.Take(1 << 20); len(b) != 1<<20 {
		t.Error("who comes late gets nothing")
	}
	if _, tracked := r.state(); tracked != 1<<20 {
		t.Error("who comes late gets memory that is used again")
	}
	runtime.KeepAlive(kept)
	kept = nil
	collect(t, func() bool { _, tracked := r.state(); return tracked == 0 })
}

func TestBlocksAreHardlyLargerThanWhatIsInThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(leastRecycled, mostRecycled).Draw(t, "n")
		size := blockSize(n)
		if size < n || size > n+n/8 || blockSize(size) != size {
			t.Errorf("%d in %d, and that in %d", n, size, blockSize(size))
		}
	})
}
