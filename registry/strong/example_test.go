package strong_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/strong"
	"github.com/topos-go/topos/remote"
)

// cluster is a remote node as a strong.Cluster.
type cluster struct{ *remote.Node }

func (c cluster) Self() actor.NodeID { return c.ID() }

func (c cluster) Members() []actor.NodeID {
	var nodes []actor.NodeID
	for _, m := range c.Node.Members() {
		nodes = append(nodes, m.Node)
	}
	return nodes
}

func (c cluster) HandleControl(topic string, f func(actor.NodeID, []byte)) {
	c.Node.HandleControl(topic, f)
}

func (c cluster) Watch(f func(actor.NodeID, bool)) (cancel func()) {
	return c.Subscribe(func(e remote.MemberEvent) { f(e.Node, e.Kind == remote.MemberUp) })
}

// start starts a node on its own with a registry of which it is the only voter.
func start(cfg strong.Config) (r *strong.Registry, stop func()) {
	node, err := remote.New(remote.Config{Name: "a", Secret: "secret"})
	if err != nil {
		panic(err)
	}
	sys, err := actor.NewSystem(actor.Config{Node: node.ID(), Router: node})
	if err != nil {
		panic(err)
	}
	cfg.Cluster, cfg.Voters = cluster{node}, []string{node.ID().Name}
	cfg.Bootstrap, cfg.Election = true, 50*time.Millisecond
	if r, err = strong.New(cfg); err != nil {
		panic(err)
	}
	if err := errors.Join(r.Start(), node.Start(sys)); err != nil {
		panic(err)
	}
	return r, func() {
		ctx := context.Background()
		if err := errors.Join(r.Close(ctx), node.Close(ctx), sys.Close(ctx)); err != nil {
			panic(err)
		}
	}
}

// process is some process on the node of r.
func process(id uint64) actor.PID {
	node := actor.NodeID{Name: "a@host:1", Incarnation: actor.Incarnation{Boot: 1, Unique: "x"}}
	return actor.MakePID(unique.Make(node), id<<28|id)
}

func Example() {
	r, stop := start(strong.Config{})
	defer stop()
	ctx := context.Background()

	first, err := r.Register(ctx, "cart/1", process(1), strong.IfFree())
	fmt.Println("registered:", err)

	_, err = r.Register(ctx, "cart/1", process(2), strong.IfFree())
	fmt.Println("again:", errors.Is(err, strong.ErrConflict))

	// Whoever takes over says from whom.
	second, err := r.Register(ctx, "cart/1", process(2), strong.IfToken(first.Token))
	fmt.Println("taken over:", err, first.Token.Less(second.Token))

	found, err := r.LookupLinearizable(ctx, "cart/1")
	fmt.Println("found:", found == second, err)
	// Output:
	// registered: <nil>
	// again: true
	// taken over: <nil> true
	// found: true <nil>
}

// Store is outside of the cluster. It keeps the highest token that it has seen
// beside the data and refuses lower ones: that is all it has to know of owners.
type Store struct {
	fence strong.Fence
	data  map[string]string
}

// Write is what owners of name do.
func (s *Store) Write(name string, token strong.Token, data string) error {
	if err := s.fence.Check(name, token); err != nil {
		return err
	}
	s.data[name] = data
	return nil
}

// A leader is elected by holding a name. One that was replaced while it was
// paused does not know it yet; the store does.
func ExampleRegistry_Hold() {
	r, stop := start(strong.Config{})
	defer stop()
	ctx := context.Background()
	store := Store{data: make(map[string]string)}

	first, err := r.Hold(ctx, "billing")
	if err != nil {
		panic(err)
	}
	fmt.Println("first:", store.Write(first.Name(), first.Token(), "by the first"))

	// It gives the name up, but a write of it is still on its way.
	if err := first.Release(ctx); err != nil {
		panic(err)
	}
	<-first.Done()
	second, err := r.Hold(ctx, "billing")
	if err != nil {
		panic(err)
	}
	fmt.Println("second:", second.Valid(), store.Write(second.Name(), second.Token(), "by the second"))

	err = store.Write(first.Name(), first.Token(), "by the first, late")
	fmt.Println("late:", errors.Is(err, strong.ErrFenced))
	fmt.Println("stored:", store.data["billing"])
	// Output:
	// first: <nil>
	// second: true <nil>
	// late: true
	// stored: by the second
}

// Whoever renews a lease itself counts from before each call.
func ExampleRegistry_Acquire() {
	r, stop := start(strong.Config{TTL: 10 * time.Second})
	defer stop()
	ctx := context.Background()

	asked := time.Now()
	token, err := r.Acquire(ctx, "job/7")
	until := asked.Add(r.TTL())
	fmt.Println("acquired:", err, time.Now().Before(until))

	owner, err := r.OwnerLinearizable(ctx, "job/7")
	fmt.Println("owner:", owner.Token == token, err)

	fmt.Println("renewed:", r.Renew(ctx, "job/7", token))
	fmt.Println("released:", r.Release(ctx, "job/7", token))
	fmt.Println("renewed:", errors.Is(r.Renew(ctx, "job/7", token), strong.ErrLost))
	// Output:
	// acquired: <nil> true
	// owner: true <nil>
	// renewed: <nil>
	// released: <nil>
	// renewed: true
}

// An operator begins a new epoch with the folder of a node that survived.
func ExampleNewEpoch() {
	dir, err := os.MkdirTemp("", "registry")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r, stop := start(strong.Config{Dir: dir})
	token, err := r.Acquire(context.Background(), "billing")
	stop()
	fmt.Println("epoch", token.Epoch, err)

	folder, err := strong.Inspect(dir)
	fmt.Println("folder of epoch", folder.Epoch, err)
	epoch, err := strong.NewEpoch(dir, nil)
	fmt.Println("epoch", epoch, err)
	fmt.Println("all later tokens are higher:", token.Less(strong.Token{Epoch: epoch}))
	// Output:
	// epoch 1 <nil>
	// folder of epoch 1 <nil>
	// epoch 2 <nil>
	// all later tokens are higher: true
}
