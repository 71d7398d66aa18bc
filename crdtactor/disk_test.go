package crdtactor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

// Disks take real time, so these tests run outside of bubbles and wait for what
// they expect with Watch.

func openDisk(t *testing.T, path string) *crdtactor.Disk {
	t.Helper()
	disk, err := crdtactor.OpenDisk(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	return disk
}

// durable starts a counter with a disk on node i.
func (w *world) durable(i int, disk *crdtactor.Disk) actor.PID {
	w.t.Helper()
	pid, err := w.sys(i).Spawn(w.t.Context(), crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
		Name: visits, New: func() *crdt.PNCounter { return new(crdt.PNCounter) }, Members: w.members,
		Disk: disk, AntiEntropy: 10 * time.Millisecond,
	}), visits)
	if err != nil {
		w.t.Fatal(err)
	}
	return pid
}

// awaitState waits until node i's counter is as wanted.
func (w *world) awaitState(i int, wanted func(*crdt.PNCounter) bool) {
	w.t.Helper()
	done := make(chan struct{})
	once := sync.Once{}
	stop, err := crdtactor.Watch(w.t.Context(), w.sys(i), visits, func(c *crdt.PNCounter) {
		if wanted(c) {
			once.Do(func() { close(done) })
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	defer stop()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		w.t.Fatalf("node %d has %d", i, w.value(i))
	}
}

func TestStatesAreBackFromDiskWhenAllNodesWereDown(t *testing.T) {
	paths := []string{filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")}
	w := newWorld(t, 2)
	want := int64(0)
	for range 5 {
		disks := []*crdtactor.Disk{openDisk(t, paths[0]), openDisk(t, paths[1])}
		for i, disk := range disks {
			w.durable(i, disk)
		}
		for i := range 2 {
			w.awaitState(i, func(c *crdt.PNCounter) bool { return c.Value() == want })
			w.mustAdd(i, 1)
			want++
		}
		for i, disk := range disks {
			w.crash(i)
			if err := disk.Close(); err != nil {
				t.Fatal(err)
			}
		}
		w.boot(0)
		w.boot(1)
	}
	w.durable(0, openDisk(t, paths[0]))
	w.durable(1, openDisk(t, paths[1]))
	for i := range 2 {
		w.awaitState(i, func(c *crdt.PNCounter) bool {
			data, _ := c.MarshalBinary()
			return c.Value() == want && len(data) < 100 // and the shares of five lives are folded
		})
	}
}

func TestReplicaThatIsRestartedOnAnOpenDiskCountsNothingTwice(t *testing.T) {
	disk := openDisk(t, filepath.Join(t.TempDir(), "disk"))
	w := newWorld(t, 1)
	for life := range int64(5) {
		pid := w.durable(0, disk)
		if got := w.value(0); got != life {
			t.Fatalf("life %d begins with %d", life, got)
		}
		w.mustAdd(0, 1)
		w.sys(0).Kill(pid)
		for w.sys(0).Alive(pid) {
			<-time.After(time.Millisecond)
		}
	}
}

func TestChangeCountsAsACopyOnlyOnceItIsOnDisk(t *testing.T) {
	dir := t.TempDir()
	disks := []*crdtactor.Disk{openDisk(t, filepath.Join(dir, "0")), openDisk(t, filepath.Join(dir, "1"))}
	w := newWorld(t, 2)
	for i, disk := range disks {
		w.durable(i, disk)
	}
	w.mustAdd(0, 1, crdtactor.Copies(2))
	for i, disk := range disks { // the other's, then one's own
		release, err := disks[1-i].Stall()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err = crdtactor.Update(ctx, w.sys(0), visits, func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter {
			return c.Add(me, 1)
		}, crdtactor.Copies(2))
		cancel()
		if !errors.Is(err, actor.ErrTimeout) {
			t.Errorf("Copies(2) while the disk of node %d does not write = %v", 1-i, err)
		}
		release()
		w.mustAdd(0, 1, crdtactor.Copies(2))
		_ = disk
	}
}

func TestReplicaThatCannotSaveEndsAndAcknowledgesNothing(t *testing.T) {
	disk := openDisk(t, filepath.Join(t.TempDir(), "disk"))
	w := newWorld(t, 1)
	pid := w.durable(0, disk)
	w.mustAdd(0, 1)
	if err := disk.Break(); err != nil {
		t.Fatal(err)
	}
	if err := w.add(0, 1); err == nil {
		t.Error("an update was acknowledged that is nowhere on disk")
	}
	if w.sys(0).Alive(pid) {
		t.Error("the replica goes on")
	}
}

func TestReplicaOnAClosedDiskDoesNotStart(t *testing.T) {
	disk := openDisk(t, filepath.Join(t.TempDir(), "disk"))
	disk.Close()
	w := newWorld(t, 1)
	_, err := w.sys(0).Spawn(t.Context(), crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
		Name: visits, New: func() *crdt.PNCounter { return new(crdt.PNCounter) }, Members: w.members, Disk: disk,
	}), visits)
	if !errors.Is(err, crdtactor.ErrDiskClosed) {
		t.Errorf("Spawn = %v, want ErrDiskClosed", err)
	}
}

func TestDeltasOnDiskGiveWayToSnapshots(t *testing.T) {
	disk := openDisk(t, filepath.Join(t.TempDir(), "disk"))
	w := newWorld(t, 1)
	all := w.stores(func(_ int, cfg *crdtactor.Config[*crdt.Cart]) { cfg.Disk = disk })
	const rounds = 300
	for n := range rounds {
		w.put(all[0], 0, "busy", fmt.Sprint("item ", n%5))
		if n%100 == 0 {
			w.put(all[0], 0, "quiet", "tea")
		}
	}
	snapshots, deltas, err := disk.Pages(carts)
	if err != nil || snapshots != 1 || deltas > rounds/2 {
		t.Errorf("the disk has %d snapshots and %d deltas of %d changes: %v", snapshots, deltas, rounds, err)
	}
	again, err := crdtactor.NewStore(crdtactor.Config[*crdt.Cart]{Name: carts, New: func() *crdt.Cart { return new(crdt.Cart) }, Members: w.members, Disk: disk})
	if err != nil {
		t.Fatal(err)
	}
	w.crash(0)
	w.boot(0)
	if err := again.Spawn(t.Context(), w.sys(0)); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		if got := w.quantity(again, 0, "busy", fmt.Sprint("item ", n)); got != rounds/5 {
			t.Errorf("%d of item %d are back, want %d", got, n, rounds/5)
		}
	}
	if got := w.quantity(again, 0, "quiet", "tea"); got != 3 {
		t.Errorf("%d are back of the quiet one, want 3", got)
	}
}

