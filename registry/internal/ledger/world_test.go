package ledger_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
)

// world is a cluster of ledgers whose updates go to everybody by one message, in
// any order, some twice and some not at all, and who compare vectors; and what each
// owner has done, against which all that is shown is held.
type world struct {
	rng     *rand.Rand
	nodes   []*citizen
	boots   int
	history map[actor.NodeID][]deed
	cast    []any // broadcasts on their way: castOf
	quiet   bool  // nothing is lost any more
	keys    int   // of a part, at most
	vectors int
}

// deed is one change of a part.
type deed struct {
	key  string
	seq  uint64
	gone bool
}

// citizen is a node: what it has shown of each owner's keys, and since when.
type citizen struct {
	id     actor.NodeID
	l      *ledger.Ledger[int]
	direct bool
	up     map[actor.NodeID]uint64 // how far the owner was when it came up here
	shown  map[actor.NodeID]map[string]int
	// floor is, for each key, what its owner had done last of what was seen here.
	floor map[actor.NodeID]map[string]uint64
	// inbox has what came from each node, in order: ledger.Ask, Page, Have, Update,
	// digest, vector.
	inbox map[actor.NodeID][]any
}

type (
	castOf struct {
		from actor.NodeID
		to   *citizen
		u    ledger.Update[int]
	}
	digest struct{ sum uint64 }
	vector struct {
		standings []ledger.Standing
		reply     bool
	}
)

func newWorld(seed uint64, n int) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 7)), history: make(map[actor.NodeID][]deed), keys: 12}
	if seed%3 == 0 {
		w.keys = 2 // so that parts are empty often
	}
	for range n {
		w.start()
	}
	return w
}

func (w *world) start() {
	w.boots++
	c := &citizen{
		id: node(w.boots), direct: w.rng.IntN(4) == 0,
		up: make(map[actor.NodeID]uint64), shown: make(map[actor.NodeID]map[string]int),
		floor: make(map[actor.NodeID]map[string]uint64), inbox: make(map[actor.NodeID][]any),
	}
	c.l = ledger.New[int](c.id, uint64(1000*w.boots))
	w.nodes = append(w.nodes, c)
}

