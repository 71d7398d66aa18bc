package directory

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// start is when virtual time begins.
var start = time.Unix(1_000_000_000, 0)

// node returns the incarnation that a test calls so: a is the first of that
// name, a.2 the second.
func node(name string) overlay.Node {
	boot := uint64(1)
	if base, number, ok := strings.Cut(name, "."); ok {
		name = base
		if _, err := fmt.Sscan(number, &boot); err != nil {
			panic(err)
		}
	}
	return overlay.Node{Name: name + "@" + name, Boot: boot}
}

// called is the inverse of node.
func called(n overlay.Node) string {
	if n.Boot == 1 {
		return n.Addr()
	}
	return fmt.Sprintf("%s.%d", n.Addr(), n.Boot)
}

func calledAll(nodes []overlay.Node) string {
	var names []string
	for _, n := range nodes {
		names = append(names, called(n))
	}
	return "{" + strings.Join(names, " ") + "}"
}

// letter is something on its way.
type letter struct {
	from, to string
	event    Event
}

// stage has some nodes, and what is on its way between them. The test says what
// happens.
type stage struct {
	t       testing.TB
	cfg     Config
	now     time.Time
	cores   map[string]*Core
	letters []letter
	sides   map[string]int // of a partition
	deaf    map[string]bool
	trace   bool // show messages
	tries   bool // show Try
	out     strings.Builder
}

func newStage(t testing.TB, cfg Config) *stage {
	return &stage{
		t: t, cfg: cfg, now: start, cores: make(map[string]*Core),
		sides: make(map[string]int), deaf: make(map[string]bool),
	}
}

func (s *stage) start(name string) *Core {
	cfg := s.cfg
	cfg.Self = node(name)
	cfg.Rand = rand.New(rand.NewPCG(uint64(len(s.cores)), 1))
	core, err := New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cores[name] = core
	s.carryOut(name, core.Tick(s.now))
	return core
}

func (s *stage) step(at string, ev Event) {
	s.t.Helper()
	if s.cores[at] == nil {
		return
	}
	s.carryOut(at, s.cores[at].Step(s.now, ev))
}

