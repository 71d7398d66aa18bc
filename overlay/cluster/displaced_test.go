package cluster

import (
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/swim"
)

// A node that others take for gone goes on until its driver ends it. All others may die
// meanwhile, of which it has then nothing to wait for.
func TestDisplacedNodeStandsTheDeathOfAllOthers(t *testing.T) {
	for name, displace := range map[string]directory.Fact{
		"it has left":      {Node: overlay.Node{Name: "n@n", Boot: 1}, Status: directory.Left},
		"it has restarted": {Node: overlay.Node{Name: "n@n", Boot: 2}, Status: directory.Crashed},
	} {
		t.Run(name, func(t *testing.T) {
			c, w := soloist(t, 3)
			ups := make(map[overlay.Node]bool)
			for i := range 3 {
				ups[memberNo(i)] = true
			}
			note := func(effects overlay.Effects) {
				for _, e := range effects {
					switch e := e.(type) {
					case overlay.Up:
						if ups[e.Node] || e.Node == c.cfg.Self {
							t.Errorf("%v is up again", e.Node)
						}
						ups[e.Node] = true
					case overlay.Down:
						if e.Member && !ups[e.Node] {
							t.Errorf("%v is down, but was not up", e.Node)
						}
						delete(ups, e.Node)
					}
				}
			}
			note(c.Step(w.now, overlay.Received{From: memberNo(0), Message: directory.Tell{Facts: []directory.Fact{displace}}}))
			if c.dir.Member(c.cfg.Self) || c.others() != 3 {
				t.Fatalf("a member: %v, beside %d", c.dir.Member(c.cfg.Self), c.others())
			}
			for i := range 3 {
				c.fromDetector(swim.Effects{swim.Failed{Node: memberNo(i), Reason: overlay.ErrSilent, Source: i%2 == 0}})
				note(c.take())
				w.now = w.now.Add(time.Second)
				note(c.Tick(w.now))
			}
			if c.others() != 0 || len(ups) > 0 || c.hush() != 0 {
				t.Errorf("%d others, %v are up; it waits for %v", c.others(), ups, c.hush())
			}
		})
	}
}