func (w *world) find(id actor.NodeID) *citizen {
	for _, c := range w.nodes {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (w *world) pick() *citizen { return w.nodes[w.rng.IntN(len(w.nodes))] }

func (w *world) lost() bool { return !w.quiet && w.rng.IntN(4) == 0 }

// write lets c change its part.
func (w *world) write(c *citizen) {
	key := fmt.Sprint("key", w.rng.IntN(w.keys))
	change, done := ledger.Change[int]{}, true
	if w.rng.IntN(3) == 0 {
		change, done = c.l.Delete(key)
	} else {
		change = c.l.Put(key, int(c.l.Have().Seq)+1)
	}
	if done {
		w.history[c.id] = append(w.history[c.id], deed{key, c.l.Have().Seq, !change.Has})
	}
}

// send puts m behind what c has sent to the other, or loses it.
func (w *world) send(c *citizen, to actor.NodeID, m any) {
	if other := w.find(to); other != nil && other != c && !w.lost() {
		other.inbox[c.id] = append(other.inbox[c.id], m)
	}
}

// flush sends what c has to say.
func (w *world) flush(c *citizen) {
	for _, u := range c.l.Flush(20, weigh) {
		for _, other := range w.nodes {
			switch {
			case other == c:
			case c.direct:
				w.send(c, other.id, u)
			case !w.lost():
				w.cast = append(w.cast, castOf{c.id, other, u})
			}
		}
	}
	for _, q := range c.l.Asks() {
		w.send(c, q.To, q.Ask)
	}
}

// saw holds what has changed on c against what the owners have done.
func (w *world) saw(c *citizen, changes []ledger.Change[int]) error {
	for _, ch := range changes {
		owner := ch.Owner.Value()
		if c.shown[owner] == nil {
			c.shown[owner], c.floor[owner] = make(map[string]int), make(map[string]uint64)
		}
		old, had := c.shown[owner][ch.Key]
		if had != ch.Had || old != ch.Old {
			return fmt.Errorf("%s: change %+v of %d, %v", c.id.Name, ch, old, had)
		}
		if !ch.Has {
			delete(c.shown[owner], ch.Key)
			if _, up := c.up[owner]; up {
				c.floor[owner][ch.Key] = w.ended(owner, ch.Key, uint64(ch.Old))
			}
			continue
		}
		at := uint64(ch.New)
		if floor := c.floor[owner][ch.Key]; at < floor {
			return fmt.Errorf("%s shows %s of %s as it was at %d, and knew of %d", c.id.Name, ch.Key, owner.Name, at, floor)
		}
		c.shown[owner][ch.Key], c.floor[owner][ch.Key] = ch.New, at
	}
	return nil
}

// ended is when what owner wrote to key at seq was over: the latest number if it
// is not.
func (w *world) ended(owner actor.NodeID, key string, seq uint64) uint64 {
	for _, d := range w.history[owner] {
		if d.key == key && d.seq > seq {
			return d.seq
		}
	}
	return seq
}

// at is owner's part as it was at seq.
func (w *world) at(owner actor.NodeID, seq uint64) map[string]int {
	part := make(map[string]int)
	for _, d := range w.history[owner] {
		if d.seq > seq {
			break
		}
		if d.gone {
			delete(part, d.key)
		} else {
			part[d.key] = int(d.seq)
		}
	}
	return part
}

// rise lets c learn that other is a member; nothing that it may show from then on
// was over when it was lost.
func (w *world) rise(c, other *citizen) {
	if _, up := c.up[other.id]; up || c == other {
		return
	}
	c.up[other.id] = other.l.Have().Seq
	if _, known := c.shown[other.id]; known && c.l.Parked(other.id) {
		for key := range c.floor[other.id] {
			for _, d := range w.history[other.id] {
				if d.key == key {
					c.floor[other.id][key] = d.seq
				}
			}
		}
	}
	c.l.Up(other.id, c.direct)
}

func (w *world) fall(c *citizen, other actor.NodeID) error {
	delete(c.up, other)
	delete(c.inbox, other)
	return w.saw(c, c.l.Down(epoch, other))
}

// take handles a message that has come to c.
func (w *world) take(c *citizen, from actor.NodeID, m any) (err error) {
	switch m := m.(type) {
	case ledger.Update[int]:
		changes, gap := c.l.Apply(from, m, true)
		if gap && c.direct {
			c.l.Pull(from)
		}
		err = w.saw(c, changes)
	case ledger.Have:
		c.l.Heard(from, m)
	case ledger.Ask:
		page := c.l.Answer(m, 12, weigh)
		w.send(c, from, page)
	case ledger.Page[int]:
		err = w.saw(c, c.l.Turn(from, m))
	case digest:
		if m.sum != c.l.Digest() {
			w.vectors++
			w.send(c, from, vector{c.l.Vector(), false})
		}
	case vector:
		changes, ahead := c.l.Compare(from, m.standings)
		err = w.saw(c, changes)
		if !m.reply && len(ahead) > 0 {
			w.send(c, from, vector{ahead, true})
		}
	}
	return err
}

// step does one thing.
func (w *world) step() error {
	c := w.pick()
	switch w.rng.IntN(16) {
	case 0, 1, 2:
		w.write(c)
	case 3, 4:
		w.flush(c)
	case 5:
		w.send(c, w.pick().id, digest{c.l.Digest()})
	case 6:
		if c.direct {
			w.flush(c)
			w.send(c, w.pick().id, c.l.Have())
		}
	case 7:
		if w.rng.IntN(3) == 0 {
			return w.saw(c, c.l.Tick(epoch))
		}
	case 8:
		w.rise(c, w.pick())
	case 9:
		if w.rng.IntN(4) == 0 {
			return w.fall(c, w.pick().id)
		}
	case 10:
		if w.rng.IntN(8) == 0 {
			c.direct = !c.direct
		}
	case 11:
		if w.rng.IntN(20) == 0 && len(w.nodes) > 2 {
			return w.kill(c)
		}
	default:
		return w.deliver()
	}
	return nil
}

// kill ends c, and another starts.
func (w *world) kill(c *citizen) error {
	w.nodes = slices.DeleteFunc(w.nodes, func(o *citizen) bool { return o == c })
	for _, other := range w.nodes {
		if err := w.fall(other, c.id); err != nil {
			return err
		}
	}
	w.start()
	return nil
}

// deliver hands over one message, of any node that waits or any broadcast.
func (w *world) deliver() error {
	if len(w.cast) > 0 && w.rng.IntN(2) == 0 {
		i := w.rng.IntN(len(w.cast))
		m := w.cast[i].(castOf)
		if w.quiet || w.rng.IntN(5) > 0 { // or it comes once more
			w.cast = slices.Delete(w.cast, i, i+1)
		}
		if w.find(m.to.id) == nil {
			return nil
		}
		changes, _ := m.to.l.Apply(m.from, m.u, false)
		return w.saw(m.to, changes)
	}
	c := w.pick()
	from := slices.SortedFunc(maps.Keys(c.inbox), func(a, b actor.NodeID) int {
		if a.Less(b) {
			return -1
		}
		return 1
	})
	if len(from) == 0 {
		return nil
	}
	return w.first(c, from[w.rng.IntN(len(from))])
}

// first takes the first message that waits from a node.
func (w *world) first(c *citizen, from actor.NodeID) error {
	waiting := c.inbox[from]
	if len(waiting) == 0 {
		delete(c.inbox, from)
		return nil
	}
	c.inbox[from] = waiting[1:]
	if _, up := c.up[from]; !up {
		return nil // the layer below hands over nothing from who is not up
	}
	return w.take(c, from, waiting[0])
}

// faithful reports a part that somebody would be given and that its owner never had.
func (w *world) faithful() error {
	for _, c := range w.nodes {
		for _, s := range c.l.Vector() {
			for owner := range c.up {
				if s.Mark != ledger.MarkOf(owner) {
					continue
				}
				if got, want := maps.Collect(c.l.Part(owner)), w.at(owner, s.Seq); !maps.Equal(got, want) {
					return fmt.Errorf("%s takes %v for what %s had at %d, which was %v", c.id.Name, got, owner.Name, s.Seq, want)
				}
			}
		}
	}
	return nil
}

// settle lets everybody see everybody, and everything that waits and is asked
// arrive, until all have the same.
func (w *world) settle() error {
	w.quiet = true
	for _, c := range w.nodes {
		for _, other := range w.nodes {
			w.rise(c, other)
		}
	}
	for range 60 {
		for _, c := range w.nodes {
			if err := w.saw(c, c.l.Tick(epoch)); err != nil {
				return err
			}
			w.send(c, w.pick().id, digest{c.l.Digest()})
		}
		for range 400 * len(w.nodes) {
			for _, c := range w.nodes {
				w.flush(c)
			}
			if err := w.deliver(); err != nil {
				return err
			}
		}
		if w.equal() == nil {
			return nil
		}
	}
	return w.equal()
}

func (w *world) equal() error {
	for _, owner := range w.nodes {
		want := maps.Collect(owner.l.Own())
		for _, c := range w.nodes {
			got := maps.Collect(c.l.Part(owner.id))
			if c.l.Digest() != owner.l.Digest() {
				return fmt.Errorf("the digests of %s and %s differ", c.id.Name, owner.id.Name)
			}
			if !maps.Equal(got, want) || c != owner && (!maps.Equal(c.shown[owner.id], want) || !c.l.Synced(owner.id)) {
				return fmt.Errorf("%s has of %s %v, has shown %v, complete: %v; it is %v",
					c.id.Name, owner.id.Name, got, c.shown[owner.id], c.l.Synced(owner.id), want)
			}
		}
	}
	return nil
}

func TestAllHaveTheSameAfterAnyScheduleAndNothingComesBack(t *testing.T) {
	for seed := range uint64(300) {
		w := newWorld(seed, 2+int(seed%4))
		fail := func(err error) {
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		for range 1500 {
			fail(w.step())
			if w.rng.IntN(10) == 0 {
				fail(w.faithful())
			}
		}
		fail(w.settle())
		fail(w.faithful())
		before := w.vectors
		for range 50 {
			for _, c := range w.nodes {
				w.send(c, w.pick().id, digest{c.l.Digest()})
				for range 10 {
					fail(w.deliver())
				}
			}
		}
		if w.vectors != before {
			t.Fatalf("seed %d: at rest %d vectors are sent", seed, w.vectors-before)
		}
	}
}
