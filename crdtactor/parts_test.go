package crdtactor_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// TestBatchThatComesInPartsIsWrittenAsOne lets changes of many keys gather while
// the disk is slow, more than are taken at once.
func TestBatchThatComesInPartsIsWrittenAsOne(t *testing.T) {
	const keys = 3 * replica.DefaultAtOnce
	ctx := t.Context()
	disk := openDisk(t, filepath.Join(t.TempDir(), "disk"))
	start := func() (*actor.System, *crdtactor.Store[*crdt.PNCounter]) {
		sys, err := actor.NewSystem(actor.Config{Node: actor.NodeID{Name: "n@h:1"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sys.Close(context.Background()) })
		store, err := crdtactor.NewStore(crdtactor.Config[*crdt.PNCounter]{Name: "store", Disk: disk,
			New: func() *crdt.PNCounter { return new(crdt.PNCounter) }, Members: func() []actor.NodeID { return nil }})
		if err != nil || store.Spawn(ctx, sys) != nil {
			t.Fatal("cannot be started", err)
		}
		return sys, store
	}
	has := func(sys *actor.System, store *crdtactor.Store[*crdt.PNCounter]) int {
		list, err := store.Keys(ctx, sys)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	sys, store := start()
	var updates sync.WaitGroup
	add := func(i int) {
		updates.Go(func() {
			if err := store.Update(ctx, sys, fmt.Sprint("key ", i), addOne); err != nil {
				t.Error(err)
			}
		})
	}
	release, err := disk.Stall()
	if err != nil {
		t.Fatal(err)
	}
	before, err := disk.Writes()
	if err != nil {
		t.Fatal(err)
	}
	for i := range keys {
		add(i)
	}
	for has(sys, store) < keys {
		<-time.After(time.Millisecond)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	updates.Wait()
	if n, err := disk.Writes(); err != nil || n-before > 2 { // what was under way, and all the rest
		t.Errorf("the file was written %d times, %v", n-before, err)
	}
	if err := sys.Close(ctx); err != nil {
		t.Fatal(err)
	}
	sys, store = start()
	if n := has(sys, store); n != keys {
		t.Errorf("%d of %d keys are back", n, keys)
	}
}
