package order

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// stage is a sender and a receiver as a transcript sees them: lanes are called
// "channel/number", and messages have names.
type stage struct {
	tables    map[string]*Table
	lanes     map[string]*track
	gate      Gate[string, string]
	delivered map[string]uint64 // by channel and sequence
	said      strings.Builder
}

// track is a lane with what is on its way.
type track struct {
	channel string
	number  int
	sent    counter
	frames  []note
}

// note is a frame: a condition, or the message called name.
type note struct {
	seq   uint32
	name  string
	needs []Need[string]
}

func (s *stage) say(format string, args ...any) { fmt.Fprintf(&s.said, format+"\n", args...) }

func (s *stage) lane(t *testing.T, d *datadriven.TestData) *track {
	name := d.CmdArgs[0].Key
	channel, number, ok := strings.Cut(name, "/")
	if !ok || len(number) != 1 {
		d.Fatalf(t, "%q is no lane", name)
	}
	l := s.lanes[name]
	if l == nil {
		l = &track{channel: channel, number: int(number[0] - '0')}
		s.lanes[name] = l
	}
	if s.tables[channel] == nil {
		s.tables[channel] = new(Table)
	}
	return l
}

// key names a sequence of a channel.
func key(channel string, seq uint32) string { return fmt.Sprintf("%s:%d", channel, seq) }

// send sends the messages named in the input. "end" lets the first come after all
// of its pair on every channel, "aside" gives it a shard that is not the pair's.
func (s *stage) send(t *testing.T, d *datadriven.TestData) {
	l := s.lane(t, d)
	seq := uint32(1)
	if d.HasArg("seq") {
		d.ScanArgs(t, "seq", &seq)
	}
	for name := range strings.FieldsSeq(d.Input) {
		var needs []Need[string]
		var behind []Standing
		if d.HasArg("end") {
			for _, channel := range slices.Sorted(keys(s.tables)) {
				s.tables[channel].Outstanding(1, func(m Mark, on []Standing) {
					if channel != l.channel || m.Seq != seq {
						needs, behind = append(needs, Need[string]{channel, m}), append(behind, on...)
					}
				})
			}
		}
		if after, must := s.tables[l.channel].Next(seq, &l.sent, d.HasArg("aside"), behind); must {
			needs = append(needs, Need[string]{l.channel, after})
		}
		if len(needs) > 0 {
			s.say("%s: condition: %s", d.CmdArgs[0].Key, describe(needs))
			l.frames = append(l.frames, note{seq: seq, needs: needs})
			l.sent.push()
		}
		s.say("%s: %s", d.CmdArgs[0].Key, name)
		l.frames = append(l.frames, note{seq: seq, name: name})
		l.sent.push()
		s.tables[l.channel].Pushed(seq)
	}
}

func keys(m map[string]*Table) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func describe(needs []Need[string]) string {
	var parts []string
	for _, n := range needs {
		parts = append(parts, fmt.Sprintf("%d of %s", n.Count, key(n.Stream, n.Seq)))
	}
	return strings.Join(parts, ", ")
}

// receive lets everything come that is on its way over a lane.
func (s *stage) receive(t *testing.T, d *datadriven.TestData) {
	l := s.lane(t, d)
	reached := func(n Need[string]) bool { return s.delivered[key(n.Stream, n.Seq)] >= n.Count }
	deliver := func(t Turn[string], name string) {
		s.delivered[key(t.Stream, t.Seq)]++
		s.say("delivered: %s", name)
	}
	for _, f := range l.frames {
		turn := Turn[string]{l.channel, l.number, f.seq}
		switch {
		case f.name == "":
			s.gate.Condition(turn, f.needs)
		case s.gate.Hold(turn, f.name, 1, len(f.name)):
			s.say("waits: %s", f.name)
		default:
			deliver(turn, f.name)
		}
		s.gate.Release(reached, deliver, turn)
	}
	l.frames = nil
}

func TestTranscriptsOfSequences(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		s := &stage{tables: make(map[string]*Table), lanes: make(map[string]*track), delivered: make(map[string]uint64)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.said.Reset()
			switch d.Cmd {
			case "send":
				s.send(t, d)
			case "receive":
				s.receive(t, d)
			case "confirm":
				s.lane(t, d).sent.confirm()
			case "lost":
				s.gate.Flush(func(_ Turn[string], name string) { s.say("delivered: %s", name) })
			default:
				d.Fatalf(t, "unknown command")
			}
			if s.said.Len() == 0 {
				return "ok\n"
			}
			return s.said.String()
		})
	})
}
