package replica

import (
	"maps"
	"slices"

	"github.com/topos-go/topos/crdtactor/crdt"
)

const (
	// foldsAtOnce bounds how many keys are folded in one period, so that a
	// restart does not make one burst of all of them.
	foldsAtOnce = 256
	// asksAtOnce bounds how many nodes are asked in one period.
	asksAtOnce = 8
)

// fold folds what earlier replicas of this node have left, if that is safe; see
// [Core.Forget] for the proof.
func (c *Core[S]) fold() {
	if own := c.roster[c.cfg.Node]; c.moves.busy() || len(c.stale) == 0 || own.Lost > own.Settled || !c.ask(heardOut) {
		return
	}
	keys := slices.Sorted(maps.Keys(c.stale))
	for _, key := range keys[:min(foldsAtOnce, len(keys))] {
		delete(c.stale, key)
		e := c.find(key)
		if e == nil {
			continue
		}
		if f := any(e.state).(crdt.Folder[S]); f.Foldable(c.cfg.ID) {
			c.changed(e, f.Fold(c.cfg.ID), "")
			c.folded = true
		}
	}
}

// heardOut reports whether a node has been heard out since this replica began.
func heardOut(h *holding) bool { return h.heard > 0 }

// ask reports whether what is held of every node on the roster is enough, and
// asks some of those of which it is not.
func (c *Core[S]) ask(enough func(*holding) bool) bool {
	lacking := 0
	for _, node := range c.Known() {
		if h := c.holds[node]; node == c.cfg.Node || h != nil && enough(h) {
			continue
		}
		if lacking++; lacking <= asksAtOnce {
			c.send(node, c.root(true))
		}
	}
	return lacking == 0
}

// compact lets go of what the states keep on behalf of this replica.
func (c *Core[S]) compact() {
	for _, e := range c.dirty {
		k, ok := any(e.state).(crdt.Compactor[S])
		if !ok {
			return
		}
		delta := k.Compact(c.cfg.ID)
		if !isZero(delta) {
			c.changed(e, delta, "")
		}
	}
}
