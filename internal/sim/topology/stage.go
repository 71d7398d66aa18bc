package topology

import (
	"fmt"
	"strings"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Stage plays what one node is told and does, for transcripts.
type Stage[C Core] struct {
	Core C

	t        Test
	protocol Protocol[C]
	now      time.Time
	out      strings.Builder
}

// NewStage returns a Stage for a core that nothing has happened to, and what it does
// first. What must not be ends t.
func NewStage[C Core](t Test, core C, protocol Protocol[C]) (s *Stage[C], does string) {
	s = &Stage[C]{Core: core, t: t, protocol: protocol, now: Epoch()}
	s.show(core.Tick(s.now))
	return s, s.take()
}

// At lets time pass until it is after the beginning, with every tick on the way, then
// tells the node what the lines say has happened. It returns what the node does.
//
//	up a1, accepted a1, down a1              a link, which this or the other side has made
//	refused a1, failed a1, duplicate a1      a dial
//	found a a1, not-found a                  a probe
//	met a1, lost a1                          by others
//	join a b, leave                          what is asked of the node
//	from a1 message                          as Protocol.Hear reads it
func (s *Stage[C]) At(after time.Duration, lines string) string {
	until := Epoch().Add(after)
	for next := s.Core.Deadline(); !next.IsZero() && !next.After(until); next = s.Core.Deadline() {
		if next.After(s.now) {
			s.now = next
		}
		s.show(s.Core.Tick(s.now))
	}
	s.now = until
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		if line == "" {
			continue
		}
		ev, err := event(line, s.protocol.Hear)
		if err != nil {
			s.t.Fatalf("%v", err)
		}
		s.show(s.Core.Step(s.now, ev))
	}
	return s.take()
}

func (s *Stage[C]) show(effects overlay.Effects) {
	for _, e := range effects {
		fmt.Fprintf(&s.out, "%v %s\n", s.now.Sub(Epoch()), Describe(e, s.protocol.Say))
	}
	if err := s.protocol.Valid(s.Core); err != nil {
		s.t.Fatalf("%v: %v", s.now.Sub(Epoch()), err)
	}
}

func (s *Stage[C]) take() string {
	out := s.out.String()
	s.out.Reset()
	return out
}
