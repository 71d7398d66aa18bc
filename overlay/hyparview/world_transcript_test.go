package hyparview

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/topos-go/topos/overlay"
)

// TestTranscriptsOfSmallWorlds plays several nodes with each other, one
// millisecond apart. Commands:
//
//	world [active=N] [xbot] [shuffle=10s]   a world without nodes
//	boot I [J]                              starts node nI, with nJ for a seed
//	know I J                                nI learns of nJ
//	crash I | leave I | sever I J
//	distance I J 80ms                       how far they are from each other
//	run 1s                                  lets time pass and prints what all do
//	views                                   prints who has whom for a neighbor
func TestTranscriptsOfSmallWorlds(t *testing.T) {
	datadriven.Walk(t, "testdata/worlds", func(t *testing.T, path string) {
		var w *world
		distance := make(map[[2]int]time.Duration)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			place := func(i int) (n int) {
				if _, err := fmt.Sscan(d.CmdArgs[i].Key, &n); err != nil {
					t.Fatal(err)
				}
				return n
			}
			switch d.Cmd {
			case "world":
				w = quietWorld(t, d)
				clear(distance)
				w.latency = func(a, b int) time.Duration { return max(time.Millisecond, distance[key(a, b)]) }
			case "boot":
				var seeds []int
				if len(d.CmdArgs) > 1 {
					seeds = append(seeds, place(1))
				}
				w.boot(place(0), seeds...)
			case "know":
				w.tell(place(0), w.places[place(0)].node, overlay.Met{Node: w.places[place(1)].node})
			case "crash":
				w.crash(place(0))
			case "leave":
				w.tell(place(0), w.places[place(0)].node, overlay.LeaveRequested{})
			case "sever":
				w.sever(place(0), place(1))
			case "distance":
				distance[key(place(0), place(1))] = parse(t, d.CmdArgs[2].Key)
			case "run":
				w.run(parse(t, d.CmdArgs[0].Key))
			case "views":
				var out strings.Builder
				for _, p := range w.alive() {
					fmt.Fprintf(&out, "%s: %s; passive: %s\n", name(p.node), nodeNames(p.core.Active()), nodeNames(p.core.Passive()))
				}
				return out.String()
			default:
				t.Fatalf("unknown command %q", d.Cmd)
			}
			out := w.trace.String()
			w.trace.Reset()
			return out
		})
	})
}

func parse(t *testing.T, s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func quietWorld(t *testing.T, d *datadriven.TestData) *world {
	cfg := Config{ShuffleInterval: time.Hour, Refresh: -1, Checks: -1}
	d.MaybeScanArgs(t, "active", &cfg.ActiveSize)
	if d.HasArg("xbot") {
		cfg.XBot = &XBot{}
	}
	if d.HasArg("shuffle") {
		cfg.ShuffleInterval = DefaultShuffleInterval
	}
	w := newWorld(t, 1, cfg)
	w.trace, w.checked = &strings.Builder{}, true
	return w
}
