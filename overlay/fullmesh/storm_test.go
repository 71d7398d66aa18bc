package fullmesh

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// A switch takes 100 peers away for a while. They are dialled again and again
// meanwhile, and when they are back, but never all at once.
func TestHundredPeersThatReturnAtOnceAreNotDialledAtOnce(t *testing.T) {
	const peers, outage = 100, 30 * time.Second
	core, err := New(Config{Self: overlay.Node{Name: "self@s:1", Boot: 1, Unique: "u"}, Rand: rand.New(rand.NewPCG(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Unix(0, 0)
	now := begin
	for i := range peers {
		core.Step(now, overlay.LinkUp{Node: overlay.Node{Name: fmt.Sprintf("n%d@n:%d", i, i+1), Boot: 1, Unique: "u"}})
	}
	var dialling []overlay.Node
	dials := make(map[int]int) // by tenth of a second since the beginning
	note := func(effects overlay.Effects) {
		for _, e := range effects {
			if d, ok := e.(overlay.Dial); ok {
				dialling = append(dialling, d.Node)
				dials[int(now.Sub(begin)/(100*time.Millisecond))]++
			}
		}
	}
	for _, m := range core.Members() {
		note(core.Step(now, overlay.LinkDown{Node: m.Node, Err: errors.New("reset")}))
	}
	linked := 0
	for linked < peers {
		// Attempts that are under way end: in vain at first.
		ended := dialling
		dialling = nil
		for _, node := range ended {
			if now.Sub(begin) < outage {
				note(core.Step(now, overlay.DialFailed{Node: node, Err: errors.New("no route")}))
			} else {
				note(core.Step(now, overlay.LinkUp{Node: node}))
				linked++
			}
		}
		now = now.Add(10 * time.Millisecond)
		note(core.Tick(now))
		if now.Sub(begin) > outage+time.Minute {
			t.Fatalf("only %d of %d are back after %v", linked, peers, now.Sub(begin))
		}
	}
	if back := now.Sub(begin) - outage; back > 6*time.Second {
		t.Errorf("it took %v after the outage", back)
	}
	// Long after the beginning the attempts are spread over the wait between
	// them: with 5 s at most, about 3 in a tenth of a second.
	for tenth, n := range dials {
		if tenth > 100 && n > 15 {
			t.Errorf("%d attempts within 100 ms, %v after the beginning", n, time.Duration(tenth)*100*time.Millisecond)
		}
	}
}
