package remote

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
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
	for end := time.Now().Add(20 * time.Second); !done(); {
		if time.Now().After(end) {
			t.Fatal("not in time")
		}
		runtime.GC()
		// The finalizers before it have run when this one has.
		ran := make(chan struct{})
		runtime.SetFinalizer(new([64]byte), func(*[64]byte) { close(ran) })
		runtime.GC()
		<-ran
	}
}

//go:noinline
func takeAndDrop(r *recycler, n, times int) (where []uintptr) {
	var all [][]byte
	for range times {
		b, _ := r.Take(n)
		where = append(where, uintptr(unsafe.Pointer(unsafe.SliceData(b))))
		all = append(all, b)
	}
	runtime.KeepAlive(all)
	return where
}

func TestLargeMemoryThatNobodyHasIsUsedAgain(t *testing.T) {
	clock := new(recyclerClock)
	r := newRecycler(clock.now)
	before := make(map[uintptr]bool)
	for _, at := range takeAndDrop(r, 512<<10, 8) {
		before[at] = true
	}
	collect(t, func() bool { ready, _ := r.state(); return ready == 8*512<<10 })
	for _, at := range takeAndDrop(r, 500<<10, 8) { // of about the size
		if !before[at] {
			t.Error("new memory, while there is some that nobody has")
		}
		delete(before, at) // once each
	}
	if ready, tracked := r.state(); ready != 0 || tracked != 8*512<<10 {
		t.Errorf("%d bytes are ready, %d in use", ready, tracked)
	}
}

func TestLargeMemoryInUseIsNobodyElses(t *testing.T) {
	r := newRecycler(time.Now)
	sizes := []int{leastRecycled - 1, leastRecycled, 100_000, 512 << 10, 512<<10 + 1, mostRecycled, mostRecycled + 1}
	var wg sync.WaitGroup
	for who := range byte(4) {
		wg.Go(func() {
			kept := make(map[byte][]byte)
			for i := range 60 {
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
				r.rest()
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
	takeAndDrop(r, 1<<20, 4)
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

func TestBlocksAreHardlyLargerThanWhatIsInThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(leastRecycled, mostRecycled).Draw(t, "n")
		size := blockSize(n)
		if size < n || size > n+n/8 || blockSize(size) != size {
			t.Errorf("%d in %d, and that in %d", n, size, blockSize(size))
		}
	})
}
