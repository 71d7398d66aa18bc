package remote_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	gogotypes "github.com/gogo/protobuf/types"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// crowd are processes that note what they get, as "kind sender number".
type crowd struct {
	mu   sync.Mutex
	got  map[int]map[string][]int // by receiver and by "kind sender"
	lost []any
}

func (c *crowd) member(i int) actor.Actor {
	return actor.Func(func(_ *actor.Self, msg any) error {
		var text string
		switch m := msg.(type) {
		case []byte:
			text = string(m)
		case string:
			text = m
		case *gogotypes.StringValue:
			text = m.Value
		}
		var kind, from, to, n int
		_, err := fmt.Sscanf(text, "%d %d %d %d", &kind, &from, &to, &n)
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil || to != i || kind != kindOf(msg) {
			c.lost = append(c.lost, msg)
			return nil
		}
		if c.got[to] == nil {
			c.got[to] = make(map[string][]int)
		}
		who := fmt.Sprint(kind, from)
		c.got[to][who] = append(c.got[to][who], n)
		return nil
	})
}

func kindOf(msg any) int {
	switch msg.(type) {
	case []byte:
		return 0
	case string:
		return 1
	}
	return 2
}

// Far more pairs of processes than a lane remembers, three types, payloads of
// all sizes, lanes that come, go and break: each message is from whom it is, for
// whom it is, what it is, and in its place.
func TestRepeatedMessagesAreNotMistakenForOthers(t *testing.T) {
	for seed := range uint64(6) {
		bubble(t, func(t *testing.T, w *world) { nothingIsMistaken(t, w, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func nothingIsMistaken(t *testing.T, w *world, rng *rand.Rand) {
	const people, messages = 14, 6000
	wide := remote.Channel{Name: remote.DefaultChannel, MaxLanes: 4, GrowBytes: 32 << 10, Idle: 3 * time.Second}
	b, a := w.pairOn(wide)
	w.net.SetLatency(2 * time.Millisecond)
	c := &crowd{got: make(map[int]map[string][]int)}
	var from, to []actor.PID
	for i := range people {
		from = append(from, a.spawn(t, actor.Func(func(self *actor.Self, f any) error { f.(func(*actor.Self))(self); return nil })))
		to = append(to, b.spawn(t, c.member(i)))
	}
	sent := make(map[string]int)
	for i := range messages {
		kind, f, r := rng.IntN(3), rng.IntN(people), rng.IntN(people)
		pair := fmt.Sprint(kind, " ", f, " ", r)
		text := fmt.Sprintf("%s %d ", pair, sent[pair])
		if rng.IntN(50) == 0 {
			text += string(make([]byte, 5_000+rng.IntN(200_000)))
		}
		sent[pair]++
		msg := []any{[]byte(text), text, &gogotypes.StringValue{Value: text}}[kind]
		a.do(t, from[f], func(self *actor.Self) {
			if err := self.Send(to[r], msg); err != nil {
				t.Error(err)
			}
		})
		switch {
		case i%400 == 399:
			w.net.Cut("a", "b")
		case i%1500 == 1499:
			w.pass(20 * time.Second)
		case rng.IntN(20) == 0:
			w.pass(time.Duration(rng.IntN(10)) * time.Millisecond)
		}
	}
	w.pass(time.Minute)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.lost) > 0 {
		t.Fatalf("%d messages are not what they were: %.200v", len(c.lost), c.lost[0])
	}
	for pair, n := range sent {
		var kind, f, r int
		if _, err := fmt.Sscanf(pair, "%d %d %d", &kind, &f, &r); err != nil {
			t.Fatal(err)
		}
		got := c.got[r][fmt.Sprint(kind, f)]
		for i, m := range got {
			if i != m {
				t.Fatalf("%s: %d in the place of %d: %v, %d sent", pair, m, i, got, n)
			}
		}
		if len(got) != n {
			t.Errorf("%s: %d of %d arrived", pair, len(got), n)
		}
	}
}
