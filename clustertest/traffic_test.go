package clustertest

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
)

// stage is a traffic without nodes: a test sends, and sees what is delivered.
type stage struct {
	*testing.T
	*Cluster

	mu  sync.Mutex
	got []string
}

// rehearse runs f in a bubble with a stage.
func rehearse(t *testing.T, f func(s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newStage(t, t)) })
}

// newStage returns a stage whose traffic fails tb.
func newStage(t *testing.T, tb testing.TB) *stage {
	c := &Cluster{
		t: tb, bubble: true, opts: options{seed: 1}, schedule: newSchedule(1), rand: rand.New(rand.NewPCG(1, 1)),
	}
	c.traffic = newTraffic(c)
	t.Cleanup(c.traffic.close)
	return &stage{T: t, Cluster: c}
}

func nodeID(i int) actor.NodeID { return actor.NodeID{Name: fmt.Sprintf("n%d@n%d:1", i, i)} }

func pidAt(i int, id uint64) actor.PID { return actor.MakePID(unique.Make(nodeID(i)), id) }

// message returns text on its way from process 1 of a node to process 1 of
// another.
func (s *stage) message(from, to int, text string) *Message {
	m := &Message{
		From: from, To: to, Channel: "default", Kind: actor.SignalMessage,
		Sender: pidAt(from, 1), Receiver: pidAt(to, 1), Payload: text,
	}
	m.line = line{from: nodeID(from), to: nodeID(to), sender: m.Sender, receiver: m.Receiver, channel: m.Channel}
	m.deliver = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = append(s.got, text)
	}
	return m
}

func (s *stage) send(from, to int, texts ...string) {
	for _, text := range texts {
		s.traffic.arrive(s.message(from, to, text))
	}
}

// expect checks all that has been delivered so far.
func (s *stage) expect(want string) {
	s.T.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := strings.Join(s.got, " "); got != want {
		s.T.Fatalf("delivered %q, want %q", got, want)
	}
}

// is matches messages with one of those texts.
func is(texts ...string) Match {
	return Payload(func(p any) bool { return slices.Contains(texts, p.(string)) })
}

func TestWithoutRulesEverythingPassesAtOnce(t *testing.T) {
	rehearse(t, func(s *stage) {
		s.send(0, 1, "a", "b")
		s.expect("a b")
	})
}

func TestHeldMessagesWaitUntilTheyAreDelivered(t *testing.T) {
	rehearse(t, func(s *stage) {
		held := s.Hold(From(0), To(1))
		s.send(0, 1, "a", "b")
		s.send(0, 2, "c")
		s.send(2, 1, "d")
		s.expect("c d")
		list := held.List()
		if len(list) != 2 || list[0].Payload != "a" || list[1].Payload != "b" {
			t.Fatalf("held are %v", list)
		}
		list[0].Deliver()
		s.expect("c d a")
		s.send(0, 1, "e")
		held.Deliver()
		s.expect("c d a b e")
		s.send(0, 1, "f")
		held.Release()
		s.send(0, 1, "g")
		s.expect("c d a b e f g")
		if held.Len() != 0 || held.Count() != 4 {
			t.Errorf("%d are held of %d", held.Len(), held.Count())
		}
	})
}

func TestLaterMessagesOfTheSameLineWaitBehindHeldOnes(t *testing.T) {
	rehearse(t, func(s *stage) {
		held := s.Hold(is("a"))
		s.send(0, 1, "a", "b", "c")
		other := s.message(0, 1, "other key")
		other.line.key = "k"
		s.traffic.arrive(other)
		s.expect("other key")
		held.Deliver()
		s.expect("other key a b c")
	})
}

func TestDroppedMessageLetsThoseBehindItGo(t *testing.T) {
	rehearse(t, func(s *stage) {
		held := s.Hold(is("a", "c"))
		s.send(0, 1, "a", "b", "c", "d")
		held.Await(is("c")).Drop()
		s.expect("")
		held.Drop()
		s.expect("b d")
	})
}

func TestHeldMessageIsDuplicatedInItsPlace(t *testing.T) {
	rehearse(t, func(s *stage) {
		held := s.Hold(is("a"))
		s.send(0, 1, "a", "b")
		m := held.Await()
		m.Duplicate()
		m.Duplicate()
		s.expect("a a")
		m.Deliver()
		s.expect("a a a b")
	})
}

