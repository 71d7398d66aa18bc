package main

import (
	"bytes"
	"fmt"
	"log"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/topos-go/topos/bench/peers/memberlist/trial"
)

// group is nodes in one bubble, in which time passes when all wait.
type group struct {
	network *network
	config  func() *memberlist.Config
	places  []*place
	born    int
}

// place is where nodes run, one after the other.
type place struct {
	name string
	list *memberlist.Memberlist
	net  *transport
}

// newGroup starts n nodes, which join by those that are there.
func newGroup(n int, net *network, config func() *memberlist.Config) (*group, error) {
	g := &group{network: net, config: config}
	for range n {
		g.places = append(g.places, new(place))
		if err := g.start(len(g.places) - 1); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *group) start(i int) error {
	p := &place{name: fmt.Sprintf("node-%04d", g.born), net: g.network.join(g.born)}
	g.born++
	cfg := g.config()
	cfg.Name, cfg.Transport = p.name, p.net
	cfg.Logger = log.New(&ear{g.network.book, p}, "", 0)
	cfg.Events = &judge{g.network.book, p.name}
	var err error
	if p.list, err = memberlist.Create(cfg); err != nil {
		return err
	}
	var seeds []string
	for j, other := range g.places {
		if j != i && other.list != nil {
			seeds = append(seeds, other.net.address())
			break
		}
	}
	g.places[i] = p
	if len(seeds) > 0 {
		_, err = p.list.Join(seeds)
	}
	return err
}

func (g *group) Now() time.Time { return time.Now() }

func (g *group) Wait(d time.Duration) { time.Sleep(d) }

func (g *group) Complete() bool {
	for _, p := range g.places {
		if p.list.NumMembers() != len(g.places) {
			return false
		}
	}
	return true
}

func (g *group) Kill(i int) string {
	p := g.places[i]
	p.net.mute.Store(true)
	g.network.book.Fell(p.name, time.Now())
	return p.name
}

// Replace ends the silent node, too, which has cost nobody anything.
func (g *group) Replace(i int) error {
	if err := g.places[i].list.Shutdown(); err != nil {
		return err
	}
	return g.start(i)
}

// end ends all nodes, and lets pass what they still wait for.
func (g *group) end() {
	for _, p := range g.places {
		if p.list != nil {
			_ = p.list.Shutdown() // says nothing but that it was before
		}
	}
	time.Sleep(time.Minute)
}

// judge hears the verdicts of one node.
type judge struct {
	book *trial.Book
	name string
}

func (j *judge) NotifyJoin(*memberlist.Node)   {}
func (j *judge) NotifyUpdate(*memberlist.Node) {}
func (j *judge) NotifyLeave(n *memberlist.Node) {
	if n.Name != j.name {
		j.book.Failed(j.name, n.Name, time.Now())
	}
}

// ear reads in the log of one node whom it suspects after a probe of its own,
// which memberlist tells nowhere else.
type ear struct {
	book  *trial.Book
	place *place
}

func (e *ear) Write(line []byte) (int, error) {
	if _, after, ok := bytes.Cut(line, []byte("Suspect ")); ok && !e.place.net.mute.Load() {
		name, _, failed := strings.Cut(string(after), " has failed, no acks received")
		if failed {
			e.book.Suspected(name, time.Now())
		}
	}
	return len(line), nil
}

// newNetwork returns one without nodes.
func newNetwork(loss float64, least, more time.Duration, seed uint64) *network {
	return &network{
		loss: loss, least: least, more: more, book: new(trial.Book),
		at: make(map[string]*transport), rng: rand.New(rand.NewPCG(seed, 1)),
	}
}
