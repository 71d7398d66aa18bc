package pcbroadcast

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

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

// letter is a message on its way.
type letter struct {
	from, to string
	message  Message
}

// stage has some nodes, and what is on its way between them, by number. The test
// says what arrives when.
type stage struct {
	t       testing.TB
	cfg     Config
	now     time.Time
	cores   map[string]*Core[string]
	letters map[int]letter
	count   int
	got     map[string][]string // what each has delivered
	out     strings.Builder
}

func newStage(t testing.TB, cfg Config) *stage {
	return &stage{
		t: t, cfg: cfg, now: start, cores: make(map[string]*Core[string]), letters: make(map[int]letter), got: make(map[string][]string),
	}
}

func (s *stage) core(name string) *Core[string] {
	if s.cores[name] == nil {
		cfg := s.cfg
		cfg.Self = node(name)
		core, err := New[string](cfg)
		if err != nil {
			s.t.Fatal(err)
		}
		s.cores[name] = core
	}
	return s.cores[name]
}

func (s *stage) step(at string, ev Event) {
	s.t.Helper()
	s.carryOut(at, s.core(at).Step(s.now, ev))
}

func (s *stage) printf(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

func (s *stage) carryOut(at string, effects Effects) {
	s.t.Helper()
	for _, e := range effects {
		switch e := e.(type) {
		case Send:
			s.count++
			l := letter{at, called(e.To), e.Message}
			s.letters[s.count] = l
			s.printf("#%d %s>%s %s", s.count, l.from, l.to, describe(e.Message))
		case Deliver[string]:
			s.got[at] = append(s.got[at], e.Payload)
			s.printf("%s: DELIVER %s, %s's %d", at, e.Payload, called(e.Origin), e.Seq)
		case Gap:
			s.printf("%s: gap, %s's %d to %d", at, called(e.Origin), e.First, e.Last)
		case Safe:
			by := ""
			if e.Forced {
				by = " by force"
			}
			s.printf("%s: to %s is safe%s", at, called(e.Node), by)
		case Unsafe:
			s.printf("%s: to %s is not safe: %v", at, called(e.Node), e.Reason)
		case Adopted:
			s.printf("%s: adopted by %s", at, called(e.Node))
		case Full:
			s.printf("%s: full, no place for %s", at, called(e.Origin))
		}
	}
	if err := s.core(at).valid(); err != nil {
		s.t.Fatalf("%s: %v\n%s", at, err, s.out.String())
	}
}

func describe(m Message) string {
	text := fmt.Sprintf("%T", m.Body)
	switch b := m.Body.(type) {
	case Data[string]:
		text = fmt.Sprintf("data %s's %d %s", called(b.Origin), b.Seq, b.Payload)
	case Skip:
		text = "skip" + describeMarks(b.Marks)
	case Ping:
		text = fmt.Sprintf("ping %d of %s to %s, %d hops", b.Number, called(b.From), called(b.To), b.Hops)
	case Hello:
		return fmt.Sprintf("hello mine=%d yours=%d", b.Mine, b.Yours)
	case Open:
		text = fmt.Sprintf("open %d", b.Number)
		if b.Adopt {
			text += " adopt"
		}
		text += describeMarks(b.Marks)
	case Shut:
		text = "shut"
	case Refuse:
		text = fmt.Sprintf("refuse %d full=%v", b.Number, b.Full)
	case Ask:
		text = fmt.Sprintf("ask %d", b.Number) + describeMarks(b.Marks)
	case Pong:
		text = fmt.Sprintf("pong %d", b.Number)
	case Adopt:
		text = "adopt"
	}
	return fmt.Sprintf("%s [%d]", text, m.Link)
}

func describeMarks(marks []Mark) string {
	var b strings.Builder
	for _, m := range marks {
		fmt.Fprintf(&b, " %s=%d", called(m.Origin), m.Seq)
	}
	return b.String()
}

func (s *stage) link(a, b string) {
	s.t.Helper()
	s.step(a, LinkUp{node(b)})
	s.step(b, LinkUp{node(a)})
}

// cut breaks the link between two nodes, with what is on its way.
func (s *stage) cut(a, b string) {
	s.t.Helper()
	for n, l := range s.letters {
		if l.from == a && l.to == b || l.from == b && l.to == a {
			delete(s.letters, n)
		}
	}
	s.step(a, LinkDown{node(b)})
	s.step(b, LinkDown{node(a)})
}

func (s *stage) arrive(n int) {
	s.t.Helper()
	l, ok := s.letters[n]
	if !ok {
		s.t.Fatalf("there is no letter %d\n%s", n, s.out.String())
	}
	for earlier, other := range s.letters {
		if earlier < n && other.from == l.from && other.to == l.to {
			s.t.Fatalf("letter %d overtakes %d\n%s", n, earlier, s.out.String())
		}
	}
	delete(s.letters, n)
	s.step(l.to, Received{node(l.from), l.message})
}

// flow lets everything arrive but what goes over the links that are held, such as
// "a>b".
func (s *stage) flow(held ...string) {
	s.t.Helper()
	for range 10_000 {
		var next []int
		for n, l := range s.letters {
			if !slices.Contains(held, l.from+">"+l.to) {
				next = append(next, n)
			}
		}
		if len(next) == 0 {
			return
		}
		s.arrive(slices.Min(next))
	}
	s.t.Fatal("there is no end to it")
}

// wait lets time pass, and everything arrive at once that is not held.
func (s *stage) wait(d time.Duration, held ...string) {
	s.t.Helper()
	end := s.now.Add(d)
	for range 1000 {
		next := end
		for _, core := range s.cores {
			if due := core.Deadline(); !due.IsZero() && due.Before(next) {
				next = due
			}
		}
		s.now = next
		for _, name := range slices.Sorted(maps.Keys(s.cores)) {
			before := s.out.Len()
			s.carryOut(name, s.cores[name].Tick(s.now))
			if s.out.Len() > before {
				s.printf("at %v", s.now.Sub(start))
			}
		}
		s.flow(held...)
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
