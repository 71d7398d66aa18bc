package plumtree

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// stage is a few cores, whose messages to each other a test delivers or drops.
type stage struct {
	t       testing.TB
	cfg     Config
	now     time.Time
	cores   map[string]*Core
	names   []string // in order
	letters map[int]letter
	last    int // the number of the last letter
	out     strings.Builder
	got     map[string]int      // deliveries, by "at id"
	missed  map[string][]Missed // by node
}

type letter struct {
	from, to string
	message  Message
}

func node(name string) overlay.Node { return overlay.Node{Name: name + "@" + name + ":1", Boot: 1} }

func nameOf(n overlay.Node) string { name, _, _ := strings.Cut(n.Name, "@"); return name }

func idOf(id ID) string { return fmt.Sprintf("%s%d", nameOf(id.Origin), id.Seq) }

func newStage(t testing.TB, cfg Config, names ...string) *stage {
	s := &stage{t: t, cfg: cfg, now: epoch, cores: map[string]*Core{}, letters: map[int]letter{},
		got: map[string]int{}, missed: map[string][]Missed{}}
	for i, name := range names {
		s.start(name, uint64(i))
	}
	return s
}

func (s *stage) start(name string, seed uint64) {
	cfg := s.cfg
	cfg.Self, cfg.Rand = node(name), rand.New(rand.NewPCG(seed, 1))
	core, err := New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cores[name] = core
	if !slices.Contains(s.names, name) {
		s.names = append(s.names, name)
		slices.Sort(s.names)
	}
}

func (s *stage) link(a, b string) {
	s.step(a, NeighborUp{node(b)})
	s.step(b, NeighborUp{node(a)})
}

func (s *stage) step(name string, ev Event) { s.carryOut(name, s.cores[name].Step(s.now, ev)) }

func (s *stage) carryOut(name string, effects Effects) {
	for _, e := range effects {
		switch e := e.(type) {
		case Send:
			s.last++
			s.letters[s.last] = letter{name, nameOf(e.To), e.Message}
			fmt.Fprintf(&s.out, "#%d %s>%s %s\n", s.last, name, nameOf(e.To), describe(e.Message))
		case Deliver:
			s.got[name+" "+idOf(e.ID)]++
			fmt.Fprintf(&s.out, "%s: delivers %s %q after %d hops\n", name, idOf(e.ID), e.Payload, e.Hops)
		case Missed:
			s.missed[name] = append(s.missed[name], e)
			fmt.Fprintf(&s.out, "%s: MISSED %s%d-%d: %v\n", name, nameOf(e.Origin), e.First, e.Last, e.Reason)
		case Rejected:
			fmt.Fprintf(&s.out, "%s: rejects %d bytes: %v\n", name, len(e.Payload), e.Reason)
		}
	}
	if err := s.cores[name].valid(); err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
}

// describe formats a message for a transcript.
func describe(m Message) string {
	var b strings.Builder
	switch m := m.(type) {
	case Gossip:
		fmt.Fprintf(&b, "gossip %s round %d", idOf(m.ID), m.Round)
	case IHave:
		b.WriteString("ihave")
		for _, a := range m.Messages {
			fmt.Fprintf(&b, " %s round %d", idOf(a.ID), a.Round)
		}
	case Graft:
		fmt.Fprintf(&b, "graft %s", idOf(m.ID))
		if m.Once {
			b.WriteString(" once")
		}
	case Prune:
		fmt.Fprintf(&b, "prune %s", nameOf(m.Origin))
	case Digest:
		b.WriteString("digest")
		if m.Partial {
			b.WriteString(" partial")
		}
		for _, h := range m.Origins {
			fmt.Fprintf(&b, " %s:%d", nameOf(h.Origin), h.Low)
			for _, v := range h.Above {
				fmt.Fprintf(&b, ",%d-%d", v.First, v.Last)
			}
		}
	case Repair:
		b.WriteString("repair")
		for _, g := range m.Messages {
			fmt.Fprintf(&b, " %s round %d age %v", idOf(g.ID), g.Round, g.Age)
		}
		for _, g := range m.Gone {
			fmt.Fprintf(&b, " gone %s%d-%d", nameOf(g.Origin), g.First, g.Last)
		}
		if m.More {
			b.WriteString(" more")
		}
	}
	return b.String()
}

func (s *stage) deliver(number int) {
	l, ok := s.letters[number]
	if !ok {
		s.t.Fatalf("no letter %d", number)
	}
	delete(s.letters, number)
	if s.cores[l.to] != nil {
		s.step(l.to, Received{node(l.from), l.message})
	}
}

// deliverAll delivers in the order of sending until nothing is on its way.
func (s *stage) deliverAll() {
	for len(s.letters) > 0 {
		numbers := make([]int, 0, len(s.letters))
		for n := range s.letters {
			numbers = append(numbers, n)
		}
		s.deliver(slices.Min(numbers))
	}
}

// wait lets time pass. If flow is set, messages take no time at all; otherwise
// they are not delivered meanwhile.
func (s *stage) wait(d time.Duration, flow bool) {
	until := s.now.Add(d)
	for {
		first := ""
		for _, name := range s.names {
			if c := s.cores[name]; c != nil && !c.Deadline().IsZero() && !c.Deadline().After(until) &&
				(first == "" || c.Deadline().Before(s.cores[first].Deadline())) {
				first = name
			}
		}
		if first == "" {
			break
		}
		if due := s.cores[first].Deadline(); due.After(s.now) {
			s.now = due
		}
		s.carryOut(first, s.cores[first].Tick(s.now))
		if flow {
			s.deliverAll()
		}
	}
	s.now = until
}

func (s *stage) trees() {
	for _, name := range s.names {
		if c := s.cores[name]; c != nil {
			fmt.Fprintf(&s.out, "%s: eager %s, lazy %s\n", name, nodeNames(c.Eager()), nodeNames(c.Lazy()))
		}
	}
}

func nodeNames(nodes []overlay.Node) string {
	var names []string
	for _, n := range nodes {
		names = append(names, nameOf(n))
	}
	return "[" + strings.Join(names, " ") + "]"
}
