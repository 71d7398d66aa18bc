package causal

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
)

// start is when virtual time begins.
var start = time.Unix(1_000_000_000, 0)

// node returns the incarnation that a test calls so: a is the first of that
// name, a.2 the second.
func node(name string) actor.NodeID {
	boot := uint64(1)
	if base, number, ok := strings.Cut(name, "."); ok {
		name = base
		if _, err := fmt.Sscan(number, &boot); err != nil {
			panic(err)
		}
	}
	return actor.NodeID{Name: name, Incarnation: actor.Incarnation{Boot: boot, Unique: "u"}}
}

// called is the inverse of node.
func called(id actor.NodeID) string {
	if id.Incarnation.Boot == 1 {
		return id.Name
	}
	return fmt.Sprintf("%s.%d", id.Name, id.Incarnation.Boot)
}

// letter is a message or a notification on its way.
type letter struct {
	from, to string
	stamp    []byte
	item     string
}

// stage has the groups of some nodes, and what is on its way between them, by
// number.
type stage struct {
	t       testing.TB
	cfg     Config
	now     time.Time
	groups  map[string]*Group[string]
	letters map[int]letter
	count   int
	got     map[string][]string // what each has delivered, in order
	lost    map[string][]string // what each has dead-lettered
	out     strings.Builder
}

func newStage(t testing.TB, cfg Config) *stage {
	return &stage{
		t: t, cfg: cfg, now: start, groups: map[string]*Group[string]{}, letters: map[int]letter{},
		got: map[string][]string{}, lost: map[string][]string{},
	}
}

// group returns the group of a node, which begins to exist when it is first
// mentioned.
func (s *stage) group(name string) *Group[string] {
	if s.groups[name] == nil {
		cfg := s.cfg
		cfg.Self = node(name)
		g, err := New[string](cfg)
		if err != nil {
			s.t.Fatal(err)
		}
		s.groups[name] = g
	}
	return s.groups[name]
}

func (s *stage) printf(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

func (s *stage) post(l letter) int {
	s.count++
	s.letters[s.count] = l
	return s.count
}

// send stamps an item and returns the number of its letter, 0 if it cannot be
// sent.
func (s *stage) send(from, to, item string) int {
	s.t.Helper()
	stamp, err := s.group(from).Stamp(node(to))
	if err != nil {
		s.printf("%s>%s %s: %v", from, to, item, err)
		return 0
	}
	n := s.post(letter{from, to, stamp.Append(nil), item})
	s.printf("#%d %s>%s %s: %s", n, from, to, item, s.describe(from, to, stamp))
	s.check()
	return n
}

func (s *stage) describe(from, to string, stamp Stamp) string {
	names := []string{from, to}
	for _, id := range stamp.Others {
		names = append(names, called(id))
	}
	b := new(strings.Builder)
	fmt.Fprint(b, stamp.Seq)
	for _, v := range stamp.Gone {
		fmt.Fprintf(b, ", gone %v-%v", v.First, v.Last)
	}
	for _, e := range stamp.Needs {
		fmt.Fprintf(b, ", needs %s>%s %v", names[e.From], names[e.To], e.Seq)
	}
	for _, e := range stamp.Done {
		fmt.Fprintf(b, ", done %s>%s %v", names[e.From], names[e.To], e.Seq)
	}
	return b.String()
}

// deliver lets letters arrive, each once.
func (s *stage) deliver(numbers ...int) {
	s.t.Helper()
	for _, n := range numbers {
		s.arrive(n)
		delete(s.letters, n)
	}
}

// arrive lets a letter arrive, which may come again.
func (s *stage) arrive(n int) {
	s.t.Helper()
	l, ok := s.letters[n]
	if !ok {
		s.t.Fatalf("there is no letter %d", n)
	}
	stamp, err := ParseStamp(l.stamp)
	if err != nil {
		s.t.Fatalf("letter %d: %v", n, err)
	}
	s.carryOut(l.to, s.group(l.to).Receive(s.now, node(l.from), stamp, l.item, len(l.item)))
}

func (s *stage) carryOut(at string, effects []Effect) {
	s.t.Helper()
	for _, e := range effects {
		switch e := e.(type) {
		case Deliver[string]:
			s.printf("%s: delivered %s", at, e.Item)
			s.got[at] = append(s.got[at], e.Item)
		case Dead[string]:
			s.printf("%s: dead %s %v from %s: %v", at, e.Item, e.Seq, called(e.From), e.Reason)
			s.lost[at] = append(s.lost[at], e.Item)
		case Released:
			s.printf("%s: %d waiting released, %s lacks %s: %v", at, e.Waiting, called(e.From), missing(e.Missing), e.Cause)
		case Notify:
			n := s.post(letter{from: at, to: called(e.To), stamp: e.Stamp.Append(nil)})
			s.printf("#%d %s>%s void: %s", n, at, called(e.To), s.describe(at, called(e.To), e.Stamp))
		case Heard:
			s.printf("%s: heard of %s", at, called(e.Node))
		}
	}
	s.check()
}

func missing(spans []Span) string {
	var b []string
	for _, v := range spans {
		b = append(b, fmt.Sprintf("%v-%v", v.First, v.Last))
	}
	return strings.Join(b, " ")
}

func (s *stage) check() {
	s.t.Helper()
	for name, g := range s.groups {
		if err := g.valid(); err != nil {
			s.t.Fatalf("%s: %v\n%s", name, err, s.out.String())
		}
	}
}

func (s *stage) obituary(at, of string, final bool) {
	s.t.Helper()
	s.carryOut(at, s.group(at).Obituary(s.now, node(of), final))
}

func (s *stage) met(at, other string) {
	s.t.Helper()
	effects, err := s.group(at).Met(s.now, node(other))
	if err != nil {
		s.printf("%s met %s: %v", at, other, err)
	}
	s.carryOut(at, effects)
}

// gaveUp says that the last message from one to the other numbered so is given
// up.
func (s *stage) gaveUp(from, to string, seq Seq) {
	s.t.Helper()
	s.carryOut(from, s.group(from).GaveUp(node(to), seq))
}

// wait lets time pass, from deadline to deadline.
func (s *stage) wait(d time.Duration) {
	s.t.Helper()
	end := s.now.Add(d)
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range s.groups {
			if !yield(name) {
				return
			}
		}
	})
	for range 1000 {
		next := end
		for _, name := range names {
			if due := s.groups[name].Deadline(); !due.IsZero() && due.Before(next) {
				next = due
			}
		}
		s.now = next
		for _, name := range names {
			before := s.out.Len()
			s.carryOut(name, s.groups[name].Tick(s.now))
			if s.out.Len() > before {
				s.printf("at %v", s.now.Sub(start))
			}
		}
		if next.Equal(end) {
			return
		}
	}
	s.t.Fatalf("there is no end to what is due\n%s", s.out.String())
}

// delivered fails if a node has not delivered exactly items, in order.
func (s *stage) delivered(at string, items ...string) {
	s.t.Helper()
	if !slices.Equal(s.got[at], items) {
		s.t.Fatalf("%s delivered %q, not %q\n%s", at, s.got[at], items, s.out.String())
	}
}

// said fails unless text is among what has happened.
func (s *stage) said(text string) {
	s.t.Helper()
	if !strings.Contains(s.out.String(), text) {
		s.t.Fatalf("%q did not happen:\n%s", text, s.out.String())
	}
}
