package hyparview

import (
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// asksUntil has everybody who is dialled link itself and refuse, or not be there, until
// after, and returns how many were dialled.
func (s *solo) asksUntil(after time.Duration, there bool) (dials int) {
	for end := epoch.Add(after); ; {
		for n := 0; n < len(s.c.peers); n++ {
			p := s.c.peers[n]
			if p.linked {
				continue
			}
			dials++
			if !there {
				s.step(overlay.DialFailed{Node: p.node})
			} else {
				s.step(overlay.LinkUp{Node: p.node})
				s.step(overlay.Received{From: p.node, Message: NeighborReply{Of: p.mine}})
			}
			n = -1 // the list is another one
		}
		if next := s.c.Deadline(); next.After(end) {
			return dials
		} else if s.now = next; true {
			s.show(s.c.Tick(s.now))
		}
	}
}

func TestRefusalsAreEnoughAfterAFewButFailuresAreNot(t *testing.T) {
	for _, test := range []struct {
		neighbors   int
		there       bool
		least, most int
	}{
		{1, true, 3, 7}, // up to four are asked at the same time
		{4, true, 3, 3}, // one at a time
		{0, true, 30, 30},
		{4, false, 30, 30},
	} {
		s := newSolo(t, quiet("s1"))
		s.befriend(nodes("a", test.neighbors)...)
		for _, n := range nodes("p", 30) {
			s.c.learn(n, nil)
		}
		s.step(overlay.ProbeFailed{Addr: "nobody"}) // anything
		if dials := s.asksUntil(0, test.there); dials < test.least || dials > test.most {
			t.Errorf("with %d neighbors, and candidates there: %v, %d were dialled", test.neighbors, test.there, dials)
		}
	}
}

// Who lacks one neighbor asks as few each time, and who lacks more asks more and more.
func TestSearchGrowsOnlyWhileMoreThanOneNeighborIsLacking(t *testing.T) {
	for _, test := range []struct{ neighbors, least, most int }{
		{4, 6, 12}, // three in each of at most four rounds, of which the first has been
		{3, 12, 60},
	} {
		s := newSolo(t, quiet("s1"))
		s.befriend(nodes("a", test.neighbors)...)
		for _, n := range nodes("p", 30) {
			s.c.learn(n, nil)
		}
		s.step(overlay.ProbeFailed{Addr: "nobody"}) // anything
		s.asksUntil(0, true)
		if again := s.asksUntil(7*DefaultRetry, true); again < test.least || again > test.most {
			t.Errorf("with %d neighbors, then %d were dialled", test.neighbors, again)
		}
	}
}
