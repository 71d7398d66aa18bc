package dialect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/clientserver"
	"github.com/topos-go/topos/overlay/gossip"
	"github.com/topos-go/topos/overlay/static"
)

// topologies are all messages of the topologies besides HyParView, with all their
// fields set, and some without.
func topologies() []overlay.Message {
	nodes := []overlay.Node{a, b}
	claims := []clientserver.Claim{
		{Node: a, Number: 1, Standing: clientserver.Serving},
		{Node: b, Number: 1 << 40, Standing: clientserver.Never},
		{Node: overlay.Node{Name: "c@h:3"}, Number: math.MaxUint64},
	}
	return []overlay.Message{
		clientserver.Ask{Claims: claims},
		clientserver.Ask{},
		clientserver.Agree{Claims: claims},
		clientserver.Refuse{Busy: true, Claims: claims[:1]},
		clientserver.Refuse{},
		clientserver.News{Claims: claims[1:]},
		clientserver.Part{},
		clientserver.Leave{},
		gossip.Ask{Urgent: true},
		gossip.Ask{},
		gossip.Agree{Nodes: nodes},
		gossip.Agree{},
		gossip.Refuse{Nodes: nodes[:1]},
		gossip.Part{},
		gossip.Sample{Nodes: nodes},
		gossip.Leave{},
		static.Ask{},
		static.Agree{},
		static.Refuse{},
		static.Leave{},
	}
}

// anyNode draws a node that others can reach.
var anyNode = rapid.Custom(func(t *rapid.T) overlay.Node {
	return overlay.Node{
		Name: rapid.StringMatching(`[^@]{1,3}@(?s:.){1,4}`).Draw(t, "name"),
		Boot: rapid.Uint64().Draw(t, "boot"), Unique: rapid.StringN(0, 3, -1).Draw(t, "unique"),
	}
})

var anyClaim = rapid.Custom(func(t *rapid.T) clientserver.Claim {
	return clientserver.Claim{
		Node: anyNode.Draw(t, "node"), Number: rapid.Uint64Min(1).Draw(t, "number"),
		Standing: clientserver.Standing(rapid.IntRange(0, int(clientserver.Never)).Draw(t, "standing")),
	}
})

// some draws a list; an empty one is nil.
func some[A any](t *rapid.T, of *rapid.Generator[A]) []A {
	return append([]A(nil), rapid.SliceOfN(of, 0, 20).Draw(t, "list")...)
}

// anyMessage draws a message of one of these topologies.
var anyMessage = rapid.Custom(func(t *rapid.T) overlay.Message {
	switch m := rapid.SampledFrom(topologies()).Draw(t, "kind").(type) {
	case clientserver.Ask:
		return clientserver.Ask{Claims: some(t, anyClaim)}
	case clientserver.Agree:
		return clientserver.Agree{Claims: some(t, anyClaim)}
	case clientserver.Refuse:
		return clientserver.Refuse{Busy: rapid.Bool().Draw(t, "busy"), Claims: some(t, anyClaim)}
	case clientserver.News:
		return clientserver.News{Claims: some(t, anyClaim)}
	case gossip.Agree:
		return gossip.Agree{Nodes: some(t, anyNode)}
	case gossip.Refuse:
		return gossip.Refuse{Nodes: some(t, anyNode)}
	case gossip.Sample:
		return gossip.Sample{Nodes: some(t, anyNode)}
	default: // what there is of it are all there are
		return m
	}
})

// comesBack checks that m is the same after encoding and parsing.
func comesBack(t rapid.TB, m overlay.Message) {
	t.Helper()
	enc, err := Append(nil, m)
	if err != nil {
		t.Fatalf("%+v: %v", m, err)
	}
	if got, err := Parse(enc); err != nil || !reflect.DeepEqual(got, m) {
		t.Fatalf("%+v became %+v, %v", m, got, err)
	}
}

func TestAnyMessageOfATopologyComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { comesBack(t, anyMessage.Draw(t, "message")) })
}

// topology is the core of one.
type topology interface {
	Step(time.Time, overlay.Event) overlay.Effects
	Tick(time.Time) overlay.Effects
	Deadline() time.Time
}

// stress is a core to which anything happens.
type stress struct {
	core topology
	now  time.Time
	rng  *rand.Rand
	// messages returns what is said about the given claims and nodes.
	messages func([]clientserver.Claim, []overlay.Node) []overlay.Message
}

