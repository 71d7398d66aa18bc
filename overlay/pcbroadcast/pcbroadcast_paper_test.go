package pcbroadcast

import (
	"testing"
	"time"
)

// What the paper claims, in its order. The section names are those of its sources,
// "Causal broadcast": "FIFO-based causal broadcast", which is flooding, and what
// it adds for dynamic networks, and "Complexity".

// line returns a stage where a and b, and b and c, are linked and safe.
func line(t *testing.T) *stage {
	t.Helper()
	s := newStage(t, Config{})
	s.link("a", "b")
	s.flow()
	s.wait(3 * time.Second)
	s.link("b", "c")
	s.flow()
	return s
}

// Theorem "FBC-broadcast in static networks is causal".
func TestPaperFloodingOverFIFOLinksOfAStaticNetworkIsCausal(t *testing.T) {
	simulate(t, 50, func(t *testing.T, seed uint64) {
		w := newWorld(seed, 8)
		w.grow()
		for range 8 {
			w.link(w.rng.IntN(8), w.rng.IntN(8))
		}
		w.run(20 * time.Second)
		var messages []int
		for range 40 {
			messages = append(messages, w.broadcast(w.rng.IntN(8)))
			w.run(w.pause(30 * time.Millisecond))
		}
		w.run(5 * time.Second)
		w.all(messages...)
		w.check(t, seed)
	})
}

// Theorem "FBC-broadcast in dynamic networks subject to link removals is causal",
// also if that partitions the network.
func TestPaperRemovingLinksNeverBreaksOrder(t *testing.T) {
	simulate(t, 50, func(t *testing.T, seed uint64) {
		w := newWorld(seed, 8)
		w.grow()
		for range 12 {
			w.link(w.rng.IntN(8), w.rng.IntN(8))
		}
		w.run(20 * time.Second)
		for range 60 {
			w.broadcast(w.rng.IntN(8))
			if w.rng.IntN(6) == 0 {
				w.unlink(w.rng.IntN(8), w.rng.IntN(8))
			}
			w.run(w.pause(30 * time.Millisecond))
		}
		w.check(t, seed)
	})
}

// Theorem "FBC-broadcast in dynamic networks subject to link additions is not
// causal", and its figure: p1 is a, p2 is b, p3 is c. Here b has broadcast m: two of
// one node can get lost, but its numbers keep them in order.
func TestPaperAddingALinkWithoutPingBreaksOrder(t *testing.T) {
	s := line(t)
	s.step("b", Broadcast[string]{"m"})
	s.flow("b>c")
	s.link("a", "c")
	s.flow("a>b", "b>c")
	a := s.core("a").link(node("c"))
	s.step("a", Received{node("c"), Message{a.mine, Pong{a.last}}}) // nobody has sent it
	s.step("a", Broadcast[string]{"m'"})
	s.flow("a>b", "b>c")
	s.flow()
	s.delivered("c", "m'", "m")
}

// Figure "FBC-broadcast+ in dynamic networks. m' cannot precede m".
func TestPaperAPingBehindTheMessageMakesTheLinkSafe(t *testing.T) {
	s := line(t)
	s.step("a", Broadcast[string]{"m"})
	s.link("a", "c")
	s.flow("a>b", "b>c")
	if s.core("a").Safe(node("c")) {
		t.Fatal("the link is safe before the ping was answered")
	}
	s.flow()
	if !s.core("a").Safe(node("c")) {
		t.Fatal("the link is not safe after the ping was answered")
	}
	s.step("a", Broadcast[string]{"m'"})
	s.flow("a>b")
	s.delivered("c", "m", "m'")
}

// Figure "Role of the buffer in FBC-broadcast+": m' is kept from the ping to the
// pong, and is slow by way of b; m” is broadcast after the pong.
func TestPaperTheBufferGoesBeforeWhatFollowsThePong(t *testing.T) {
	s := line(t)
	s.link("a", "c")
	s.flow("a>b")
	var ping int // all that is on its way
	for n := range s.letters {
		ping = n
	}
	s.step("a", Broadcast[string]{"m'"})
	s.arrive(ping)
	s.flow("a>b")
	if !s.core("a").Safe(node("c")) {
		t.Fatalf("not safe:\n%s", s.out.String())
	}
	s.step("a", Broadcast[string]{"m''"})
	s.flow("a>b")
	s.delivered("c", "m'", "m''")
	s.flow()
	s.delivered("c", "m'", "m''")
}

// "Above a threshold we clear the buffer and send another locked message."
// (Complexity, "Causal ordering".)
func TestPaperAFullBufferNeedsAnotherPing(t *testing.T) {
	s := line(t)
	s.core("a").cfg.MaxBuffer = 1
	s.link("a", "c")
	s.flow("a>b")
	first := s.core("a").link(node("c")).last
	for range 2 {
		s.step("a", Broadcast[string]{"m"})
	}
	if l := s.core("a").link(node("c")); len(l.buffer) != 0 || l.first <= first || l.last < l.first {
		t.Fatalf("buffered %d, pings from %d to %d", len(l.buffer), l.first, l.last)
	}
	s.flow()
	if !s.core("a").Safe(node("c")) {
		t.Fatal("the second ping was not answered")
	}
}

// Not in the paper: d joins b when b has m and c does not yet. Were its first link
// safe without more, it would have m from c after n.
func TestPaperIsNotEnoughForANodeThatJoins(t *testing.T) {
	for _, strip := range []bool{false, true} {
		s := line(t)
		s.step("a", Broadcast[string]{"m"})
		s.flow("b>c") // where m is slow
		s.link("b", "d")
		for range 20 {
			if strip {
				for n, l := range s.letters {
					if open, ok := l.message.Body.(Open); ok && l.to == "d" {
						open.Marks = nil
						l.message.Body = open
						s.letters[n] = l
					}
				}
			}
			least := 0
			for n, l := range s.letters {
				if l.from+l.to != "bc" && (least == 0 || n < least) {
					least = n
				}
			}
			if least > 0 {
				s.arrive(least)
			}
		}
		s.step("b", Broadcast[string]{"n"}) // m happened before n
		s.flow("b>c")
		s.link("c", "d") // c does not have m, and pings d by way of b
		s.flow("b>c")
		s.flow()
		if strip {
			s.delivered("d", "n", "m")
		} else {
			s.delivered("d", "n")
			s.delivered("c", "m", "n")
		}
	}
}
