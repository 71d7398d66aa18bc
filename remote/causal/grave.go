package causal

import (
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
)

// maxGraves bounds the dead that are remembered outside of the view, so that
// what others still say of them brings them back nowhere.
const maxGraves = 256

// grave is what is remembered of a dead node that is not a member.
type grave struct {
	node  actor.NodeID
	at    time.Time // when it was found dead, for good if final
	final bool
}

// old reports whether nobody waits any more for anything that the dead has sent,
// nor will.
func (d *grave) old(now time.Time, cfg *Config) bool {
	keep := cfg.Forget
	if d.final {
		keep = cfg.linger()
	}
	return !d.at.Add(keep).After(now)
}

// graves remembers the last of the dead, in order of their burial.
type graves struct {
	byNode map[actor.NodeID]*grave
	order  []*grave
}

func (g *graves) dig(node actor.NodeID, final bool, at time.Time) {
	if d := g.byNode[node]; d != nil {
		if final && !d.final {
			d.final, d.at = true, at
		}
		return
	}
	if len(g.order) >= maxGraves {
		g.remove(g.order[0].node)
	}
	d := &grave{node: node, final: final, at: at}
	g.byNode[node] = d
	g.order = append(g.order, d)
}

// exhume takes back the obituary of node, if it had one and can come back.
func (g *graves) exhume(cfg *Config, now time.Time, node actor.NodeID) error {
	d := g.byNode[node]
	if d == nil {
		return nil
	}
	if d.final || d.old(now, cfg) {
		return ErrBuried
	}
	g.remove(node)
	return nil
}

func (g *graves) remove(node actor.NodeID) {
	g.order = slices.DeleteFunc(g.order, func(d *grave) bool { return d.node == node })
	delete(g.byNode, node)
}
