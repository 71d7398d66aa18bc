package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/internal/crowd"
	"github.com/topos-go/topos/supervisor"
)

// options are what a member is started with.
type options struct {
	Secret   string
	Strategy partition.Strategy
}

// command is what the director tells a member. The answer is a status.
type command struct {
	Do  string                    // "count", "rest", "cut", "heal" or "status"
	Cut []string                  `json:",omitempty"` // addresses
	IDs map[string]crdt.ReplicaID `json:",omitempty"` // of all replicas, by node
}

// event is what a member tells the director.
type event struct {
	Kind   string // "started", "says" or "status"
	Text   string // an address, or something to show
	Status *status
}

// status is what a member knows at one moment.
type status struct {
	reading
	Members []string // whom it sees, itself included, sorted
	Parted  bool     // as its guard sees it
	Counted int64    // increments of its own that were acknowledged
	Refused int64    // and those that were refused because the cluster is parted
}

// pause is how long a member waits between two increments.
const pause = 5 * time.Millisecond

// member is one node of the cluster, running.
type member struct {
	node    *topos.Node
	network *network
	tell    func(event)
	news    chan string // of the guard

	counted, refused int64
}

// startMember starts a node and its guarded counter.
func startMember(ctx context.Context, setup crowd.Setup, tell func(event)) (*member, error) {
	var o options
	if err := setup.Decode(&o); err != nil {
		return nil, err
	}
	m := &member{network: newNetwork(), tell: tell, news: make(chan string, 64)}
	node, err := topos.Start(ctx, topos.Config{
		Name: setup.Name, Secret: o.Secret, Join: setup.Join, Transport: m.network,
		Logger: slog.New(slog.DiscardHandler),
		// Less than production wants, since nobody likes to wait.
		Heartbeat: 300 * time.Millisecond, Misses: 4,
	})
	if err != nil {
		return nil, err
	}
	m.node = node
	guard := partition.Config{
		Name: counterName, Strategy: o.Strategy, Cluster: node, Classify: classify, Observe: m.observe,
		Interval: 250 * time.Millisecond,
	}
	children := []supervisor.ChildSpec{{ID: "replica", Start: crdtactor.Start(crdtactor.Config[*crdt.PNCounter]{
		Name: replicaName, New: func() *crdt.PNCounter { return new(crdt.PNCounter) }, Members: node.Members, AntiEntropy: 250 * time.Millisecond,
	})}}
	counter := func() actor.Actor { return new(replicated) }
	if o.Strategy == partition.MergeOnReconnect {
		guard.Types = topos.Types(Increment{})
		children = nil
		counter = func() actor.Actor { return &tally{parts: make(map[string]int64)} }
	}
	children = append(children, supervisor.ChildSpec{ID: "counter", Start: partition.Start(guard, counter)})
	if _, err := node.Supervise(ctx, supervisor.Spec{Children: children}); err != nil {
		return nil, errors.Join(err, m.close(ctx))
	}
	tell(event{Kind: "started", Text: node.Addr()})
	return m, nil
}

// close ends the node, and what it has on the way.
func (m *member) close(ctx context.Context) error {
	m.network.heal()
	err := m.node.Close(context.WithoutCancel(ctx))
	m.network.wait()
	return err
}

// observe is called by the guard, and must not wait.
func (m *member) observe(ev partition.Event) {
	var text string
	switch ev := ev.(type) {
	case partition.Detected:
		text = fmt.Sprintf("is parted from %s", names(ev.Lost))
	case partition.Healed:
		text = fmt.Sprintf("is together again with %s", names(slices.Concat(ev.Returned, ev.Restarted)))
	default:
		return
	}
	select {
	case m.news <- text:
	default: // the screen is behind, the counting must not be
	}
}

// names is how people call nodes.
func names(nodes []actor.NodeID) string {
	all := make([]string, 0, len(nodes))
	for _, n := range nodes {
		all = append(all, short(n.Name))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// run counts, and carries out the director's commands until there are no more.
// It does one thing at a time, so that a status is never halfway through an
// increment.
func (m *member) run(ctx context.Context, commands <-chan command) error {
	ticks := time.NewTicker(pause)
	defer ticks.Stop()
	counting := false
	for {
		select {
		case <-ticks.C:
			if counting {
				if err := m.count(ctx); err != nil {
					return err
				}
			}
		case text := <-m.news:
			m.tell(event{Kind: "says", Text: text})
		case <-m.node.Done():
			return fmt.Errorf("the node has ended: %w", m.node.Err())
		case c, ok := <-commands:
			if !ok {
				return nil
			}
			switch c.Do {
			case "count":
				counting = true
			case "rest":
				counting = false
			case "cut":
				m.network.cut(c.Cut)
			case "heal":
				m.network.heal()
			}
			s, err := m.status(ctx, c.IDs)
			if err != nil {
				return err
			}
			m.tell(event{Kind: "status", Status: s})
		}
	}
}

// count makes one increment. An error is one that nobody has promised.
func (m *member) count(ctx context.Context) error {
	_, err := actor.Call[bool](ctx, m.node, counterName, Increment{})
	switch {
	case err == nil:
		m.counted++
	case errors.Is(err, partition.ErrReadOnly):
		if m.refused++; m.refused == 1 {
			m.tell(event{Kind: "says", Text: "refuses: " + err.Error()})
		}
	default:
		return fmt.Errorf("counting: %w", err)
	}
	return nil
}

func (m *member) status(ctx context.Context, ids map[string]crdt.ReplicaID) (*status, error) {
	s := &status{Counted: m.counted, Refused: m.refused}
	guard, err := partition.GetStatus(ctx, m.node, counterName)
	if err != nil {
		return nil, err
	}
	s.Parted = guard.Parted
	if s.reading, err = actor.Call[reading](ctx, m.node, counterName, read{ids}); err != nil {
		return nil, err
	}
	for _, n := range m.node.Members() {
		s.Members = append(s.Members, short(n.Name))
	}
	slices.Sort(s.Members)
	return s, nil
}

// serve is a member, from its start until it is to leave.
func serve(ctx context.Context, setup crowd.Setup, commands <-chan command, tell func(event)) error {
	m, err := startMember(ctx, setup, tell)
	if err != nil {
		return err
	}
	return errors.Join(m.run(ctx, commands), m.close(ctx))
}