func TestOvertakingIsPossibleIfAskedFor(t *testing.T) {
	rehearse(t, func(s *stage) {
		held := s.Hold(is("a", "b", "c"))
		s.send(0, 1, "a", "b", "x")
		held.Overtake() // also for those that are held already
		s.expect("x")
		s.send(0, 1, "c", "y")
		s.expect("x y")
		list := held.List()
		list[2].Deliver()
		list[1].Duplicate()
		list[0].Deliver()
		list[1].Deliver()
		s.expect("x y c b a b")
	})
}

func TestShuffleKeepsTheOrderOfEachLine(t *testing.T) {
	orders := make(map[string]bool)
	for seed := range uint64(20) {
		rehearse(t, func(s *stage) {
			s.rand = rand.New(rand.NewPCG(seed, 1))
			held := s.Hold()
			s.send(0, 2, "a1", "a2", "a3")
			s.send(1, 2, "b1", "b2", "b3")
			held.Shuffle()
			synctest.Wait()
			for _, sender := range []string{"a", "b"} {
				own := slices.DeleteFunc(slices.Clone(s.got), func(text string) bool { return text[:1] != sender })
				if !slices.IsSorted(own) || len(own) != 3 {
					t.Errorf("seed %d: %v", seed, s.got)
				}
			}
			orders[strings.Join(s.got, " ")] = true
		})
	}
	if len(orders) < 5 {
		t.Errorf("only these orders: %v", orders)
	}
}

func TestDelayedMessagesComeLaterAndInOrder(t *testing.T) {
	rehearse(t, func(s *stage) {
		rule := s.Delay(time.Second, is("a"))
		s.send(0, 1, "a", "b")
		s.send(2, 1, "c")
		time.Sleep(999 * time.Millisecond)
		s.expect("c")
		time.Sleep(time.Millisecond)
		s.expect("c a b")
		rule.Overtake()
		s.send(0, 1, "a", "d")
		s.expect("c a b d")
		rule.Stop() // it goes on delaying what it has begun to
		s.send(0, 1, "e")
		time.Sleep(time.Second)
		s.expect("c a b d e a")
		if n := rule.Count(); n != 2 {
			t.Errorf("%d were delayed", n)
		}
	})
}

func TestRulesDropAndDuplicateWhatTheyMatch(t *testing.T) {
	rehearse(t, func(s *stage) {
		drop := s.Drop(is("a"))
		s.Duplicate(2, PayloadOf[string](), From(0)) // the older rule decides
		s.send(0, 1, "a", "b")
		s.send(1, 0, "c")
		s.expect("b b b c")
		drop.Stop()
		drop.Stop() // once is enough
		s.send(0, 1, "a")
		s.expect("b b b c a a a")
		if drop.Count() != 1 {
			t.Errorf("%d were dropped", drop.Count())
		}
	})
}

func TestChanceMatchesAboutAsOftenAsItSays(t *testing.T) {
	rehearse(t, func(s *stage) {
		rule := s.Drop(s.Chance(0.25))
		for range 1000 {
			s.send(0, 1, "x")
		}
		if n := rule.Count(); n < 200 || n > 300 {
			t.Errorf("%d of 1000", n)
		}
	})
}

func TestEachMatchLooksAtWhatItSays(t *testing.T) {
	rehearse(t, func(s *stage) {
		m := s.message(0, 1, "x")
		named := &Message{Name: "bob", Channel: "rpc", Kind: actor.SignalCall, line: line{to: nodeID(1), name: "bob"}}
		for what, c := range map[string]struct {
			match Match
			m     *Message
			want  bool
		}{
			"from":             {From(0), m, true},
			"from another":     {From(1), m, false},
			"to":               {To(1), m, true},
			"to another":       {To(0), m, false},
			"channel":          {OnChannel("default"), m, true},
			"another channel":  {OnChannel("rpc"), m, false},
			"kind":             {OfKind(actor.SignalCall, actor.SignalMessage), m, true},
			"another kind":     {OfKind(actor.SignalExit), m, false},
			"sender":           {Sender(pidAt(0, 1)), m, true},
			"another sender":   {Sender(pidAt(0, 2)), m, false},
			"receiver":         {Receiver(pidAt(1, 1)), m, true},
			"another receiver": {Receiver(pidAt(1, 2)), m, false},
			"name":             {Receiver(actor.Name("bob")), named, true},
			"no name":          {Receiver(actor.Name("bob")), m, false},
			"name at":          {Receiver(actor.NameAt{Name: "bob", Node: nodeID(1).Name}), named, true},
			"name elsewhere":   {Receiver(actor.NameAt{Name: "bob", Node: nodeID(0).Name}), named, false},
			"payload":          {Payload(func(any) bool { return true }), m, true},
			"no payload":       {Payload(func(any) bool { return true }), named, false},
			"payload of":       {PayloadOf[string](), m, true},
			"payload of other": {PayloadOf[int](), m, false},
		} {
			if got := c.match(c.m); got != c.want {
				t.Errorf("%s: %v", what, got)
			}
		}
	})
}

