package swim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/topos-go/topos/overlay"
)

// play is a world of a few nodes that a transcript directs.
type play struct {
	*world
	holes map[string]bool // such as "a>b", or "*>b"
}

func siteOf(name string) int { return int(name[0] - 'a') }

// person is the node that a transcript calls so: one of the world, such as a, or
// an earlier a.1, or a stranger.
func (p *play) person(name string) overlay.Node {
	if site, boot, _ := strings.Cut(name, "."); len(site) == 1 && siteOf(site) < len(p.sites) {
		n := p.sites[siteOf(site)].node
		if boot != "" {
			n.Boot = uint64(boot[0] - '0')
		}
		return n
	}
	return overlay.Node{Name: name + "@elsewhere:1", Boot: 1}
}

func newPlay(t *testing.T, d *datadriven.TestData) *play {
	nodes, seed, cfg := 3, uint64(1), Config{}
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "nodes":
			d.ScanArgs(t, "nodes", &nodes)
		case "seed":
			d.ScanArgs(t, "seed", &seed)
		case "fanout":
			d.ScanArgs(t, "fanout", &cfg.Fanout)
		case "plain":
			cfg.Plain = true
		case "discreet":
			cfg.Twice, cfg.Discreet, cfg.Crowd = true, true, 2
		case "maxfacts":
			d.ScanArgs(t, "maxfacts", &cfg.MaxFacts)
		case "maxmembers":
			d.ScanArgs(t, "maxmembers", &cfg.MaxMembers)
		}
	}
	p := &play{newWorld(seed, nodes, cfg), make(map[string]bool)}
	p.steady, p.trace, p.checked = 10*time.Millisecond, &strings.Builder{}, true
	p.lost = func(from, to int) bool {
		a, b := string(rune('a'+from)), string(rune('a'+to))
		return p.holes[a+">"+b] || p.holes["*>"+b] || p.holes[a+">*"]
	}
	return p
}

// fact reads one such as "b suspect 0 by a".
func (p *play) fact(t *testing.T, text string) Fact {
	f := strings.Fields(text)
	n, err := strconv.ParseUint(f[2], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	state := map[string]State{"alive": Alive, "suspect": Suspect, "confirm": Confirm}[f[1]]
	fact := Fact{State: state, Node: p.person(f[0]), Incarnation: n, By: p.person(f[0])}
	if len(f) > 4 {
		fact.By = p.person(f[4])
	}
	return fact
}

func (p *play) run(t *testing.T, d *datadriven.TestData) string {
	p.trace.Reset()
	var args []string
	for _, a := range d.CmdArgs {
		args = append(args, a.Key)
	}
	switch d.Cmd {
	case "run": // duration; "brief" leaves the messages out, "of x" all but those of x
		pause, err := time.ParseDuration(args[0])
		if err != nil {
			t.Fatal(err)
		}
		p.world.run(pause)
	case "lose":
		for _, a := range args {
			p.holes[a] = true
		}
	case "mend":
		clear(p.holes)
	case "kill": // falls silent
		p.kill(siteOf(args[0]), false)
	case "crash": // refuses; those that follow have a link to it
		var linked []int
		for _, a := range args[1:] {
			linked = append(linked, siteOf(a))
		}
		p.kill(siteOf(args[0]), true, linked...)
	case "reset": // at node
		p.step(siteOf(args[0]), LinkReset{Node: p.person(args[1])})
	case "restart":
		p.replace(siteOf(args[0]))
	case "pause":
		p.sites[siteOf(args[0])].asleep = true
	case "wake":
		p.wake(siteOf(args[0]))
	case "split": // these from the others
		for i, s := range p.sites {
			s.side = 0
			if slices.Contains(args, string(rune('a'+i))) {
				s.side = 1
			}
		}
	case "watch": // at node
		p.step(siteOf(args[0]), Watch{p.person(args[1])})
	case "heard": // at; a fact a line
		for line := range strings.Lines(d.Input) {
			p.step(siteOf(args[0]), Heard{p.fact(t, line)})
		}
	case "tell": // from to; ping, ack or gossip, with a number, and facts, a line each
		lines := strings.Split(d.Input, "\n")
		kind, number, _ := strings.Cut(lines[0], " ")
		seq, _ := strconv.ParseUint(number, 10, 64)
		m := Message{Body: map[string]Body{"ping": Ping{seq}, "ack": Ack{seq}, "ping-req": PingReq{Seq: seq, Target: p.person("x")}, "gossip": Gossip{}}[kind]}
		for _, line := range lines[1:] {
			m.Facts = append(m.Facts, p.fact(t, line))
		}
		p.step(siteOf(args[1]), Received{p.person(args[0]), m})
	case "inspect":
		for _, a := range args {
			fmt.Fprintln(p.trace, inspect(p.sites[siteOf(a)].core))
		}
	default:
		return fmt.Sprintf("unknown command %q", d.Cmd)
	}
	if len(p.wrong) > 0 {
		t.Fatal(p.wrong)
	}
	return p.shown(args)
}

func (p *play) shown(args []string) string {
	of := slices.Index(args, "of")
	brief := slices.Contains(args, "brief")
	var out strings.Builder
	for line := range strings.Lines(p.trace.String()) {
		from, to, message := strings.Cut(strings.Fields(line)[1], ">")
		if message && (brief || of >= 0 && from != args[of+1] && to != args[of+1]) {
			continue
		}
		out.WriteString(line)
	}
	return out.String()
}

func TestTranscriptsOfAFewNodes(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		var p *play
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "new" {
				p = newPlay(t, d)
				return ""
			}
			return p.run(t, d)
		})
	})
}