func newStress(t *testing.T, name string, seed uint64) *stress {
	s := &stress{rng: rand.New(rand.NewPCG(seed, 0)), now: time.Unix(0, 0)}
	self, rng := overlay.Node{Name: "m@m", Boot: 1}, rand.New(rand.NewPCG(seed, 1))
	var err error
	switch name {
	case "clientserver":
		s.core, err = clientserver.New(clientserver.Config{Self: self, Rand: rng, MaxClients: 2})
		s.messages = func(claims []clientserver.Claim, _ []overlay.Node) []overlay.Message {
			return []overlay.Message{
				clientserver.Ask{Claims: claims}, clientserver.Agree{Claims: claims},
				clientserver.Refuse{Busy: true, Claims: claims}, clientserver.News{Claims: claims}, clientserver.Part{},
			}
		}
	case "gossip":
		s.core, err = gossip.New(gossip.Config{Self: self, Rand: rng, Fanout: 1})
		s.messages = func(_ []clientserver.Claim, nodes []overlay.Node) []overlay.Message {
			return []overlay.Message{
				gossip.Ask{}, gossip.Ask{Urgent: true}, gossip.Agree{Nodes: nodes}, gossip.Refuse{Nodes: nodes},
				gossip.Sample{Nodes: nodes}, gossip.Part{},
			}
		}
	case "static":
		s.core, err = static.New(static.Config{Self: self, Rand: rng, Peers: []string{"a@a", "b"}, Accept: static.Anyone, MaxGuests: 1})
		s.messages = func([]clientserver.Claim, []overlay.Node) []overlay.Message {
			return []overlay.Message{static.Ask{}, static.Agree{}, static.Refuse{}}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// node returns one of a few, of which some are none.
func (s *stress) node() overlay.Node {
	if s.rng.IntN(5) == 0 {
		odd := []overlay.Node{{}, {Name: "@a"}, {Name: "a"}, {Name: "a@"}, {Boot: 1}, {Name: "m@m", Boot: 2}}
		return odd[s.rng.IntN(len(odd))]
	}
	name := string('a' + rune(s.rng.IntN(6)))
	return overlay.Node{Name: name + "@" + name, Boot: uint64(s.rng.IntN(20) / 19)}
}

// happen has something happen to the core.
func (s *stress) happen() overlay.Effects {
	node := s.node()
	switch s.rng.IntN(10) {
	case 0:
		return s.core.Step(s.now, overlay.Met{Node: node, Proven: s.rng.IntN(2) == 0})
	case 1:
		return s.core.Step(s.now, overlay.Found{Addr: node.Addr(), Node: s.node()})
	case 2:
		return s.core.Step(s.now, overlay.LinkDown{Node: node})
	case 3, 4:
		return s.core.Step(s.now, overlay.LinkUp{Node: node, Accepted: s.rng.IntN(3) > 0})
	case 5:
		s.now = s.now.Add(time.Duration(s.rng.Int64N(int64(5 * time.Second))))
		return s.core.Tick(s.now)
	}
	var claims []clientserver.Claim
	var nodes []overlay.Node
	for range s.rng.IntN(6) {
		nodes = append(nodes, s.node())
		claims = append(claims, clientserver.Claim{
			Node: s.node(), Number: uint64(s.rng.IntN(9)), Standing: clientserver.Standing(s.rng.IntN(5)),
		})
	}
	all := s.messages(claims, nodes)
	return s.core.Step(s.now, overlay.Received{From: node, Message: all[s.rng.IntN(len(all))]})
}

// What Append would not encode no core says: not even one to which hearsay that is no
// message of its own names nodes that are none, and to which everybody says what
// cannot have come over a wire.
func TestWhatATopologySaysIsUnderstoodWhateverItIsTold(t *testing.T) {
	for name, want := range map[string]int{"clientserver": 6, "gossip": 6, "static": 4} {
		said := make(map[string]int)
		for seed := range uint64(100) {
			s := newStress(t, name, seed)
			for i := range 301 {
				effects := s.happen
				if i == 300 {
					effects = func() overlay.Effects { return s.core.Step(s.now, overlay.LeaveRequested{}) }
				}
				for _, e := range effects() {
					if send, ok := e.(overlay.Send); ok {
						comesBack(t, send.Message)
						said[fmt.Sprintf("%T", send.Message)]++
					}
				}
			}
		}
		if len(said) != want {
			t.Errorf("%s has only said %v", name, said)
		}
	}
}
