package crdtactor_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// TestBatchInPartsIsSavedThoughTheMailboxIsFull has a replica with a mailbox of one
// place, for which others wait at the time when there are more parts to be taken.
func TestBatchInPartsIsSavedThoughTheMailboxIsFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	synctest.Test(t, func(t *testing.T) { saveInParts(t, path) })
}

func saveInParts(t *testing.T, path string) {
	ctx := t.Context()
	disk := openDisk(t, path)
	sys, err := actor.NewSystem(actor.Config{Node: actor.NodeID{Name: "n@h:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close(context.Background())
	pid, err := sys.Spawn(ctx, crdtactor.New(crdtactor.Config[*crdt.GSet]{Name: "set", Disk: disk,
		New: func() *crdt.GSet { return new(crdt.GSet) }, Members: func() []actor.NodeID { return nil }}), actor.Mailbox{Capacity: 1, Overflow: actor.OverflowBlock})
	if err != nil {
		t.Fatal(err)
	}
	many := replica.Delta{Node: "b", ID: "b#1", UpTo: 1}
	data, err := new(crdt.GSet).Add("element").MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * replica.DefaultAtOnce {
		many.Items = append(many.Items, replica.Item{Key: fmt.Sprint("key ", i), Data: data})
	}
	enter, leave := make(chan struct{}), make(chan struct{})
	go crdtactor.View(ctx, sys, pid, func(*crdt.GSet) { close(enter); <-leave })
	<-enter
	go sys.Send(pid, many)
	synctest.Wait()
	for range 4 {
		go sys.Send(pid, "something else")
	}
	synctest.Wait()
	close(leave)
	synctest.Wait()
	if err := crdtactor.Update(ctx, sys, pid, func(s *crdt.GSet, _ crdt.ReplicaID) *crdt.GSet { return s.Add("last") }); err != nil {
		t.Error(err)
	}
}