func (s *stage) printf(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

func (s *stage) carryOut(at string, effects Effects) {
	s.t.Helper()
	for _, e := range effects {
		switch e := e.(type) {
		case Send:
			if s.trace {
				s.printf("%s>%s %s", at, called(e.To), describe(e.Message))
			}
			s.letters = append(s.letters, letter{at, called(e.To), Received{node(at), e.Message}})
			continue
		case Broadcast:
			if s.trace {
				s.printf("%s>* %s", at, describeBroadcast(e))
			}
			for _, to := range slices.Sorted(maps.Keys(s.cores)) {
				if to != at {
					s.letters = append(s.letters, letter{at, to, Heard{e}})
				}
			}
			continue
		case Try:
			if !s.tries {
				continue
			}
		}
		s.printf("%s: %s", at, notice(e))
	}
	if err := s.cores[at].valid(); err != nil {
		s.t.Fatalf("%s: %v\n%s", at, err, s.out.String())
	}
}

// notice puts into words what a core lets others know.
func notice(e Effect) string {
	switch e := e.(type) {
	case Try:
		return "try " + called(e.Node)
	case Up:
		return called(e.Node) + " is up"
	case Down:
		return fmt.Sprintf("%s is DOWN: %v", called(e.Node), e.Reason)
	case Departed:
		return called(e.Node) + " has left"
	case Returned:
		return called(e.Node) + " has returned"
	case Restarted:
		if e.Noticed {
			return fmt.Sprintf("%s has restarted as %s, as was noticed", called(e.Old), called(e.New))
		}
		return fmt.Sprintf("%s has restarted as %s", called(e.Old), called(e.New))
	case Updated:
		return "updated: " + describeFact(e.Fact)
	case Changed:
		return "changed: " + describeRegister(e.Register)
	case Displaced:
		return strings.TrimSpace(fmt.Sprintf("DISPLACED, %v %s", e.Reason, e.By))
	case Full:
		return "full, no place for " + called(e.Node)
	case PartitionDetected:
		return fmt.Sprintf("PARTITION %d: %s led by %s, and %s led by %s", e.ID,
			calledAll(e.Sides[0]), called(e.Leaders[0]), calledAll(e.Sides[1]), called(e.Leaders[1]))
	case PartitionHealed:
		return fmt.Sprintf("PARTITION %d HEALED, %s led by %s, and %s led by %s: returned %s, restarted %s, missing %s", e.ID,
			calledAll(e.Sides[0]), called(e.Leaders[0]), calledAll(e.Sides[1]), called(e.Leaders[1]),
			calledAll(e.Returned), calledAll(e.Restarted), calledAll(e.Missing))
	case PartitionEnded:
		return fmt.Sprintf("partition %d ended: returned %s, restarted %s, crashed %s, departed %s", e.ID,
			calledAll(e.Returned), calledAll(e.Restarted), calledAll(e.Crashed), calledAll(e.Departed))
	}
	return fmt.Sprintf("%T%+v", e, e)
}

func describeFact(f Fact) string {
	text := fmt.Sprintf("%s %v", called(f.Node), f.Status)
	if f.Number > 0 {
		text += fmt.Sprintf(" #%d", f.Number)
	}
	if f.Meta != "" {
		text += fmt.Sprintf(" v%d %q", f.Version, f.Meta)
	}
	if f.Age > 0 {
		text += " for " + f.Age.String()
	}
	return text
}

func describeFacts(facts []Fact) string {
	if len(facts) > 20 {
		return fmt.Sprintf(" [%d facts]", len(facts))
	}
	var b strings.Builder
	for _, f := range facts {
		b.WriteString(" [" + describeFact(f) + "]")
	}
	return b.String()
}

func describeRegister(r Register) string {
	return fmt.Sprintf("%s=%s, epoch %d by %s", r.Name, r.Value, r.Epoch, called(r.Proposer))
}

func describeBroadcast(e Broadcast) string {
	text := "broadcast" + describeFacts(e.Facts)
	if e.Hearsay {
		text += " (hearsay)"
	}
	for _, r := range e.Values {
		text += " " + describeRegister(r)
	}
	return text
}

func describe(m Message) string {
	text := ""
	switch m := m.(type) {
	case Ask:
		text = "ask"
		for _, s := range m.Sums {
			text += fmt.Sprintf(" %x/%d:%d", s.Range.Prefix>>(64-max(s.Range.Bits, 4)), s.Range.Bits, s.Count)
		}
		text += describeFacts(m.Facts)
		for _, r := range m.Values {
			text += " " + describeRegister(r)
		}
	case Answer:
		text = fmt.Sprintf("answer %d", m.Done)
		for _, p := range m.Parts {
			text += fmt.Sprintf(" %x/%d:", p.Range.Prefix>>(64-max(p.Range.Bits, 4)), p.Range.Bits)
			if len(p.Sums) > 0 {
				text += fmt.Sprintf("%d sums", len(p.Sums))
			} else {
				text += strings.TrimSpace(describeFacts(p.Facts))
			}
		}
		for _, r := range m.Values {
			text += " " + describeRegister(r)
		}
	case Tell:
		text = "tell" + describeFacts(m.Facts)
	}
	return fmt.Sprintf("%s (%d bytes)", text, size(m))
}

// connected reports whether what from sends reaches to.
func (s *stage) connected(from, to string) bool {
	return s.cores[from] != nil && s.cores[to] != nil && s.sides[from] == s.sides[to] && !s.deaf[to]
}

// flow lets everything arrive.
func (s *stage) flow() {
	s.t.Helper()
	for range 100_000 {
		if len(s.letters) == 0 {
			return
		}
		l := s.letters[0]
		s.letters = s.letters[1:]
		if s.connected(l.from, l.to) {
			s.step(l.to, l.event)
		}
	}
	s.t.Fatalf("there is no end to it\n%s", s.out.String())
}

// wait lets time pass, everything arrive at once, and what is tried be found.
func (s *stage) wait(d time.Duration) {
	s.t.Helper()
	end := s.now.Add(d)
	for {
		next := end
		for _, core := range s.cores {
			if due := core.Deadline(); !due.IsZero() && due.Before(next) {
				next = due
			}
		}
		s.now = next
		for _, name := range slices.Sorted(maps.Keys(s.cores)) {
			effects := s.cores[name].Tick(s.now)
			if due := s.cores[name].Deadline(); !due.IsZero() && !due.After(s.now) && len(effects) == 0 {
				s.t.Fatalf("%s is due at %v again", name, due)
			}
			before := s.out.Len()
			s.carryOut(name, effects)
			if s.out.Len() > before {
				s.printf("  at %v", s.now.Sub(start).Round(100*time.Millisecond))
			}
			for _, e := range effects {
				if e, ok := e.(Try); ok {
					s.try(name, e.Node)
				}
			}
		}
		s.flow()
		if next.Equal(end) {
			return
		}
	}
}

// try dials: who is there, of whatever incarnation, is met.
func (s *stage) try(at string, to overlay.Node) {
	for name := range s.cores {
		if node(name).Name == to.Name && s.connected(at, name) && s.connected(name, at) {
			s.step(at, Met{node(name)})
			s.step(name, Met{node(at)})
			return
		}
	}
	s.step(at, TryFailed{Node: to})
}

// size is what a message takes if numbers are varints of two bytes, sums 8, and
// of a prefix only what is needed is sent.
func size(m Message) int {
	n := 4
	sums := func(sums []Sum) {
		for _, s := range sums {
			n += 1 + (int(s.Range.Bits)+7)/8 + 8 + 2
		}
	}
	values := func(values []Register) {
		for _, r := range values {
			n += len(r.Name) + len(r.Value) + len(r.Proposer.Name) + len(r.Proposer.Unique) + 14
		}
	}
	switch m := m.(type) {
	case Ask:
		n += 8
		sums(m.Sums)
		n += sizeOf(m.Facts)
		values(m.Values)
	case Answer:
		n += 8 + 2
		for _, p := range m.Parts {
			n += 1 + (int(p.Range.Bits)+7)/8
			sums(p.Sums)
			n += sizeOf(p.Facts)
		}
		values(m.Values)
	case Tell:
		n += sizeOf(m.Facts)
	}
	return n
}

func sizeOf(facts []Fact) int {
	n := 2
	for _, f := range facts {
		n += 1 + len(f.Node.Name) + 8 + 1 + len(f.Node.Unique) + 1 + 2 + 2 + 1 + len(f.Meta)
		if f.Status.Dead() {
			n += 8
		}
	}
	return n
}
