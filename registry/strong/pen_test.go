package strong

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// slowDisk takes its time to write.
type slowDisk struct {
	disk
	takes  time.Duration
	writes int
}

func (d *slowDisk) StoreLogs(logs []*raft.Log) error {
	<-time.After(d.takes)
	d.writes++
	return d.disk.StoreLogs(logs)
}

func TestAPenIsIdleOnceItHasWritten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := &pen{disk: &slowDisk{disk: newMemoryStore(), takes: time.Second}}
		began := time.Now()
		<-p.idle()
		go func() {
			if err := p.StoreLog(entry(1)); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		<-p.idle()
		if took := time.Since(began); took != time.Second {
			t.Errorf("it was idle after %v", took)
		}
		if last, err := p.LastIndex(); last != 1 || err != nil {
			t.Error(last, err)
		}
	})
}

func TestAPenLeavesGapsOnlyIfItsDiskDoes(t *testing.T) {
	if p := (&pen{disk: newMemoryStore()}); !p.IsMonotonic() {
		t.Error("raft would leave gaps in a log in memory")
	}
	if p := (&pen{disk: &store{}}); p.IsMonotonic() {
		t.Error("raft would delete a whole log on disk")
	}
}

// All who come while an entry is being written share the next one.
func TestCommandsThatComeTogetherShareAnEntry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 95, 1, 1, Config{}).startAll()
		defer w.close()
		r := w.regs[w.leader()]
		if _, err := r.Register(wait(t), "warm", w.process(0, 1), IfFree()); err != nil {
			t.Fatal(err)
		}
		slow := &slowDisk{disk: r.replica.proposer.pen.disk, takes: 10 * time.Millisecond}
		r.replica.proposer.pen.disk = slow // raft waits for something
		before := r.replica.raft.LastIndex()
		began := time.Now()
		var work sync.WaitGroup
		for i := range 500 {
			work.Go(func() {
				if _, err := r.Register(wait(t), fmt.Sprint(i), w.process(0, 1), IfFree()); err != nil {
					t.Error(err)
				}
			})
		}
		work.Wait()
		if n, took := r.replica.raft.LastIndex()-before, time.Since(began); n > 6 || took > 65*time.Millisecond {
			t.Errorf("500 commands made %d entries in %v", n, took)
		}
	})
}
