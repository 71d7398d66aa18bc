package fullmesh

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/topos-go/topos/overlay"
)

var epoch = time.Unix(0, 0).UTC()

// node reads "a2": incarnation 2 of the node called a.
func node(s string) overlay.Node {
	i := strings.IndexFunc(s, func(r rune) bool { return r >= '0' && r <= '9' })
	boot, err := strconv.ParseUint(s[i:], 10, 64)
	if err != nil {
		panic(err)
	}
	return overlay.Node{Name: s[:i] + "@" + s[:i], Boot: boot}
}

// name is the inverse of node.
func name(n overlay.Node) string { return n.Addr() + strconv.FormatUint(n.Boot, 10) }

func nodeNames(nodes []overlay.Node) string {
	var list []string
	for _, n := range nodes {
		list = append(list, name(n))
	}
	return strings.Join(list, " ")
}

// describe formats an effect for a transcript.
func describe(e overlay.Effect) string {
	switch e := e.(type) {
	case overlay.Dial:
		return "dial " + name(e.Node)
	case overlay.Probe:
		return "probe " + e.Addr
	case overlay.Send:
		return "send " + name(e.To) + " " + describeMessage(e.Message)
	case overlay.Disconnect:
		return "disconnect " + name(e.Node)
	case overlay.Report:
		return "report " + fmt.Sprintf("%T", e.Value)
	case overlay.NeighborUp:
		return "neighbor " + name(e.Node)
	case overlay.NeighborDown:
		return "no neighbor " + name(e.Node)
	case overlay.Up:
		return "UP " + name(e.Node)
	case overlay.Down:
		if !e.Member {
			return fmt.Sprintf("not reached %s: %v", name(e.Node), e.Reason)
		}
		return fmt.Sprintf("DOWN %s: %v", name(e.Node), e.Reason)
	}
	return fmt.Sprintf("%T", e)
}

func describeMessage(m overlay.Message) string {
	switch m := m.(type) {
	case overlay.Ping:
		return fmt.Sprint("ping ", m.Seq)
	case overlay.Pong:
		return fmt.Sprint("pong ", m.Seq)
	case overlay.Nodes:
		return "nodes " + nodeNames(m.Nodes)
	case overlay.Leaving:
		return "leaving"
	}
	return fmt.Sprintf("%T", m)
}

// event reads what happened from a transcript's line.
func event(t *testing.T, line string) overlay.Event {
	f := strings.Fields(line)
	arg := func(i int) overlay.Node { return node(f[i]) }
	switch f[0] {
	case "up":
		return overlay.LinkUp{Node: arg(1)}
	case "accepted":
		return overlay.LinkUp{Node: arg(1), Accepted: true}
	case "down":
		return overlay.LinkDown{Node: arg(1)}
	case "refused":
		return overlay.DialFailed{Node: arg(1), Refused: true}
	case "failed":
		return overlay.DialFailed{Node: arg(1)}
	case "duplicate":
		return overlay.DialFailed{Node: arg(1), Alive: true}
	case "found":
		return overlay.Found{Addr: f[1], Node: arg(2)}
	case "not-found":
		return overlay.ProbeFailed{Addr: f[1]}
	case "met":
		return overlay.Met{Node: arg(1)}
	case "lost":
		return overlay.Lost{Node: arg(1), Err: overlay.ErrForgotten}
	case "join":
		return overlay.Join{Addrs: f[1:]}
	case "leave":
		return overlay.LeaveRequested{}
	case "from":
		return overlay.Received{From: arg(1), Message: message(t, f[2:])}
	}
	t.Fatalf("unknown event %q", line)
	return nil
}

func message(t *testing.T, f []string) overlay.Message {
	switch f[0] {
	case "ping", "pong":
		n, err := strconv.ParseUint(f[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if f[0] == "ping" {
			return overlay.Ping{Seq: n}
		}
		return overlay.Pong{Seq: n}
	case "nodes":
		var nodes overlay.Nodes
		for _, s := range f[1:] {
			nodes.Nodes = append(nodes.Nodes, node(s))
		}
		return nodes
	case "leaving":
		return overlay.Leaving{}
	}
	t.Fatalf("unknown message %q", f)
	return nil
}

// TestTranscriptsOfOneNode plays protocols of what one node is told and does. Commands:
//
//	new self=a1 [seeds=(b,c)] [directed]  a node
//	at 1.5s                    lets time pass, with every tick on the way, then
//	                           tells the node what the lines below say
//	members                    prints the node's view
func TestTranscriptsOfOneNode(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		var c *Core
		now := epoch
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			show := func(effects overlay.Effects) {
				for _, e := range effects {
					fmt.Fprintf(&out, "%v %s\n", now.Sub(epoch), describe(e))
				}
			}
			switch d.Cmd {
			case "new":
				cfg := Config{Rand: rand.New(rand.NewPCG(1, 1))}
				var self string
				d.ScanArgs(t, "self", &self)
				cfg.Self = node(self)
				cfg.Directed = d.HasArg("directed")
				if arg, ok := d.Arg("seeds"); ok {
					cfg.Seeds = arg.Vals
				}
				var err error
				if c, err = New(cfg); err != nil {
					return err.Error()
				}
				now = epoch
				show(c.Tick(now))
			case "at":
				after, err := time.ParseDuration(d.CmdArgs[0].Key)
				if err != nil {
					t.Fatal(err)
				}
				until := epoch.Add(after)
				for next := c.Deadline(); !next.IsZero() && !next.After(until); next = c.Deadline() {
					if next.After(now) {
						now = next
					}
					show(c.Tick(now))
				}
				now = until
				for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
					if line != "" {
						show(c.Step(now, event(t, line)))
					}
				}
			case "members":
				for _, m := range c.Members() {
					fmt.Fprintf(&out, "%s linked=%v heard=%v rtt=%v\n", name(m.Node), m.Linked, m.Heard.Sub(epoch), m.RTT)
				}
			default:
				t.Fatalf("unknown command %q", d.Cmd)
			}
			return out.String()
		})
	})
}

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := New(Config{Self: overlay.Node{Name: "x"}, Interval: -1, Misses: -1, RedialMin: 2, RedialMax: 1})
	for _, want := range []string{`"x" is not name@address`, "Rand", "Misses", "Interval", "RedialMin"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in: %v", want, err)
		}
	}
}