func TestWritesOfManyCallersShareTheDisksTime(t *testing.T) {
	disk := openDisk(t, filepath.Join(t.TempDir(), "disk"))
	w := newWorld(t, 1)
	w.durable(0, disk)
	release, err := disk.Stall()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if err := w.add(0, 1); err != nil {
				t.Error(err)
			}
		})
	}
	w.awaitState(0, func(c *crdt.PNCounter) bool { return c.Value() == 200 }) // though none is acknowledged
	release()
	wg.Wait()
	if _, deltas, err := disk.Pages(string(visits)); err != nil || deltas > 3 {
		t.Errorf("200 concurrent updates took %d batches: %v", deltas, err)
	}
}

func TestReplicasOfOneNodeAreSavedTogether(t *testing.T) {
	disk := openDisk(t, filepath.Join(t.TempDir(), "disk"))
	w := newWorld(t, 1)
	const shards = 16
	all := w.stores(func(_ int, cfg *crdtactor.Config[*crdt.Cart]) { cfg.Disk, cfg.Shards = disk, shards })
	keys := names(200)
	for _, key := range keys { // until every shard has been written
		w.put(all[0], 0, key, "tea")
	}
	before, err := disk.Writes()
	if err != nil {
		t.Fatal(err)
	}
	release, err := disk.Stall()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, key := range keys {
		wg.Go(func() {
			if err := all[0].Update(t.Context(), w.sys(0), key, func(c *crdt.Cart, me crdt.ReplicaID) *crdt.Cart {
				return c.Add(me, "tea", 1)
			}); err != nil {
				t.Error(err)
			}
		})
	}
	for _, key := range keys { // all have changed, and none is acknowledged
		for w.quantity(all[0], 0, key, "tea") < 2 {
			<-time.After(time.Millisecond)
		}
	}
	release()
	wg.Wait()
	after, err := disk.Writes()
	if err != nil || after-before > 6 {
		t.Errorf("%d replicas were saved in %d writes: %v", shards, after-before, err)
	}
}

func TestRestartedReplicaDoesNotCountUnderAnIdWhoseLastCountsItHasLost(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "0")
	disk := openDisk(t, path)
	w := newWorld(t, 2)
	w.durable(0, disk)
	w.durable(1, openDisk(t, filepath.Join(dir, "1")))
	w.mustAdd(0, 1, crdtactor.Copies(2))
	data, err := os.ReadFile(path) // as the disk is when the power fails
	if err != nil {
		t.Fatal(err)
	}
	release, err := disk.Stall()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = crdtactor.Update(ctx, w.sys(0), visits, addOne)
	if err == nil {
		t.Fatal("acknowledged though it is not on disk")
	}
	w.awaitState(1, func(c *crdt.PNCounter) bool { return c.Value() == 2 }) // the other has it all the same
	w.crash(0)
	release()
	again := filepath.Join(dir, "again")
	if err := os.WriteFile(again, data, 0o600); err != nil {
		t.Fatal(err)
	}
	w.boot(0)
	w.durable(0, openDisk(t, again))
	w.mustAdd(0, 1, crdtactor.Copies(2))
	for i := range 2 {
		w.awaitState(i, func(c *crdt.PNCounter) bool { return c.Value() == 3 })
	}
}

func TestADiskThatIsInUseIsRefusedUntilItIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // for the five seconds: no other time matters
		path := filepath.Join(t.TempDir(), "disk")
		first, err := crdtactor.OpenDisk(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := crdtactor.OpenDisk(path); !errors.Is(err, crdtactor.ErrDiskInUse) {
			t.Errorf("opened twice: %v", err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		second, err := crdtactor.OpenDisk(path)
		if err != nil {
			t.Fatalf("when it is free: %v", err)
		}
		if err := second.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
