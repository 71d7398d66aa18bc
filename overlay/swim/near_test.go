package swim

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// asked returns whom a core of n members pings in a number of turns, and answers
// each.
func asked(t *testing.T, c *Core, turns int) map[overlay.Node]int {
	t.Helper()
	pings := make(map[overlay.Node]int)
	for sent := 0; sent < turns; {
		now := c.Deadline()
		for _, e := range c.Tick(now) {
			if s, ok := e.(Send); ok {
				if ping, ok := s.Message.Body.(Ping); ok {
					sent++
					pings[s.To]++
					c.Step(now, Received{From: s.To, Message: Message{Body: Ack(ping)}})
				}
			}
		}
		if err := c.valid(); err != nil {
			t.Fatal(err)
		}
	}
	return pings
}

func memberNo(i int) overlay.Node { return overlay.Node{Name: string(rune('A'+i)) + "@x:1", Boot: 1} }

func TestThoseNearAreAskedMoreOftenAndTheOthersStill(t *testing.T) {
	c, err := New(Config{Self: overlay.Node{Name: "self@x:1", Boot: 1}, Rand: rand.New(rand.NewPCG(1, 1)), Stride: 5, Fanout: -1})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Unix(100, 0)
	for i := range 20 {
		c.Step(start, Watch{memberNo(i)})
	}
	c.Step(start, Near{memberNo(3)})
	c.Step(start, Near{memberNo(4)})
	c.Step(start, Near{memberNo(4)})
	c.Step(start, Near{overlay.Node{Name: "stranger@x:1", Boot: 1}})
	pings := asked(t, c, 500)
	far := 0
	for i := range 20 {
		n := pings[memberNo(i)]
		if near := i == 3 || i == 4; near && (n < 150 || n > 260) || !near && (n < 2 || n > 8) {
			t.Errorf("member %d, near %v, was asked %d times", i, near, n)
		}
		if i != 3 && i != 4 {
			far += n
		}
	}
	if far < 80 {
		t.Errorf("those that are not near were asked %d times", far)
	}
	// Whoever is not near any more, or no member, is like the others, or gone.
	c.Step(start.Add(500*DefaultPeriod), Far{memberNo(3)})
	c.Step(start.Add(500*DefaultPeriod), Unwatch{Node: memberNo(4)})
	if len(c.near) != 0 {
		t.Errorf("%d are near", len(c.near))
	}
}
