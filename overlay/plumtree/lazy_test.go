package plumtree

import (
	"strings"
	"testing"
	"time"
)

// The link of b and c is lazy, and both have a's message: each will announce it.
func TestWhoHasAMessageIsNotToldOfIt(t *testing.T) {
	for how, has := range map[string]Message{
		"announces": IHave{[]Announcement{{ID{node("a"), 2}, 2}}},
		"pushes":    Gossip{ID: ID{node("a"), 2}, Round: 2},
	} {
		s := triangle(t)
		s.step("a", Broadcast{[]byte("two")})
		s.deliverAll()
		s.step("c", Received{node("b"), has})
		s.out.Reset()
		s.wait(time.Second, false)
		if out := s.out.String(); strings.Contains(out, "c>b ihave") || !strings.Contains(out, "b>c ihave a2") {
			t.Errorf("b %s it: %s", how, out)
		}
	}
}

func TestAnnouncementsOfManyMessagesShareLists(t *testing.T) {
	s := triangle(t)
	s.out.Reset()
	const messages, pause = 40, 50 * time.Millisecond
	for range messages {
		s.step("a", Broadcast{[]byte("more")})
		s.deliverAll()
		s.wait(pause, true)
	}
	s.wait(time.Second, true)
	out := s.out.String()
	lists := strings.Count(out, "b>c ihave") + strings.Count(out, "c>b ihave")
	// Both may begin in each of the intervals, and do after the first message.
	if most := 2 + 2*int(messages*pause/(3*DefaultLazy)); lists == 0 || lists > most {
		t.Errorf("%d lists instead of at most %d", lists, most)
	}
	if strings.Contains(out, "graft") {
		t.Errorf("something is taken for lost: %s", out)
	}
}
