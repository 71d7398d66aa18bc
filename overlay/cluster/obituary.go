package cluster

import (
	"slices"
	"time"

	"github.com/topos-go/topos/overlay/directory"
)

// crowd is from how many members on obituaries may wait for all of Config.Hush: in a
// smaller cluster, broadcasts are faster, and fewer too many do less harm.
const crowd = 500

// maxHushed is how many obituaries go into one broadcast.
const maxHushed = 64

// onlookers is how many times Config.Hush those wait at least who have not found out
// themselves: all do who have heard an accusation, at the same moment, and they speak up
// only in case that all accusers are gone.
const onlookers = 3

// publish broadcasts what the directory wants known. Obituaries wait for a moment, by
// chance shorter or longer, as all who had a link to a node that has crashed find out at
// the same time, and all members need not hear of it from each of them: the first is
// heard by the others. So do those of several nodes become one broadcast.
func (c *Core) publish(b directory.Broadcast) {
	alive := func(f directory.Fact) bool { return f.Status != directory.Failed && f.Status != directory.Crashed }
	if b.Hearsay || len(b.Values) > 0 || slices.ContainsFunc(b.Facts, alive) || c.cfg.Hush < 0 {
		c.announce(b)
		return
	}
	c.hushed = append(c.hushed, b.Facts...)
	most := c.cfg.Hush * time.Duration(min(len(c.up), crowd)) / crowd
	until := c.now.Add(time.Duration(c.cfg.Rand.Int64N(int64(most) + 1)))
	if c.onlooker {
		until = until.Add(onlookers * most)
	}
	if c.hushUntil.IsZero() || until.Before(c.hushUntil) {
		c.hushUntil = until
	}
	if !c.onlooker && len(c.hushed) >= maxHushed {
		c.release()
	}
}

// overhear drops the obituaries that somebody else has broadcast.
func (c *Core) overhear(b directory.Broadcast) {
	if b.Hearsay || len(c.hushed) == 0 {
		return
	}
	for _, f := range b.Facts {
		c.hushed = slices.DeleteFunc(c.hushed, func(h directory.Fact) bool {
			return h.Node == f.Node && h.Number == f.Number && h.Status == f.Status
		})
	}
	if len(c.hushed) == 0 {
		c.hushUntil = time.Time{}
	}
}

// release broadcasts the obituaries that have waited.
func (c *Core) release() {
	hushed := c.hushed
	c.hushed, c.hushUntil = nil, time.Time{}
	for facts := range slices.Chunk(hushed, maxHushed) {
		c.announce(directory.Broadcast{Facts: facts})
	}
}

// releaseDue does so if it is time to.
func (c *Core) releaseDue() {
	if !c.hushUntil.IsZero() && !c.now.Before(c.hushUntil) {
		c.release()
	}
}
