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
		taken = append(taken, ls.Lend(512<<10).(*loan))
	}
	if other := ls.Lend(64 << 10).(*loan); len(other.memory) != 64<<10 {
		t.Errorf("64 KiB are lent as %d", len(other.memory))
	}
	for _, l := range taken {
		l.Return()
		if again := ls.Lend(300 << 10).(*loan); again != l || len(again.Bytes()) != 300<<10 {
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
				l := ls.Lend(5000)
				b := l.Bytes()
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
	l := ls.Lend(1 << 20).(*loan)
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
