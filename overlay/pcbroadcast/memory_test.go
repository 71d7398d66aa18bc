package pcbroadcast

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

func TestMetadataOfABroadcastIsOfConstantSize(t *testing.T) {
	sizes := make(map[int]bool)
	for _, nodes := range []int{10, 60, 90} { // names of the same length
		w := newWorld(1, nodes)
		w.tamper = func(_ *world, _ *site, effects Effects) Effects {
			for _, e := range effects {
				if s, ok := e.(Send); ok {
					if data, ok := s.Message.Body.(Data[int]); ok {
						data.Payload = 0
						data.Seq, s.Message.Link = 1, 1
						data.Origin.Name = "n" // as long as it may be, not more
						b, err := json.Marshal(Message{s.Message.Link, data})
						w.fail(err)
						sizes[len(b)] = true
					}
				}
			}
			return effects
		}
		w.grow()
		w.churn(100)
		w.check(t, 1)
	}
	if len(sizes) != 1 {
		t.Errorf("sizes: %v", sizes)
	}
}

// pairOf returns a node with a link to another that has said hello, the number
// that messages over it must bear, and the other.
func pairOf(t *testing.T, cfg Config) (*Core[int], func(Body) Effects, overlay.Node) {
	t.Helper()
	cfg.Self = overlay.Node{Name: "a@a", Boot: 1}
	core, err := New[int](cfg)
	if err != nil {
		t.Fatal(err)
	}
	b := overlay.Node{Name: "b@b", Boot: 1}
	core.Step(start, LinkUp{b})
	say := func(body Body) Effects {
		effects := core.Step(start, Received{b, Message{1, body}})
		if err := core.valid(); err != nil {
			t.Fatal(err)
		}
		return effects
	}
	say(Hello{Mine: 5, Yours: 1})
	return core, say, b
}

func TestBuffersBeginAnewWhenTheyAreFull(t *testing.T) {
	core, say, _ := pairOf(t, Config{MaxBuffer: 10})
	say(Open{Number: 1})
	c := overlay.Node{Name: "c@c", Boot: 1}
	core.Step(start, LinkUp{c})
	core.Step(start, Received{c, Message{2, Hello{Mine: 7, Yours: 2}}})
	pings, most := 0, 0
	for range 1000 {
		for _, e := range core.Step(start, Broadcast[int]{}) {
			if s, ok := e.(Send); ok {
				if _, ok := s.Message.Body.(Ping); ok {
					pings++
				}
			}
		}
		most = max(most, core.Stats().Buffered)
		if err := core.valid(); err != nil {
			t.Fatal(err)
		}
	}
	if most != 10 || pings != 1000/11 {
		t.Errorf("at most %d were buffered, and there were %d pings", most, pings)
	}
}

func TestALinkWhosePongsAreTooLateRests(t *testing.T) {
	core, say, _ := pairOf(t, Config{MaxBuffer: 1})
	say(Open{Number: 1})
	c := overlay.Node{Name: "c@c", Boot: 1}
	core.Step(start, LinkUp{c})
	core.Step(start, Received{c, Message{2, Hello{Mine: 7, Yours: 2}}})
	number := core.link(c).last
	core.Step(start, Broadcast[int]{})
	core.Step(start, Broadcast[int]{})
	core.Step(start, Received{c, Message{2, Pong{number}}})
	if core.Safe(c) {
		t.Fatal("a ping that was sent before the buffer has opened the link")
	}
	now, rested := start, false
	for range DefaultRounds {
		now = core.Deadline()
		for _, e := range core.Tick(now) {
			if u, ok := e.(Unsafe); ok && u.Reason == ErrSlow {
				rested = true
			}
		}
	}
	if !rested || core.Safe(c) || core.link(c).out != resting {
		t.Fatalf("rested: %v", rested)
	}
	for core.link(c).out == resting {
		now = core.Deadline()
		core.Tick(now)
	}
	if now.Sub(start) < DefaultRest || core.link(c).out != trying {
		t.Errorf("tried again after %v", now.Sub(start))
	}
}

func TestOriginsAreForgottenOnlyWhenLongSilent(t *testing.T) {
	core, say, _ := pairOf(t, Config{MaxOrigins: 10, Forget: time.Hour})
	say(Open{Number: 1})
	full := false
	for i := range 20 {
		for _, e := range say(Data[int]{overlay.Node{Name: fmt.Sprintf("o%d@o", i), Boot: 1}, 1, i}) {
			if _, ok := e.(Full); ok {
				full = true
			}
			if _, ok := e.(Deliver[int]); ok && full {
				t.Fatal("something is delivered when there is no room")
			}
		}
	}
	if n := core.Stats().Origins; !full || n != 9 {
		t.Fatalf("full: %v, %d origins", full, n)
	}
	if core.Stats().In != 0 {
		t.Fatal("a stream that was refused is open")
	}
	for core.Stats().Origins > 0 {
		if now := core.Deadline(); now.Sub(start) > time.Hour {
			t.Fatalf("after %v there are %d origins", now.Sub(start), core.Stats().Origins)
		} else {
			core.Tick(now)
		}
		if err := core.valid(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestManyIncarnationsOfOneNameTakeOnePlace(t *testing.T) {
	core, say, _ := pairOf(t, Config{})
	say(Open{Number: 1})
	for boot := range uint64(100) {
		for seq := range uint64(3) {
			say(Data[int]{overlay.Node{Name: "o@o", Boot: boot + 1}, seq + 1, 0})
		}
	}
	if n := core.Stats().Origins; n != 1 {
		t.Errorf("%d origins", n)
	}
	if effects := say(Data[int]{overlay.Node{Name: "o@o", Boot: 99}, 4, 0}); len(effects) > 0 {
		t.Errorf("an earlier incarnation is heard: %v", effects)
	}
}

func TestPingsOfManyNodesTakeNoMoreThanTheirLimit(t *testing.T) {
	core, say, b := pairOf(t, Config{MaxPings: 10})
	say(Open{Number: 1})
	for i := range 1000 {
		say(Ping{overlay.Node{Name: fmt.Sprintf("p%d@p", i), Boot: 1}, b, 1, 4})
	}
	if n := len(core.passed.order); n != 10 {
		t.Errorf("%d are remembered", n)
	}
}
