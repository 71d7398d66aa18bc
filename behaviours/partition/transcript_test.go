package partition

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/topos-go/topos/actor"
)

// TestTranscriptsOfLogs lets a few logs talk, letter by letter.
func TestTranscriptsOfLogs(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts/log", func(t *testing.T, path string) {
		var w *world
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "new" {
				l := smallLimits()
				var names []string
				for _, a := range d.CmdArgs {
					if len(a.Vals) == 0 {
						names = append(names, a.Key)
						continue
					}
					n, err := strconv.Atoi(a.Vals[0])
					if err != nil {
						t.Fatal(err)
					}
					switch a.Key {
					case "ops":
						l.ops = n
					case "keep":
						l.keep = n
					case "patience":
						l.patience = n
					}
				}
				w = newWorld(l, names...)
				w.flow()
				return ""
			}
			out := w.command(t, d)
			if err := w.check(); err != nil {
				t.Fatal(err)
			}
			return out
		})
	})
}

func (w *world) command(t *testing.T, d *datadriven.TestData) string {
	var args []string
	for _, a := range d.CmdArgs {
		args = append(args, a.Key)
	}
	w.events = nil
	switch d.Cmd {
	case "write": // at, how many
		n, err := strconv.Atoi(args[1])
		if err != nil {
			t.Fatal(err)
		}
		for range n {
			seq, ok := w.write(args[0], "op")
			if !ok {
				missing, _ := w.nodes[args[0]].log.room(2)
				w.events = append(w.events, fmt.Sprintf("refused: waiting for %v", missing))
				break
			}
			w.events = append(w.events, fmt.Sprintf("%s takes in %d", args[0], seq))
		}
	case "part": // these from the others
		for _, name := range args {
			w.sides[name] = 1
		}
	case "heal":
		clear(w.sides)
	case "down": // at, others
		for _, other := range args[1:] {
			w.nodes[args[0]].log.peerDown(w.nodes[other].id)
		}
	case "gone":
		for _, other := range args[1:] {
			w.nodes[args[0]].log.peerGone(w.nodes[other].id)
		}
	case "up":
		w.meet(args[0], args[1:]...)
	case "restart": // a node, which then knows the others
		w.start(args[0])
		w.meet(args[0], w.names...)
	case "respawn":
		w.respawn(args[0])
	case "lose":
		w.letters = nil
	case "letters":
	case "tick":
		for _, name := range args {
			w.run(name, w.nodes[name].log.tick())
		}
	case "deliver": // the first
		w.deliver(0)
	case "flow":
		w.flow()
	case "state":
		for _, name := range w.names {
			w.events = append(w.events, name+": "+w.describe(name))
		}
	default:
		t.Fatalf("unknown command %q", d.Cmd)
	}
	var b strings.Builder
	for _, e := range w.events {
		fmt.Fprintln(&b, e)
	}
	if d.Cmd != "flow" && d.Cmd != "state" && d.Cmd != "lose" {
		for _, l := range w.letters {
			fmt.Fprintf(&b, "  %s -> %s: %s\n", l.from, l.to, describeMessage(l.msg))
		}
	}
	return b.String()
}

// describe says what a node has applied, and what is in its log.
func (w *world) describe(name string) string {
	p := w.nodes[name]
	var parts []string
	for _, o := range slices.SortedFunc(maps.Keys(p.applied), Origin.compare) {
		s := p.log.streams[o]
		text := fmt.Sprintf("%s 1-%d", describeOrigin(o), len(p.applied[o]))
		if len(s.ops) > 0 {
			text += fmt.Sprintf(" (log %d-%d)", s.base+1, s.upTo())
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func describeOrigin(o Origin) string { return fmt.Sprintf("%s.%d", o.Node, o.Started) }

func describeMessage(msg any) string {
	describe := func(have []Seen) string {
		var parts []string
		for _, seen := range have {
			parts = append(parts, fmt.Sprintf("%s:%d", describeOrigin(seen.Origin), seen.UpTo))
		}
		return strings.Join(parts, " ")
	}
	switch m := msg.(type) {
	case Digest:
		kind := "digest"
		switch {
		case m.Part:
			kind = "ack"
		case m.Answer:
			kind = "answer"
		}
		return kind + " " + describe(m.Have)
	case Entries:
		return fmt.Sprintf("entries %s %d-%d", describeOrigin(m.Of), m.First, m.First+uint64(len(m.Ops))-1)
	case State:
		return "state " + describe(m.Have)
	}
	return fmt.Sprintf("%T", msg)
}

// TestTranscriptsOfViews shows what a node makes of what it is told of others.
func TestTranscriptsOfViews(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts/view", func(t *testing.T, path string) {
		var v *view
		now := time.Unix(0, 0)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var events []Event
			var out strings.Builder
			for i, a := range d.CmdArgs {
				node := viewNode(a.Key)
				switch d.Cmd {
				case "new": // self, lost=
					if i == 0 {
						v = newView(node, DefaultMinLost)
					} else if n, err := strconv.Atoi(a.Key); err == nil {
						v.minLost = n
					}
				case "up":
					events = append(events, v.up(node)...)
				case "silent":
					events = append(events, v.down(now, node, silent)...)
				case "crashed":
					events = append(events, v.down(now, node, crashed)...)
				case "left":
					events = append(events, v.down(now, node, left)...)
				case "forget":
					events = append(events, v.forget(a.Key)...)
				case "expire": // those lost for longer
					limit, err := time.ParseDuration(a.Key)
					if err != nil {
						t.Fatal(err)
					}
					_, found := v.expire(now.Add(-limit))
					events = append(events, found...)
				case "wait":
					pause, err := time.ParseDuration(a.Key)
					if err != nil {
						t.Fatal(err)
					}
					now = now.Add(pause)
				case "write": // holds, only, leader
					err := elected(v, viewNode(d.CmdArgs[0].Key), d.HasArg("holds"), d.HasArg("only"))
					if err == nil {
						return "accepted\n"
					}
					if !errors.Is(err, ErrReadOnly) {
						t.Error("no ErrReadOnly")
					}
					return err.Error() + "\n"
				default:
					t.Fatalf("unknown command %q", d.Cmd)
				}
			}
			for _, ev := range events {
				fmt.Fprintln(&out, describeEvent(ev))
			}
			return out.String()
		})
	})
}

// viewNode reads a name with an incarnation, such as a.2; without one it is the
// first.
func viewNode(s string) actor.NodeID {
	name, boot, ok := strings.Cut(s, ".")
	id := actor.NodeID{Name: name, Incarnation: actor.Incarnation{Boot: 1}}
	if ok {
		id.Incarnation.Boot, _ = strconv.ParseUint(boot, 10, 64)
	}
	return id
}

func describeEvent(ev Event) string {
	list := func(nodes []actor.NodeID) string {
		var parts []string
		for _, n := range nodes {
			text := n.Name
			if n.Incarnation.Boot > 1 {
				text += fmt.Sprintf(".%d", n.Incarnation.Boot)
			}
			parts = append(parts, text)
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	switch ev := ev.(type) {
	case Detected:
		return fmt.Sprintf("detected: here %s, lost %s", list(ev.Here), list(ev.Lost))
	case Healed:
		return fmt.Sprintf("healed: returned %s, restarted %s, crashed %s, left %s",
			list(ev.Returned), list(ev.Restarted), list(ev.Crashed), list(ev.Left))
	}
	return fmt.Sprintf("%T", ev)
}
