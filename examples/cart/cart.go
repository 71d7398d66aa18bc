package main

import (
	"context"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

// AddItem asks a cart for Quantity more of Item. The reply, true, comes when
// two nodes hold it.
type AddItem struct {
	Item     string
	Quantity int64
}

// cartServer is the process behind a cart's cluster name. It keeps nothing
// itself: the cart lies in the replica on its node, and in those on the others.
type cartServer struct{ replica actor.Name }

// copies is how many nodes hold a write before it is acknowledged: with two,
// any one node may be lost.
const copies = 2

// writeTimeout is how long a cart waits for the second copy.
const writeTimeout = 2 * time.Second

func (c *cartServer) HandleCall(self *actor.Self, req any) (server.Next, error) {
	add := req.(AddItem)
	ctx, cancel := context.WithTimeout(self.Context(), writeTimeout)
	defer cancel()
	err := crdtactor.Update(ctx, self, c.replica, func(cart *crdt.Cart, me crdt.ReplicaID) *crdt.Cart {
		return cart.Add(me, add.Item, add.Quantity)
	}, crdtactor.Copies(copies))
	if err != nil {
		return server.Next{}, self.ReplyError(err)
	}
	return server.Next{}, self.Reply(true)
}

func (c *cartServer) HandleCast(*actor.Self, any) (server.Next, error) { return server.Next{}, nil }
