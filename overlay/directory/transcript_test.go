package directory

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/topos-go/topos/overlay"
)

// facts reads facts, one a line: name status number.
func facts(t *testing.T, input string) (facts []Fact) {
	for line := range strings.Lines(input) {
		fields := strings.Fields(line)
		f := Fact{Node: node(fields[0])}
		for s := Alive; s <= Left; s++ {
			if s.String() == fields[1] {
				f.Status = s
			}
		}
		n, err := strconv.ParseUint(fields[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		f.Number = n
		facts = append(facts, f)
	}
	return facts
}

func (s *stage) run(t *testing.T, d *datadriven.TestData) string {
	s.t = t
	s.out.Reset()
	var args []string
	for _, a := range d.CmdArgs {
		args = append(args, a.Key)
	}
	switch d.Cmd {
	case "start": // nodes
		for _, name := range args {
			s.start(name)
		}
	case "meet": // a node and the one that it joins
		s.step(args[0], Met{node(args[1])})
		s.step(args[1], Met{node(args[0])})
	case "cluster": // nodes that know each other
		for i, name := range args {
			s.start(name)
			if i > 0 {
				s.step(name, Met{node(args[0])})
				s.flow()
			}
		}
		s.letters = nil
		s.out.Reset()
	case "fill": // at number
		n, err := strconv.Atoi(args[1])
		if err != nil {
			t.Fatal(err)
		}
		fill(s.cores[args[0]], s.now, n)
	case "crash": // without a word
		delete(s.cores, args[0])
	case "leave":
		s.step(args[0], Leave{})
	case "obituary": // at node
		s.step(args[0], Obituary{Node: node(args[1]), Crashed: d.HasArg("crashed")})
	case "silence": // of nodes, as all others see it
		for _, at := range slices.Sorted(maps.Keys(s.cores)) {
			for _, silent := range args {
				if at != silent && !slices.Contains(args, at) {
					s.step(at, Obituary{Node: node(silent)})
				}
			}
		}
	case "cut": // these from the others
		for _, name := range args {
			s.sides[name] = 1
		}
	case "heal":
		clear(s.sides)
		clear(s.deaf)
	case "deaf": // hears nothing
		s.deaf[args[0]] = true
	case "lose": // all that is on its way
		s.letters = nil
	case "flow":
		s.flow()
	case "wait":
		pause, err := time.ParseDuration(args[0])
		if err != nil {
			t.Fatal(err)
		}
		s.wait(pause)
	case "tell": // from to; facts
		s.step(args[1], Received{node(args[0]), Tell{facts(t, d.Input)}})
	case "hear": // at; facts
		s.step(args[0], Heard{Broadcast{Facts: facts(t, d.Input), Hearsay: d.HasArg("hearsay")}})
	case "exchange": // from with
		s.cores[args[0]].begin(node(args[1]))
		s.carryOut(args[0], s.cores[args[0]].take())
		s.flow()
	case "meta":
		effects, err := s.cores[args[0]].SetMeta(s.now, args[1])
		s.done(args[0], effects, err)
	case "propose":
		effects, err := s.cores[args[0]].Propose(s.now, args[1], args[2])
		s.done(args[0], effects, err)
	case "trace":
		s.trace, s.tries = slices.Contains(args, "messages"), slices.Contains(args, "tries")
	case "members":
		s.members()
	case "lookup": // at node
		if f, ok := s.cores[args[0]].Lookup(node(args[1]).Name); ok {
			s.printf("%s", describeFact(f))
		} else {
			s.printf("unknown")
		}
	default:
		return fmt.Sprintf("unknown command %q", d.Cmd)
	}
	return s.out.String()
}

func (s *stage) done(at string, effects Effects, err error) {
	if err != nil {
		s.printf("%v", err)
	}
	s.carryOut(at, effects)
}

// members prints who is a member, of those who agree together.
func (s *stage) members() {
	by := make(map[string][]string)
	for _, name := range slices.Sorted(maps.Keys(s.cores)) {
		members := calledAll(s.cores[name].Members())
		if n := s.cores[name].Len(); n > 20 {
			members = fmt.Sprintf("%d members", n)
		}
		if e, ok := s.cores[name].Register(Topology); ok {
			members += " " + describeRegister(e)
		}
		by[members] = append(by[members], name)
	}
	for _, members := range slices.Sorted(maps.Keys(by)) {
		s.printf("%s: %s", strings.Join(by[members], " "), members)
	}
}

// fill has a core know n members more.
func fill(c *Core, now time.Time, n int) {
	facts := make([]Fact, n)
	for i := range facts {
		facts[i] = Fact{
			Node:   overlay.Node{Name: fmt.Sprintf("node-%05d@10.%d.%d.%d:4000", i, i>>16, i>>8&255, i&255), Boot: 1, Unique: "k3fj2n8v"},
			Status: Alive, Version: 1,
		}
	}
	for part := range slices.Chunk(facts, hardMaxFacts) {
		c.Step(now, Heard{Broadcast{Facts: part}})
	}
}

func TestTranscriptsOfAFewNodes(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		var s *stage
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "new" {
				s = newStage(t, Config{})
				if d.HasArg("rarely") { // no exchange by itself
					s.cfg.Interval = 1000 * time.Hour
				}
				if d.HasArg("briefly") { // the dead are forgotten soon
					s.cfg.Forget, s.cfg.ForgetLeft = 10*time.Minute, time.Minute
				}
				return ""
			}
			return s.run(t, d)
		})
	})
}
