package pcbroadcast

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// sent returns what effects send to node.
func sent(effects Effects, node overlay.Node) (bodies []Body) {
	for _, e := range effects {
		if s, ok := e.(Send); ok && s.To == node {
			bodies = append(bodies, s.Message.Body)
		}
	}
	return bodies
}

func TestAPingOfANewBufferFollowsWhatFilledTheOld(t *testing.T) {
	core, say, b := pairOf(t, Config{MaxBuffer: 1})
	say(Open{Number: 1})
	first := overlay.Node{Name: "Z@z", Boot: 1} // before b in the order of links
	core.Step(start, LinkUp{first})
	core.Step(start, Received{first, Message{2, Hello{Mine: 7, Yours: 2}}})
	core.Step(start, Broadcast[int]{1})
	bodies := sent(core.Step(start, Broadcast[int]{2}), b)
	if len(bodies) != 2 {
		t.Fatalf("sent %v", bodies)
	}
	if _, ok := bodies[0].(Data[int]); !ok {
		t.Errorf("the ping is sent before the message: %v", bodies)
	}
}

func TestAPingIsTakenFromAStreamOnly(t *testing.T) {
	_, say, b := pairOf(t, Config{})
	ping := Ping{From: b, To: overlay.Node{Name: "a@a", Boot: 1}, Number: 9, Hops: 3}
	if bodies := sent(say(ping), b); slices.Contains(bodies, Body(Pong{9})) {
		t.Error("a ping is answered that followed nothing")
	}
	say(Open{Number: 1})
	if bodies := sent(say(ping), b); !slices.Contains(bodies, Body(Pong{9})) {
		t.Error("a ping is not answered")
	}
	say(Shut{})
	if bodies := sent(say(ping), b); slices.Contains(bodies, Body(Pong{9})) {
		t.Error("a ping is answered whose stream has ended")
	}
}

// What is settled by an adoption is in no buffer, so that a buffer from before it
// is no stream any more.
func TestAnAdoptionEmptiesTheBuffersOfOthers(t *testing.T) {
	core, say, _ := pairOf(t, Config{})
	c, d := overlay.Node{Name: "c@c", Boot: 1}, overlay.Node{Name: "d@d", Boot: 1}
	core.Step(start, LinkUp{c})
	core.Step(start, Received{c, Message{2, Hello{Mine: 7, Yours: 2}}})
	core.Step(start, LinkUp{d}) // says no hello
	core.Step(start, Broadcast[int]{1})
	if n := core.Stats().Buffered; n != 3 {
		t.Fatalf("%d buffered", n)
	}
	before := core.link(c).last
	say(Open{Number: 1, Marks: []Mark{{c, 4}}, Adopt: true})
	if n := core.Stats().Buffered; n != 0 || core.link(c).first <= before {
		t.Errorf("%d buffered, pings count from %d", n, core.link(c).first)
	}
}

func TestAShutStreamIsAskedForElsewhere(t *testing.T) {
	core, say, b := pairOf(t, Config{})
	say(Open{Number: 1})
	if bodies := sent(say(Shut{}), b); !slices.Contains(bodies, Body(Adopt{})) || core.Stats().In != 0 {
		t.Errorf("sent %v", bodies)
	}
	c := overlay.Node{Name: "c@c", Boot: 1}
	core.Step(start, LinkUp{c})
	core.Step(start, Received{c, Message{2, Hello{Mine: 7, Yours: 2}}})
	if bodies := sent(core.Tick(start.Add(DefaultTimeout)), c); !slices.Contains(bodies, Body(Adopt{})) {
		t.Errorf("after %v, sent %v", DefaultTimeout, bodies)
	}
	if due := core.Deadline(); due.Sub(start) > 2*DefaultTimeout+time.Second {
		t.Errorf("due after %v", due.Sub(start))
	}
}

// There is little to ask about, and yet the answer says as much as that to a ping: it
// does not come before m has.
func TestALinkIsProvenDirectlyAsLongAsFewHaveBroadcast(t *testing.T) {
	for _, direct := range []int{1, 2} {
		s := newStage(t, Config{Direct: direct})
		s.link("a", "b")
		s.flow()
		s.wait(3 * time.Second)
		s.link("b", "c")
		s.flow()
		for _, who := range []string{"a", "b"} {
			s.step(who, Broadcast[string]{who + "'s"})
		}
		s.flow("b>c") // where they are slow
		s.link("a", "c")
		s.flow("b>c")
		if got, want := strings.Contains(s.out.String(), "ping"), direct < 2; got != want {
			t.Fatalf("with Direct %d, pings are sent: %v:\n%s", direct, got, s.out.String())
		}
		if s.core("a").Safe(node("c")) {
			t.Fatalf("with Direct %d, the link is safe before c has what a has:\n%s", direct, s.out.String())
		}
		s.flow()
		if !s.core("a").Safe(node("c")) {
			t.Fatalf("with Direct %d, the link is not safe in the end:\n%s", direct, s.out.String())
		}
	}
}

// Where nobody has broadcast anything, no ping has to find out who has what: it would go
// everywhere for each link of a cluster that begins.
func TestNoPingIsSentWhileThereIsNothingToHave(t *testing.T) {
	s := newStage(t, Config{Direct: 1})
	s.link("a", "b")
	s.flow()
	s.wait(3 * time.Second)
	s.link("b", "c")
	s.flow()
	s.link("a", "c")
	s.flow("a>c") // where the question is slow
	s.wait(5*time.Second, "a>c")
	if out := s.out.String(); strings.Contains(out, "ping") || strings.Count(out, "a>c ask") < 2 {
		t.Errorf("a ping instead of a question, or none:\n%s", out)
	}
	s.flow()
	if !s.core("a").Safe(node("c")) {
		t.Error("the link does not become safe")
	}
}
