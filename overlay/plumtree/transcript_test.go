package plumtree

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

func duration(t *testing.T, d *datadriven.TestData, key string, def time.Duration) time.Duration {
	if arg, ok := d.Arg(key); ok {
		v, err := time.ParseDuration(arg.SingleVal(t))
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		return v
	}
	return def
}

func number(t *testing.T, d *datadriven.TestData, key string) (n int) {
	d.MaybeScanArgs(t, key, &n)
	return n
}

// run carries out one command of a transcript.
func (s *stage) run(t *testing.T, d *datadriven.TestData) string {
	s.out.Reset()
	var args []string
	for _, a := range d.CmdArgs {
		args = append(args, a.Key)
	}
	numbers := func() (list []int) {
		for _, a := range args {
			n, err := strconv.Atoi(a)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			list = append(list, n)
		}
		return list
	}
	passing := func(flow bool) {
		pause, err := time.ParseDuration(args[0])
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		s.wait(pause, flow)
	}
	switch d.Cmd {
	case "link": // pairs of nodes
		for i := 0; i < len(args); i += 2 {
			s.link(args[i], args[i+1])
		}
	case "unlink": // two nodes
		s.step(args[0], NeighborDown{node(args[1])})
		s.step(args[1], NeighborDown{node(args[0])})
	case "up": // at node
		s.step(args[0], NeighborUp{node(args[1])})
	case "down": // at node
		s.step(args[0], NeighborDown{node(args[1])})
	case "lost": // at node, which has crashed
		s.step(args[0], NeighborLost{node(args[1])})
	case "prune": // at node: as if a duplicate had come
		s.step(args[0], Received{node(args[1]), Prune{node(args[0])}})
	case "crash":
		delete(s.cores, args[0])
	case "broadcast": // at payload
		s.step(args[0], Broadcast{[]byte(args[1])})
	case "deliver":
		for _, n := range numbers() {
			s.deliver(n)
		}
	case "drop":
		for _, n := range numbers() {
			if _, ok := s.letters[n]; !ok {
				d.Fatalf(t, "no letter %d", n)
			}
			delete(s.letters, n)
		}
	case "flow": // deliver all, now
		s.deliverAll()
	case "wait":
		passing(false)
	case "run":
		passing(true)
	case "quiet": // run without a word, and number from 1 again
		s.deliverAll()
		passing(true)
		s.out.Reset()
		s.last = 0
	case "trees":
		s.trees()
	case "stats":
		fmt.Fprintf(&s.out, "%+v\n", s.cores[args[0]].Stats())
	default:
		return fmt.Sprintf("unknown command %q", d.Cmd)
	}
	return s.out.String()
}

// TestTranscriptsOfAFewNodes plays small clusters by hand: each message has a
// number, and comes when it is told to.
func TestTranscriptsOfAFewNodes(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		var s *stage
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "new" {
				return s.run(t, d)
			}
			arg, ok := d.Arg("nodes")
			if !ok {
				d.Fatalf(t, "no nodes")
			}
			s = newStage(t, Config{
				Exchange: duration(t, d, "exchange", time.Hour), Retain: duration(t, d, "retain", 0),
				Forget:      duration(t, d, "forget", 0),
				MaxRetained: number(t, d, "maxretained"), MaxHoles: number(t, d, "maxholes"),
				MaxIHave: number(t, d, "maxihave"), MaxOrigins: number(t, d, "maxorigins"),
				PerOrigin: d.HasArg("perorigin"), MaxPayload: number(t, d, "maxpayload"),
				Threshold: number(t, d, "threshold"),
			}, arg.Vals...)
			return ""
		})
	})
}
