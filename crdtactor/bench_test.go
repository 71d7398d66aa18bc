package crdtactor_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

func benchSystem(b *testing.B) *actor.System {
	sys, err := actor.NewSystem(actor.Config{Node: actor.NodeID{Name: "n@h:1"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { sys.Close(context.Background()) })
	return sys
}

func benchReplica(b *testing.B, sys *actor.System, disk *crdtactor.Disk) actor.PID {
	pid, err := sys.Spawn(b.Context(), crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
		Name: visits, New: func() *crdt.PNCounter { return new(crdt.PNCounter) }, Disk: disk,
		Members: func() []actor.NodeID { return nil },
	}), visits)
	if err != nil {
		b.Fatal(err)
	}
	return pid
}

func addOne(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter { return c.Add(me, 1) }

// accumulate is addOne without a delta.
func accumulate(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter {
	c.Accumulate(me, 1)
	return nil
}

type bareAdd struct{ n int64 }

// BenchmarkCounterIncrement compares what one more costs: under a mutex, on
// state that the caller owns, by a bare call to a process, and through a
// Replica.
func BenchmarkCounterIncrement(b *testing.B) {
	ctx := context.Background()
	b.Run("mutex", func(b *testing.B) {
		var mu sync.Mutex
		n := int64(0)
		for b.Loop() {
			mu.Lock()
			n++
			mu.Unlock()
			mu.Lock()
			_ = n
			mu.Unlock()
		}
	})
	b.Run("owned", func(b *testing.B) {
		var c crdt.PNCounter
		for b.Loop() {
			c.Accumulate("n@h:1#1", 1)
			if c.Value() == 0 {
				b.Fatal("lost")
			}
		}
	})
	b.Run("call", func(b *testing.B) {
		sys := benchSystem(b)
		total := int64(0)
		pid, err := sys.Spawn(ctx, actor.Func(func(self *actor.Self, msg any) error {
			total += msg.(bareAdd).n
			return self.Reply(true)
		}))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := actor.Call[bool](ctx, sys, pid, bareAdd{1}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("replica", func(b *testing.B) {
		sys := benchSystem(b)
		pid := benchReplica(b, sys, nil)
		b.ReportAllocs()
		for b.Loop() {
			if err := crdtactor.Update(ctx, sys, pid, addOne); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("view", func(b *testing.B) {
		sys := benchSystem(b)
		pid := benchReplica(b, sys, nil)
		n := int64(0)
		b.ReportAllocs()
		for b.Loop() {
			if err := crdtactor.View(ctx, sys, pid, func(c *crdt.PNCounter) { n = c.Value() }); err != nil || n != 0 {
				b.Fatal(n, err)
			}
		}
	})
}

// BenchmarkDurableUpdate is how many updates a second reach the disk, by how
// many callers wait at the same time.
func BenchmarkDurableUpdate(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			disk, err := crdtactor.OpenDisk(filepath.Join(b.TempDir(), "disk"))
			if err != nil {
				b.Fatal(err)
			}
			defer disk.Close()
			sys := benchSystem(b)
			pid := benchReplica(b, sys, disk)
			b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := crdtactor.Update(context.Background(), sys, pid, addOne); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
			sys.Close(context.Background())
		})
	}
}

// BenchmarkReplicaOverCall reports how many times as long as a bare call an
// update, one that makes a delta, and a read, through a Replica take: by turns, so that what else the
// machine does slows down all of them.
func BenchmarkReplicaOverCall(b *testing.B) {
	const turn = 500
	ctx := context.Background()
	sys := benchSystem(b)
	total := int64(0)
	bare, err := sys.Spawn(ctx, actor.Func(func(self *actor.Self, msg any) error {
		total += msg.(bareAdd).n
		return self.Reply(true)
	}))
	if err != nil {
		b.Fatal(err)
	}
	pid := benchReplica(b, sys, nil)
	n := int64(0)
	read := func(c *crdt.PNCounter) { n += c.Value() }
	ways := []func() error{
		func() error { _, err := actor.Call[bool](ctx, sys, bare, bareAdd{1}); return err },
		func() error { return crdtactor.Update(ctx, sys, pid, accumulate) },
		func() error { return crdtactor.Update(ctx, sys, pid, addOne) },
		func() error { return crdtactor.View(ctx, sys, pid, read) },
	}
	took := make([][]float64, len(ways))
	for b.Loop() {
		for i, way := range ways {
			began := time.Now()
			for range turn {
				if err := way(); err != nil {
					b.Fatal(err)
				}
			}
			took[i] = append(took[i], float64(time.Since(began).Nanoseconds())/turn)
		}
	}
	for i := range took {
		slices.Sort(took[i])
	}
	median := func(i int) float64 { return took[i][len(took[i])/2] }
	if n == 0 || total == 0 {
		b.Fatal("nothing was counted")
	}
	b.ReportMetric(median(0), "ns/call")
	b.ReportMetric(median(1)/median(0), "update/call")
	b.ReportMetric(median(2)/median(0), "delta/call")
	b.ReportMetric(median(3)/median(0), "view/call")
}
