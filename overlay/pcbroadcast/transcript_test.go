package pcbroadcast

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

func count(t *testing.T, d *datadriven.TestData, name string) int {
	n := 0
	if d.HasArg(name) {
		d.ScanArgs(t, name, &n)
	}
	return n
}

// body reads a message that nobody has sent.
func body(t *testing.T, fields []string) Body {
	number := func(i int) uint64 {
		n, err := strconv.ParseUint(fields[i], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	marks := func(i int) (marks []Mark) {
		for _, f := range fields[i:] {
			name, seq, _ := strings.Cut(f, "=")
			n, err := strconv.ParseUint(seq, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			marks = append(marks, Mark{node(name), n})
		}
		return marks
	}
	switch fields[0] {
	case "data": // origin seq payload
		return Data[string]{node(fields[1]), number(2), fields[3]}
	case "skip":
		return Skip{marks(1)}
	case "ping": // from to number hops
		return Ping{node(fields[1]), node(fields[2]), number(3), int(number(4))}
	case "hello":
		return Hello{number(1), number(2)}
	case "open":
		return Open{Number: number(1), Marks: marks(2)}
	case "refuse":
		return Refuse{Number: number(1)}
	case "ask":
		return Ask{Number: number(1), Marks: marks(2)}
	case "pong":
		return Pong{number(1)}
	}
	t.Fatalf("unknown message %q", fields)
	return nil
}

func (s *stage) run(t *testing.T, d *datadriven.TestData) string {
	s.t = t
	s.out.Reset()
	var args []string
	for _, a := range d.CmdArgs {
		args = append(args, a.Key)
	}
	switch d.Cmd {
	case "link":
		s.link(args[0], args[1])
	case "up": // at other
		s.step(args[0], LinkUp{node(args[1])})
	case "cut":
		s.cut(args[0], args[1])
	case "crash": // with all its links
		delete(s.cores, args[0])
		for _, other := range slices.Sorted(maps.Keys(s.cores)) {
			if s.cores[other].link(node(args[0])) != nil {
				s.cut(other, args[0])
			}
		}
		delete(s.cores, args[0])
	case "broadcast": // at payloads
		for _, payload := range args[1:] {
			s.step(args[0], Broadcast[string]{payload})
		}
	case "arrive": // numbers
		for _, arg := range args {
			n, err := strconv.Atoi(arg)
			if err != nil {
				t.Fatal(err)
			}
			s.arrive(n)
		}
	case "flow":
		s.flow(args...)
	case "wait": // duration held
		pause, err := time.ParseDuration(args[0])
		if err != nil {
			t.Fatal(err)
		}
		s.wait(pause, args[1:]...)
	case "inject": // from to link; a message a line
		link, err := strconv.ParseUint(args[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(d.Input) {
			s.step(args[1], Received{node(args[0]), Message{link, body(t, strings.Fields(line))}})
		}
	case "inspect":
		for _, name := range slices.Sorted(maps.Keys(s.cores)) {
			s.printf("%s: %+v", name, s.cores[name].Stats())
		}
	default:
		return fmt.Sprintf("unknown command %q", d.Cmd)
	}
	return s.out.String()
}

func TestTranscriptsOfAFewNodes(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		var s *stage
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "new" {
				s = newStage(t, Config{
					MaxBuffer: count(t, d, "maxbuffer"), Rounds: count(t, d, "rounds"), MaxOrigins: count(t, d, "maxorigins"),
				})
				return ""
			}
			return s.run(t, d)
		})
	})
}
