package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/internal/crowd"
	"github.com/topos-go/topos/remote"
)

// extra is what all members are told besides their setup.
type extra struct {
	Nodes, PerPair int // PerPair messages a second
}

// command is what the director tells a member.
type command struct {
	Do    string // "view", "begin", "phase", "change" or "rest"
	Round int    `json:",omitempty"`
	Phase int    `json:",omitempty"`
	To    remote.Topology
}

// event is what a member tells the director.
type event struct {
	Kind string // "view", "begun", "changed" or "rested"

	Round    int      `json:",omitempty"`
	Members  []string `json:",omitempty"`
	Topology remote.Topology
	Arrived  []arrived      `json:",omitempty"`
	Sent     map[int]uint64 `json:",omitempty"` // to each node, of rested
	Refused  int            `json:",omitempty"`
}

// member is one node.
type member struct {
	extra
	index int
	node  *topos.Node
	tell  func(event)
	phase atomic.Int64
	sinks map[int]*sink // by the node that sends

	sources map[int]*source
	flowing bool
	stop    context.CancelFunc
	sending sync.WaitGroup
}

func sinkName(from, to int) actor.ClusterName {
	return actor.ClusterName(fmt.Sprintf("sink/%d/%d", from, to))
}

// serve runs a member until its director is gone.
func serve(ctx context.Context, setup crowd.Setup, commands <-chan command, tell func(event)) error {
	m := &member{index: setup.Index, tell: tell, sinks: make(map[int]*sink), sources: make(map[int]*source), stop: func() {}}
	err := setup.Decode(&m.extra)
	if err == nil {
		err = m.start(ctx, setup)
	}
	for c := range commands {
		if err != nil {
			break
		}
		err = m.obey(ctx, c)
	}
	m.stop()
	m.sending.Wait()
	if m.node != nil {
		err = errors.Join(err, m.node.Close(ctx))
	}
	return err
}

func (m *member) start(ctx context.Context, setup crowd.Setup) (err error) {
	m.node, err = topos.Start(ctx, topos.Config{
		Name: setup.Name, Listen: setup.Listen, Join: setup.Join, Secret: "switch", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	for from := range m.Nodes {
		if from == m.index {
			continue
		}
		s := newSink(from, &m.phase)
		m.sinks[from] = s
		if _, err := m.node.Spawn(ctx, s, sinkName(from, m.index)); err != nil {
			return err
		}
	}
	return nil
}

// obey carries out one command.
func (m *member) obey(ctx context.Context, c command) error {
	switch c.Do {
	case "view":
		m.tell(m.view(event{Kind: "view", Round: c.Round}))
	case "begin":
		if err := m.begin(ctx); err != nil {
			return err
		}
		m.tell(event{Kind: "begun"})
	case "phase":
		m.phase.Store(int64(c.Phase))
	case "change":
		if err := m.node.SetTopology(ctx, c.To); err != nil {
			return err
		}
		m.tell(event{Kind: "changed"})
	case "rest":
		m.stop()
		m.sending.Wait()
		m.flowing = false
		e := event{Kind: "rested", Sent: make(map[int]uint64)}
		for to, s := range m.sources {
			e.Sent[to] = s.sent
			e.Refused += s.refused
		}
		m.tell(e)
	}
	return nil
}

// begin starts to send to all others.
func (m *member) begin(ctx context.Context) error {
	sending, stop := context.WithCancel(ctx)
	m.stop = stop
	for to := range m.Nodes {
		if to == m.index {
			continue
		}
		pid, err := m.node.Await(ctx, sinkName(m.index, to))
		if err != nil {
			stop()
			return err
		}
		s := &source{to: pid, perSec: m.PerPair}
		m.sources[to] = s
		m.sending.Go(func() { s.run(sending, m.node) })
	}
	m.flowing = true
	return nil
}

// view adds what this node sees and has got to e.
func (m *member) view(e event) event {
	for _, id := range m.node.Members() {
		e.Members = append(e.Members, id.Name)
	}
	e.Topology = m.node.Topology()
	now, phase := time.Now(), int(m.phase.Load())
	for _, s := range m.sinks {
		e.Arrived = append(e.Arrived, s.arrived(now, phase, m.flowing))
	}
	slices.SortFunc(e.Arrived, func(a, b arrived) int { return a.From - b.From })
	return e
}
