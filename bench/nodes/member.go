package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/internal/crowd"
)

// command tells a process what to do.
type command struct {
	Do      string        // "start", "agree", "listen", "broadcast", "kill", "measure", "phase" or "dump"
	Node    int           `json:",omitempty"` // to start, or that broadcasts
	Join    []string      `json:",omitempty"` // of start
	Nodes   []int         `json:",omitempty"` // to kill
	Members int           `json:",omitempty"` // of agree: how many nodes there are
	Limit   time.Duration `json:",omitempty"` // of agree
	Round   int           `json:",omitempty"` // of listen and broadcast
	Phase   string        `json:",omitempty"` // what profiles are called from now on
	Collect bool          `json:",omitempty"` // of measure: garbage, first
}

// event is what a process tells the director.
type event struct {
	Kind    string // "started", "agreed", "listening", "heard" or "usage"
	Process int
	At      time.Time // of agreed and heard

	Addr        string `json:",omitempty"` // of started
	Least, Most int    // of agreed: how many members the nodes know
	usage
	doubted // of started and usage
}

// look is how often it is seen whether nodes know what they shall, and seeFiles how
// often files are counted.
const (
	look     = 20 * time.Millisecond
	seeFiles = time.Second
)

// process is one process's nodes.
type process struct {
	index  int
	nodes  map[int]*node
	ear    ear
	tell   func(event)
	files  meter
	doubts doubts
	prof   profiles
}

// serve takes part in one measurement, as some of the nodes.
func serve(ctx context.Context, setup crowd.Setup, commands <-chan command, tell func(event)) (err error) {
	var p plan
	if err := setup.Decode(&p); err != nil {
		return err
	}
	debug.SetGCPercent(p.Garbage)
	debug.SetMemoryLimit(p.Memory)
	m := &process{index: setup.Index, nodes: make(map[int]*node)}
	m.tell = func(e event) {
		e.Process = m.index
		tell(e)
	}
	if p.Profile != "" {
		m.prof.prefix = fmt.Sprintf("%s.%d", p.Profile, m.index)
	}
	ctx, cancel := context.WithCancel(ctx)
	var counting sync.WaitGroup
	counting.Go(func() { m.files.watch(ctx) })
	defer func() {
		cancel()
		counting.Wait()
		err = errors.Join(err, m.prof.end(), m.end(slices.Collect(maps.Keys(m.nodes))))
	}()
	for c := range commands {
		if err := m.obey(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// obey does what it is told.
func (m *process) obey(ctx context.Context, c command) error {
	switch c.Do {
	case "start":
		n, err := start(c.Node, c.Join, &m.ear, &m.doubts)
		if err != nil {
			return err
		}
		m.nodes[c.Node] = n
		m.tell(event{Kind: "started", Addr: n.Addr(), doubted: m.doubts.sum()})
	case "agree":
		return m.agree(ctx, c)
	case "listen":
		m.ear.begin(c.Round, len(m.nodes), func(at time.Time) { m.tell(event{Kind: "heard", At: at}) })
		m.tell(event{Kind: "listening"})
	case "broadcast":
		return m.nodes[c.Node].Broadcast(topic, binary.AppendVarint(nil, int64(c.Round)))
	case "kill":
		return m.end(c.Nodes)
	case "measure":
		u, err := m.files.usage(c.Collect)
		m.tell(event{Kind: "usage", usage: u, doubted: m.doubts.sum()})
		return err
	case "phase":
		return m.prof.begin(c.Phase)
	case "dump":
		return m.prof.dump("heap", "goroutine")
	default:
		return fmt.Errorf("what is %q?", c.Do)
	}
	return nil
}

// agree waits until all nodes know so many members, and tells.
func (m *process) agree(ctx context.Context, c command) error {
	ctx, cancel := context.WithTimeout(ctx, c.Limit)
	defer cancel()
	again := time.NewTicker(look)
	defer again.Stop()
	for {
		least, most := c.Members, c.Members
		for _, n := range m.nodes {
			known := int(n.known.Load()) + 1
			least, most = min(least, known), max(most, known)
		}
		if least == c.Members && most == c.Members || ctx.Err() != nil {
			m.tell(event{Kind: "agreed", At: time.Now(), Least: least, Most: most})
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

// end cuts the connections of nodes, all at once.
func (m *process) end(nodes []int) error {
	var ending sync.WaitGroup
	errs := make([]error, len(nodes))
	for i, number := range nodes {
		n := m.nodes[number]
		delete(m.nodes, number)
		ending.Go(func() { errs[i] = n.end() })
	}
	ending.Wait()
	return errors.Join(errs...)
}

// ear hears the broadcasts of one round at all nodes of a process.
type ear struct {
	round   atomic.Int64
	missing atomic.Int64
	all     atomic.Pointer[func(time.Time)]
}

// begin makes it listen for a round, until so many have heard it; it then calls all.
func (e *ear) begin(round, nodes int, all func(time.Time)) {
	e.all.Store(&all)
	e.missing.Store(int64(nodes))
	e.round.Store(int64(round))
}

func (e *ear) hear(payload []byte) {
	round, _ := binary.Varint(payload)
	if round == e.round.Load() && e.missing.Add(-1) == 0 {
		(*e.all.Load())(time.Now())
	}
}
