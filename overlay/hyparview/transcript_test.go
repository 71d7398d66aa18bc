package hyparview

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

// node reads "a2": incarnation 2 of the node called a. In a world names have a
// number themselves, and "n3/2" is incarnation 2 of n3.
func node(s string) overlay.Node {
	i := strings.IndexFunc(s, func(r rune) bool { return r >= '0' && r <= '9' || r == '/' })
	if slash := strings.IndexByte(s, '/'); slash >= 0 {
		i = slash
	}
	boot, err := strconv.ParseUint(strings.TrimPrefix(s[i:], "/"), 10, 64)
	if err != nil {
		panic(err)
	}
	return overlay.Node{Name: s[:i] + "@" + s[:i], Boot: boot}
}

// name is the inverse of node.
func name(n overlay.Node) string {
	boot := strconv.FormatUint(n.Boot, 10)
	if strings.ContainsAny(n.Addr(), "0123456789") {
		return n.Addr() + "/" + boot
	}
	return n.Addr() + boot
}

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
	case overlay.Measure:
		return "measure " + name(e.Node)
	case overlay.Send:
		return "send " + name(e.To) + " " + describeMessage(e.Message)
	case overlay.Disconnect:
		return "disconnect " + name(e.Node)
	case overlay.NeighborUp:
		return "NEIGHBOR " + name(e.Node)
	case overlay.NeighborDown:
		return "NO NEIGHBOR " + name(e.Node)
	}
	return fmt.Sprintf("%T", e)
}

// describeMessage writes a message as message reads it: #n is the sender's
// number of the relation, of=n the receiver's.
func describeMessage(m overlay.Message) string {
	switch m := m.(type) {
	case Join:
		return fmt.Sprintf("join #%d", m.Number)
	case ForwardJoin:
		return fmt.Sprintf("forward-join %s ttl=%d", name(m.Node), m.TTL)
	case Neighbor:
		return fmt.Sprintf("neighbor #%d%s", m.Number, flag(m.High, " high"))
	case NeighborReply:
		return fmt.Sprintf("neighbor-reply of=%d #%d%s", m.Of, m.Number, flag(m.Accepted, " yes"))
	case Disconnect:
		return fmt.Sprintf("disconnect of=%d #%d%s", m.Of, m.Number, flag(m.Wait, " wait"))
	case Alive:
		return fmt.Sprintf("alive of=%d #%d", m.Of, m.Number)
	case Leave:
		return "leave"
	case Shuffle:
		return fmt.Sprintf("shuffle #%d ttl=%d origin=%s %s", m.Number, m.TTL, name(m.Origin), nodeNames(m.Nodes))
	case ShuffleReply:
		return fmt.Sprintf("shuffle-reply #%d %s", m.Number, nodeNames(m.Nodes))
	case Optimization:
		return fmt.Sprintf("optimization #%d old=%s", m.Number, name(m.Old))
	case OptimizationReply:
		return fmt.Sprintf("optimization-reply of=%d #%d%s%s", m.Of, m.Number, flag(m.Accepted, " yes"), flag(m.Replaced, " replaced"))
	case Replace:
		return fmt.Sprintf("replace of=%d exchange=%d initiator=%s old=%s", m.Of, m.Exchange, name(m.Initiator), name(m.Old))
	case ReplaceReply:
		return fmt.Sprintf("replace-reply of=%d exchange=%d%s", m.Of, m.Exchange, flag(m.Accepted, " yes"))
	case Switch:
		return fmt.Sprintf("switch #%d initiator=%s", m.Number, name(m.Initiator))
	case SwitchReply:
		return fmt.Sprintf("switch-reply of=%d #%d%s", m.Of, m.Number, flag(m.Accepted, " yes"))
	}
	return fmt.Sprintf("%T", m)
}

func flag(set bool, s string) string {
	if set {
		return s
	}
	return ""
}

// words are the words of a message: numbers by key, with "#" for #n, nodes by
// key, flags, and what is left: nodes without a key.
type words struct {
	n     map[string]int
	node  map[string]overlay.Node
	flags string
	nodes []overlay.Node
}

