package causal

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

func duration(t *testing.T, d *datadriven.TestData, name string) time.Duration {
	text := "0s"
	if d.HasArg(name) {
		d.ScanArgs(t, name, &text)
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return v
}

// seqOf reads a number as Seq.String writes it.
func seqOf(t testing.TB, text string) Seq {
	epoch, count, _ := strings.Cut(text, ".")
	e, err1 := strconv.ParseUint(epoch, 10, 64)
	c, err2 := strconv.ParseUint(count, 10, 64)
	if err1 != nil || err2 != nil {
		t.Fatalf("%q is not a number", text)
	}
	return makeSeq(e, c)
}

// inject lets a letter arrive that nobody has sent. What it needs and says is
// done is written as from>to=number, separated by spaces, in the input.
func (s *stage) inject(t *testing.T, d *datadriven.TestData, from, to, item string) {
	stamp := Stamp{Void: item == "void", Seq: seqOf(t, d.CmdArgs[3].Key)}
	names := []string{from, to}
	number := func(name string) uint8 {
		at := slices.Index(names, name)
		if at < 0 {
			at = len(names)
			names = append(names, name)
			stamp.Others = append(stamp.Others, node(name))
		}
		return uint8(at)
	}
	for line := range strings.Lines(d.Input) {
		what, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, field := range strings.Fields(rest) {
			pair, seq, _ := strings.Cut(field, "=")
			a, b, _ := strings.Cut(pair, ">")
			switch what {
			case "needs":
				stamp.Needs = append(stamp.Needs, Entry{number(a), number(b), seqOf(t, seq)})
			case "done":
				stamp.Done = append(stamp.Done, Entry{number(a), number(b), seqOf(t, seq)})
			case "gone":
				stamp.Gone = append(stamp.Gone, Span{seqOf(t, a), seqOf(t, b)})
			default:
				d.Fatalf(t, "unknown line %q", line)
			}
		}
	}
	s.carryOut(to, s.group(to).Receive(s.now, node(from), stamp, item, len(item)))
}

func (s *stage) inspect() {
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		s.printf("%s: %+v", name, s.groups[name].Stats())
	}
}

func (s *stage) run(t *testing.T, d *datadriven.TestData) string {
	s.t = t
	s.out.Reset()
	var args []string
	for _, a := range d.CmdArgs {
		args = append(args, a.Key)
	}
	switch d.Cmd {
	case "send": // from to items
		for _, item := range args[2:] {
			s.send(args[0], args[1], item)
		}
	case "deliver", "copy", "drop":
		for _, arg := range args {
			n, err := strconv.Atoi(arg)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			if d.Cmd != "drop" {
				s.arrive(n)
			}
			if d.Cmd != "copy" {
				delete(s.letters, n)
			}
		}
	case "gaveup": // from to numbers
		for _, seq := range args[2:] {
			s.gaveUp(args[0], args[1], seqOf(t, seq))
		}
	case "known": // from to number
		s.group(args[0]).Delivered(node(args[1]), seqOf(t, args[2]))
	case "obituary": // at of
		s.obituary(args[0], args[1], d.HasArg("final"))
	case "met": // at other
		s.met(args[0], args[1])
	case "wait":
		pause, err := time.ParseDuration(args[0])
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		s.wait(pause)
	case "inject": // from to item number
		s.inject(t, d, args[0], args[1], args[2])
	case "inspect":
		s.inspect()
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
					MaxWait: duration(t, d, "maxwait"), Forget: duration(t, d, "forget"),
					MaxHeld: count(t, d, "maxheld"), MaxBytes: count(t, d, "maxbytes"),
				})
				return ""
			}
			return s.run(t, d)
		})
	})
}
