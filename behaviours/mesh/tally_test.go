package mesh

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/groups"
)

// given are Groups whose members a test gives.
type given struct {
	Groups
	members map[string][]groups.Member
}

func (g given) Members(group string) []groups.Member { return g.members[group] }

func TestSeatsOfInstancesThatComeAndGoAreUsedAgain(t *testing.T) {
	g := given{members: make(map[string][]groups.Member)}
	m := &Mesh{epoch: time.Now(), cfg: Config{Groups: g, Logger: slog.New(slog.DiscardHandler)}}
	p := newPool(m, "x")
	list := crew(50)
	for round := range 100 {
		var members []groups.Member
		for i, in := range list {
			if i%5 == round%5 {
				continue // it has gone, and comes back in the next round
			}
			d := Definition{Name: "x", Metadata: map[string]string{"version of the definition": fmt.Sprint(round / 2)}}
			metadata, err := d.metadata()
			if err != nil {
				t.Fatal(err)
			}
			members = append(members, groups.Member{PID: in.pid, Metadata: metadata})
		}
		g.members[groupOf("x")] = members
		p.reconcile()
		held := make(map[seat]actor.PID)
		for _, in := range p.instances {
			if other, taken := held[in.seat]; taken {
				t.Fatalf("%v and %v have one seat", other, in.pid)
			}
			held[in.seat] = in.pid
		}
		if len(held) != 40 {
			t.Fatalf("%d instances, want 40", len(held))
		}
	}
	if n := len(p.tally.blocks); n != 1 {
		t.Errorf("%d blocks of seats for 50 instances", n)
	}
}

func TestSeatsAreTakenOverAndNoneIsSharedByTwo(t *testing.T) {
	var seats tally
	held := make(map[seat]bool)
	take := func() seat {
		s := seats.take()
		if held[s] {
			t.Fatal("a seat was given to two")
		}
		held[s] = true
		return s
	}
	var mine []seat
	for range 150 {
		mine = append(mine, take())
	}
	for range 1000 {
		last := mine[len(mine)-1]
		delete(held, last)
		seats.give(last)
		if s := take(); s != last {
			t.Fatal("a free seat was not taken again")
		}
	}
	if len(seats.blocks) != 3 {
		t.Errorf("%d blocks for 150 seats", len(seats.blocks))
	}
}

// Calls that go on at an instance that serves no more do not keep others from who
// comes after it.
func TestSeatIsNotTakenOverWithCallsWhileThereAreOthers(t *testing.T) {
	var seats tally
	busy, idle := seats.take(), seats.take()
	busy.count().Add(3)
	seats.give(idle)
	seats.give(busy)
	if seats.take() != idle {
		t.Error("the idle seat was not taken")
	}
	for range len(block{}) - 2 {
		if seats.take() == busy {
			t.Fatal("the busy one was taken while there were others")
		}
	}
	if seats.take() != busy || len(seats.blocks) != 1 {
		t.Error("the busy one was never taken")
	}
}
