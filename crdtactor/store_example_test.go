package crdtactor_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

// A store of carts on disk, which a second life of the node finds again.
func ExampleStore() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "carts")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for range 2 {
		disk, err := crdtactor.OpenDisk(filepath.Join(dir, "state"))
		if err != nil {
			panic(err)
		}
		sys, err := actor.NewSystem(actor.Config{})
		if err != nil {
			panic(err)
		}
		carts, err := crdtactor.NewStore(crdtactor.Config[*crdt.Cart]{
			Name:    "carts",
			New:     func() *crdt.Cart { return new(crdt.Cart) },
			Members: func() []actor.NodeID { return []actor.NodeID{sys.Node()} },
			Disk:    disk,
			Shards:  2,
		})
		if err != nil {
			panic(err)
		}
		if err := carts.Spawn(ctx, sys); err != nil {
			panic(err)
		}
		err = carts.Update(ctx, sys, "alice", func(c *crdt.Cart, me crdt.ReplicaID) *crdt.Cart {
			return c.Add(me, "tea", 2)
		})
		if err != nil {
			panic(err)
		}
		cart, err := carts.Get(ctx, sys, "alice")
		fmt.Println(cart.Quantity("tea"), err)
		sys.Close(ctx)
		disk.Close()
	}
	// Output:
	// 2 <nil>
	// 4 <nil>
}

func ExampleOpenDisk() {
	dir, err := os.MkdirTemp("", "disk")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	var disk *crdtactor.Disk // one for all replicas of a node
	disk, err = crdtactor.OpenDisk(filepath.Join(dir, "state"))
	fmt.Println(err)
	fmt.Println(disk.Close())
	// Output:
	// <nil>
	// <nil>
}
