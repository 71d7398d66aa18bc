package remote

import (
	"runtime"
	"sync"
	"testing"
	"weak"
)

func TestMemoryReturnedLastIsLentFirst(t *testing.T) {
	var ls loans
	var taken []*loan
	for range 5 {
		taken = append(taken, ls.lend(512<<10))
	}
	if other := ls.lend(64 << 10); len(other.memory) != 64<<10 {
		t.Errorf("64 KiB are lent as %d", len(other.memory))
	}
	for _, l := range taken {
		l.Return()
		if again := ls.lend(300 << 10); again != l || len(again.bytes()) != 300<<10 {
			t.Error("something else is lent than what was returned last")
		}
		l.Return()
	}
}

func TestMemoryIsNeverLentTwiceAtOnce(t *testing.T) {
	var ls loans
	var wg sync.WaitGroup
	for who := range byte(8) {
		wg.Go(func() {
			for i := range 5000 {
				l := ls.lend(5000)
				b := l.bytes()
				b[0], b[len(b)-1] = who, who
				if i%100 == 0 {
					ls.rest()
				}
				if b[0] != who || b[len(b)-1] != who {
					t.Error("somebody else has written into it")
				}
				l.Return()
			}
		})
	}
	wg.Wait()
}

func TestMemoryAtRestIsLeftToTheCollector(t *testing.T) {
	var ls loans
	l := ls.lend(1 << 20)
	first := weak.Make(&l.memory[0])
	l.Return()
	l = nil
	ls.rest()
	for range 3 { // a pool keeps things for one more
		runtime.GC()
	}
	if first.Value() != nil {
		t.Error("it is kept")
	}
	runtime.KeepAlive(&ls)
}
