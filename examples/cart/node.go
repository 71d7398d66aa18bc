package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/internal/crowd"
	"github.com/topos-go/topos/supervisor"
)

// options are what all nodes of the cluster are started with.
type options struct {
	Carts  int
	Writes int
	Seed   uint64
}

// command is what the director tells a node.
type command struct {
	Do string // "write", "owners" or "view"
}

// event is what a node tells the director: one of its fields counts.
type event struct {
	Kind   string            // "started", "ready", "sending", "write", "written", "owners" or "view"
	Addr   string            `json:",omitempty"`
	Owners map[string]string `json:",omitempty"` // cart to node
	View   carts             `json:",omitempty"`

	// Of a write.
	Cart     string `json:",omitempty"`
	Item     string `json:",omitempty"`
	Quantity int64  `json:",omitempty"`
	Acked    bool   `json:",omitempty"`
}

func (e event) line() line { return line{e.Cart, e.Item} }

// member is one node of the cluster, running.
type member struct {
	options
	index int
	node  *topos.Node
	tell  func(event)

	writing sync.WaitGroup
}

func cartName(i int) string { return fmt.Sprintf("cart/%d", i) }

func replicaName(cart string) actor.Name { return actor.Name("replica of " + cart) }

// serve is a member, from its start until it is to leave. If it is killed although
// it is not a process of its own, ctx ends.
func serve(ctx context.Context, setup crowd.Setup, commands <-chan command, tell func(event)) error {
	var o options
	if err := setup.Decode(&o); err != nil {
		return err
	}
	node, err := topos.Start(ctx, topos.Config{
		Name:   setup.Name,
		Secret: "cart",
		Join:   setup.Join,
		Types:  topos.Types(AddItem{}),
		Logger: slog.New(slog.DiscardHandler),
		Settle: 300 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, node.Kill)()
	m := &member{options: o, index: setup.Index, node: node, tell: tell}
	err = m.start(ctx)
	if err == nil {
		err = m.run(ctx, commands)
	}
	return errors.Join(err, node.Close(ctx))
}

// start starts the node's replicas of all carts, and declares the carts, each of
// which will be served by one node of the cluster.
func (m *member) start(ctx context.Context) error {
	var replicas []supervisor.ChildSpec
	var served []supervisor.ChildSpec
	for i := range m.Carts {
		cart := cartName(i)
		replicas = append(replicas, supervisor.ChildSpec{ID: cart, Start: crdtactor.Start(crdtactor.Config[*crdt.Cart]{
			Name: replicaName(cart), New: func() *crdt.Cart { return new(crdt.Cart) }, Members: m.node.Members, AntiEntropy: 250 * time.Millisecond,
		})})
		served = append(served, supervisor.ChildSpec{ID: cart, Start: server.Start(func() server.Server {
			return &cartServer{replica: replicaName(cart)}
		}, actor.ClusterName(cart))})
	}
	if _, err := m.node.Supervise(ctx, supervisor.Spec{Children: replicas}); err != nil {
		return fmt.Errorf("replicas: %w", err)
	}
	if err := m.node.Place(ctx, served...); err != nil {
		return fmt.Errorf("carts: %w", err)
	}
	m.tell(event{Kind: "started", Addr: m.node.Addr()})
	return nil
}

// run carries out the director's commands until the end of them.
func (m *member) run(ctx context.Context, commands <-chan command) error {
	defer m.writing.Wait()
	for i := range m.Carts {
		if _, err := m.node.Await(ctx, actor.ClusterName(cartName(i))); err != nil {
			return err
		}
	}
	m.tell(event{Kind: "ready"})
	for c := range commands {
		switch c.Do {
		case "write":
			m.writing.Go(func() { m.write(ctx) })
		case "owners":
			m.tell(event{Kind: "owners", Owners: m.owners(ctx)})
		case "view":
			view, err := m.view(ctx)
			if err != nil {
				return err
			}
			m.tell(event{Kind: "view", View: view})
		}
	}
	return nil
}

// write makes this node's share of the writes, to carts wherever they live.
func (m *member) write(ctx context.Context) {
	items := []string{"apple", "bread", "cheese", "dates", "eggs"}
	random := rand.New(rand.NewPCG(m.Seed, uint64(m.index)))
	for range m.Writes {
		e := event{
			Kind:     "sending",
			Cart:     cartName(random.IntN(m.Carts)),
			Item:     items[random.IntN(len(items))],
			Quantity: 1 + random.Int64N(3),
		}
		m.tell(e) // so that it is known even if this node does not live to tell more
		e.Kind = "write"
		_, err := actor.Call[bool](ctx, m.node, actor.ClusterName(e.Cart), AddItem{e.Item, e.Quantity})
		e.Acked = err == nil
		m.tell(e)
		if err == nil {
			continue
		}
		// The cart is being started elsewhere.
		if _, err := m.node.Await(ctx, actor.ClusterName(e.Cart)); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	m.tell(event{Kind: "written"})
}

// owners says on which node each cart is served, as this node sees it.
func (m *member) owners(ctx context.Context) map[string]string {
	owners := make(map[string]string)
	for i := range m.Carts {
		cart := cartName(i)
		if pid, err := m.node.Await(ctx, actor.ClusterName(cart)); err == nil {
			owners[cart] = pid.Node().Name
		}
	}
	return owners
}

// view reads this node's copies of all carts.
func (m *member) view(ctx context.Context) (carts, error) {
	view := make(carts)
	for i := range m.Carts {
		cart := cartName(i)
		state, err := crdtactor.Get[*crdt.Cart](ctx, m.node, replicaName(cart))
		if err != nil {
			return nil, err
		}
		view[cart] = maps.Collect(state.All())
	}
	return view, nil
}
