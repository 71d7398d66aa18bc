package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
	"github.com/topos-go/topos/internal/crowd"
	"github.com/topos-go/topos/supervisor"
)

// command is what the director tells a member.
type command struct {
	Do    string // "view", "call" or "rest"
	Child string `json:",omitempty"`
	Round int    `json:",omitempty"`
}

// event is what a member tells the director.
type event struct {
	Kind string // "view", "answered" or "rested"

	// Of a view, as this node sees it.
	Round     int               `json:",omitempty"`
	Members   []string          `json:",omitempty"`
	Owners    map[string]string `json:",omitempty"` // child to node
	Accepting []string          `json:",omitempty"` // the child of each instance here that answers

	// Of an answered call, the first one of this instance.
	At   int64  `json:",omitempty"` // when the answer was there, wall clock, ns
	Node string `json:",omitempty"`
}

// Increment asks a counter to count one more.
type Increment struct{}

// Counted is its answer.
type Counted struct {
	Instance actor.PID // the process that has counted
	N        int
}

// counter is the placed child.
type counter struct {
	begun func(actor.PID)
	n     int
}

func (c *counter) Init(self *actor.Self) (server.Next, error) {
	c.begun(self.PID())
	return server.Next{}, nil
}

func (c *counter) HandleCall(self *actor.Self, _ any) (server.Next, error) {
	c.n++
	return server.Next{}, self.Reply(Counted{self.PID(), c.n})
}

func (c *counter) HandleCast(*actor.Self, any) (server.Next, error) { return server.Next{}, nil }

// member is one node.
type member struct {
	node *topos.Node
	tell func(event)

	mu        sync.Mutex
	instances map[actor.PID]string // all that began here and may live, and their child
}

// serve runs a member until its director is gone.
func serve(ctx context.Context, setup crowd.Setup, commands <-chan command, tell func(event)) error {
	m := &member{tell: tell, instances: make(map[actor.PID]string)}
	if err := m.start(ctx, setup); err != nil {
		return err
	}
	m.obey(ctx, commands)
	return m.node.Close(ctx)
}

func (m *member) start(ctx context.Context, setup crowd.Setup) (err error) {
	var children []string
	if err := setup.Decode(&children); err != nil {
		return err
	}
	m.node, err = topos.Start(ctx, topos.Config{
		Name: setup.Name, Listen: setup.Listen, Join: setup.Join, Secret: "failover",
		Types: topos.Types(Increment{}, Counted{}), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	var specs []supervisor.ChildSpec
	for _, child := range children {
		specs = append(specs, supervisor.ChildSpec{ID: child, Start: server.Start(func() server.Server {
			return &counter{begun: func(pid actor.PID) { m.began(pid, child) }}
		}, actor.ClusterName(child))})
	}
	return m.node.Place(ctx, specs...)
}

func (m *member) began(pid actor.PID, child string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.instances[pid] = child
}

// obey carries out commands until there are no more.
func (m *member) obey(ctx context.Context, commands <-chan command) {
	var calling sync.WaitGroup
	quit := make(chan struct{}) // closed to end the calls
	for c := range commands {
		switch c.Do {
		case "view":
			m.tell(m.view(ctx, c.Round))
		case "call":
			quit := quit
			calling.Go(func() { m.call(ctx, actor.ClusterName(c.Child), quit) })
		case "rest":
			close(quit)
			calling.Wait()
			quit = make(chan struct{})
			m.tell(event{Kind: "rested"})
		}
	}
	close(quit)
	calling.Wait()
}

// A call that nobody answers is given up after patience, so that the next one can
// find another owner; between two calls there is a short breath.
const (
	patience = 200 * time.Millisecond
	breath   = 2 * time.Millisecond
)

// call calls a child all the time, until quit is closed, and tells whenever another
// instance answers.
func (m *member) call(ctx context.Context, child actor.ClusterName, quit <-chan struct{}) {
	pause := time.NewTicker(breath)
	defer pause.Stop()
	var last actor.PID
	for {
		one, cancel := context.WithTimeout(ctx, patience)
		a, err := actor.Call[Counted](one, m.node, child, Increment{})
		now := time.Now()
		cancel()
		if err == nil && a.Instance != last {
			last = a.Instance
			m.tell(event{Kind: "answered", At: now.UnixNano(), Node: last.Node().Name})
		}
		select {
		case <-pause.C:
		case <-quit:
			return
		case <-ctx.Done():
			return
		}
	}
}

// view says what this node knows, and which instances here answer when they are
// called by their PIDs, whoever has the name.
func (m *member) view(ctx context.Context, round int) event {
	e := event{Kind: "view", Round: round, Owners: make(map[string]string)}
	for _, id := range m.node.Members() {
		e.Members = append(e.Members, id.Name)
	}
	for name, pid := range m.node.Names() {
		e.Owners[name] = pid.Node().Name
	}
	m.mu.Lock()
	instances := make(map[actor.PID]string, len(m.instances))
	for pid, child := range m.instances {
		instances[pid] = child
	}
	m.mu.Unlock()
	for pid, child := range instances {
		one, cancel := context.WithTimeout(ctx, patience)
		_, err := actor.Call[Counted](one, m.node, pid, Increment{})
		cancel()
		if err == nil {
			e.Accepting = append(e.Accepting, child)
			continue
		}
		if !m.node.Alive(pid) {
			m.mu.Lock()
			delete(m.instances, pid)
			m.mu.Unlock()
		}
	}
	return e
}