func readWords(f []string) words {
	w := words{n: make(map[string]int), node: make(map[string]overlay.Node)}
	for _, s := range f {
		key, value, ok := strings.Cut(s, "=")
		if rest, number := strings.CutPrefix(s, "#"); number {
			key, value, ok = "#", rest, true
		}
		n, err := strconv.Atoi(value)
		switch {
		case ok && err == nil:
			w.n[key] = n
		case ok:
			w.node[key] = node(value)
		case strings.ContainsAny(s, "0123456789"):
			w.nodes = append(w.nodes, node(s))
		default:
			w.flags += s + " "
		}
	}
	return w
}

func (w words) is(flag string) bool { return strings.Contains(w.flags, flag+" ") }

func message(t *testing.T, f []string) overlay.Message {
	w := readWords(f[1:])
	of, number := uint32(w.n["of"]), uint32(w.n["#"])
	switch f[0] {
	case "join":
		return Join{Number: number}
	case "forward-join":
		return ForwardJoin{Node: w.nodes[0], TTL: w.n["ttl"]}
	case "neighbor":
		return Neighbor{Number: number, High: w.is("high")}
	case "neighbor-reply":
		return NeighborReply{Of: of, Number: number, Accepted: w.is("yes")}
	case "disconnect":
		return Disconnect{Of: of, Number: number, Wait: w.is("wait")}
	case "alive":
		return Alive{Of: of, Number: number}
	case "leave":
		return Leave{}
	case "shuffle":
		return Shuffle{Origin: w.node["origin"], Number: number, TTL: w.n["ttl"], Nodes: w.nodes}
	case "shuffle-reply":
		return ShuffleReply{Number: number, Nodes: w.nodes}
	case "optimization":
		return Optimization{Number: number, Old: w.node["old"]}
	case "optimization-reply":
		return OptimizationReply{Of: of, Number: number, Accepted: w.is("yes"), Replaced: w.is("replaced")}
	case "replace":
		return Replace{Of: of, Exchange: uint32(w.n["exchange"]), Initiator: w.node["initiator"], Old: w.node["old"]}
	case "replace-reply":
		return ReplaceReply{Of: of, Exchange: uint32(w.n["exchange"]), Accepted: w.is("yes")}
	case "switch":
		return Switch{Number: number, Initiator: w.node["initiator"]}
	case "switch-reply":
		return SwitchReply{Of: of, Number: number, Accepted: w.is("yes")}
	}
	t.Fatalf("unknown message %q", f)
	return nil
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
	case "failed":
		return overlay.DialFailed{Node: arg(1)}
	case "duplicate":
		return overlay.DialFailed{Node: arg(1), Alive: true}
	case "found":
		return overlay.Found{Addr: f[1], Node: arg(2)}
	case "not-found":
		return overlay.ProbeFailed{Addr: f[1]}
	case "rtt":
		d, err := time.ParseDuration(f[2])
		if err != nil {
			t.Fatal(err)
		}
		return overlay.RTT{Node: arg(1), RTT: d}
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

// solo is one node and its time, for transcripts and tests of single steps.
type solo struct {
	t   testing.TB
	c   *Core
	now time.Time
	out strings.Builder
}

// quiet is a Config for looking at one thing at a time: nothing happens by
// itself within an hour, besides what fails.
func quiet(self string) Config {
	return Config{
		Self: node(self), Rand: rand.New(rand.NewPCG(1, 1)),
		ShuffleInterval: 2 * time.Hour, Refresh: -1, Checks: -1,
	}
}

func newSolo(t testing.TB, cfg Config) *solo {
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &solo{t: t, c: c, now: epoch}
	s.show(c.Tick(s.now))
	return s
}

func (s *solo) show(effects overlay.Effects) {
	if err := s.c.valid(); err != nil {
		s.t.Fatal(err)
	}
	for _, e := range effects {
		fmt.Fprintf(&s.out, "%v %s\n", s.now.Sub(epoch).Round(time.Millisecond), describe(e))
	}
}

// until lets time pass, with every tick on the way.
func (s *solo) until(after time.Duration) {
	until := epoch.Add(after)
	for next := s.c.Deadline(); !next.IsZero() && !next.After(until); next = s.c.Deadline() {
		if next.After(s.now) {
			s.now = next
		}
		s.show(s.c.Tick(s.now))
	}
	s.now = until
}

func (s *solo) step(events ...overlay.Event) {
	for _, ev := range events {
		s.show(s.c.Step(s.now, ev))
	}
}

// take returns what was shown since it was called last.
func (s *solo) take() string {
	out := s.out.String()
	s.out.Reset()
	return out
}

// views prints what the node knows. A bracket is around those who are none of
// its neighbors, but linked or being dialled.
func (s *solo) views() string {
	var others []string
	for _, p := range s.c.peers {
		if p.state != neighbor {
			others = append(others, name(p.node))
		}
	}
	return fmt.Sprintf("active: %s\npassive: %s\nothers: %s\n",
		nodeNames(s.c.Active()), nodeNames(s.c.Passive()), strings.Join(others, " "))
}

// TestTranscriptsOfOneNode plays protocols of what one node is told and does. Commands:
//
//	new self=a1 [seeds=(b,c)] [active=N] [passive=N] [shuffle=10s] [checks] [xbot]
//	                  a node that does not refresh, nor checks unless it says so
//	at 1.5s           lets time pass, with every tick on the way, then tells the
//	                  node what the lines below say
//	views             prints what the node knows
func TestTranscriptsOfOneNode(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		var s *solo
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				s = newSolo(t, soloConfig(t, d))
			case "at":
				after, err := time.ParseDuration(d.CmdArgs[0].Key)
				if err != nil {
					t.Fatal(err)
				}
				s.until(after)
				for line := range strings.Lines(d.Input) {
					if strings.TrimSpace(line) != "" {
						s.step(event(t, line))
					}
				}
			case "views":
				return s.views()
			default:
				t.Fatalf("unknown command %q", d.Cmd)
			}
			return s.take()
		})
	})
}