func TestPausedDeliveryHoldsEverythingUntilResumed(t *testing.T) {
	rehearse(t, func(s *stage) {
		held := s.PauseDelivery()
		s.send(0, 1, "a")
		s.send(1, 2, "b")
		s.send(0, 1, "c")
		s.expect("")
		held.Await(is("b")).Deliver()
		s.expect("b")
		s.ResumeDelivery()
		s.send(0, 1, "d")
		s.expect("b a c d")
	})
}

func TestMessagesForANodeThatHasEndedAreForgotten(t *testing.T) {
	rehearse(t, func(s *stage) {
		held := s.Hold(is("a", "c"))
		s.Delay(time.Second, is("d"))
		s.send(0, 1, "a", "b")
		s.send(0, 2, "c")
		s.send(2, 1, "d")
		s.traffic.forget(nodeID(1))
		held.Release()
		time.Sleep(time.Minute)
		s.send(0, 1, "e")
		s.expect("c e")
	})
}

// What arrives while others are being delivered waits for its turn.
func TestOrderIsKeptWhileSeveralDeliver(t *testing.T) {
	for range 20 {
		rehearse(t, func(s *stage) {
			held := s.Hold(is("0", "10", "20", "30"))
			var want []string
			for i := range 40 {
				want = append(want, fmt.Sprint(i))
			}
			go func() {
				for _, text := range want {
					m := s.message(0, 1, text)
					deliver := m.deliver
					m.deliver = func() {
						time.Sleep(time.Duration(len(text)) * time.Millisecond)
						deliver()
					}
					s.traffic.arrive(m)
					time.Sleep(time.Millisecond)
				}
			}()
			for range 20 {
				time.Sleep(5 * time.Millisecond)
				held.Deliver()
			}
			time.Sleep(time.Second)
			held.Release()
			s.expect(strings.Join(want, " "))
		})
	}
}

// failing is a test that notes how it fails.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Helper() {}
func (f *failing) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestMistakesWithMessagesFailTheTest(t *testing.T) {
	for what, c := range map[string]struct {
		do   func(s *stage, held *Held)
		want string
	}{
		"overtaking": {func(s *stage, held *Held) { held.List()[1].Deliver() },
			"deliver #2 n0 to n1: message \"b\": it would overtake #1 n0 to n1: message \"a\""},
		"overtaking by a copy": {func(s *stage, held *Held) { held.List()[1].Duplicate() }, "would overtake #1"},
		"delivering twice": {func(s *stage, held *Held) {
			m := held.List()[0]
			m.Deliver()
			m.Deliver()
		}, "deliver #1 n0 to n1: message \"a\": it is not held any more"},
		"dropping what was delivered": {func(s *stage, held *Held) {
			m := held.List()[0]
			m.Deliver()
			m.Drop()
		}, "not held any more"},
		"waiting for what does not come": {func(s *stage, held *Held) { held.Await(is("z")) },
			"no such message was held within 1m0s"},
		"a delay into the past": {func(s *stage, held *Held) { s.Delay(-1) }, "delay of -1ns"},
		"no duplicate":          {func(s *stage, held *Held) { s.Duplicate(0) }, "0 duplicates"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &failing{TB: t}
			s := newStage(t, f)
			held := s.Hold()
			s.send(0, 1, "a", "b")
			done := make(chan struct{})
			go func() {
				defer close(done)
				c.do(s, held)
			}()
			<-done
			if !strings.Contains(f.text, c.want) {
				t.Errorf("%s: it fails with %q", what, f.text)
			}
			s.send(0, 1, "c") // nothing is locked
		})
	}
}