func soloConfig(t *testing.T, d *datadriven.TestData) Config {
	var self, shuffle string
	d.ScanArgs(t, "self", &self)
	cfg := quiet(self)
	if arg, ok := d.Arg("seeds"); ok {
		cfg.Seeds = arg.Vals
	}
	d.MaybeScanArgs(t, "active", &cfg.ActiveSize)
	d.MaybeScanArgs(t, "passive", &cfg.PassiveSize)
	if d.MaybeScanArgs(t, "shuffle", &shuffle) {
		var err error
		if cfg.ShuffleInterval, err = time.ParseDuration(shuffle); err != nil {
			t.Fatal(err)
		}
	}
	if d.HasArg("checks") {
		cfg.Checks = 0
	}
	if d.HasArg("xbot") {
		cfg.XBot = &XBot{}
	}
	return cfg
}

func TestOutdatedNodesAreNamedWithTheirReason(t *testing.T) {
	s := newSolo(t, quiet("s1"))
	s.befriend(node("b2"), node("c1"))
	s.step(overlay.Received{From: node("c1"), Message: Leave{}})
	for n, want := range map[string]error{
		"b1": overlay.ErrRestarted, "b2": nil, "b3": nil, "c1": overlay.ErrLeft, "c2": nil, "d1": nil,
	} {
		if got := s.c.Outdated(node(n)); got != want {
			t.Errorf("%s: got %v, want %v", n, got, want)
		}
	}
	s.until(DefaultForget + 3*time.Hour)
	if got := s.c.Outdated(node("c1")); got != nil {
		t.Errorf("after Forget: %v", got)
	}
}

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := New(Config{
		Self: overlay.Node{Name: "x"}, ActiveSize: -1, PRWL: 7, MaxGone: -1, Timeout: -1, MaxSeeds: 1, Seeds: []string{"a", "b"},
		XBot: &XBot{Scan: -1, Unbiased: 9, Threshold: 100},
	})
	for _, want := range []string{
		`"x" is not name@address`, "Rand", "ActiveSize", "PRWL", "MaxGone", "Timeout", "2 Seeds", "Scan", "Unbiased", "Threshold",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in: %v", want, err)
		}
	}
}
