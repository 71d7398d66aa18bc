package sim

import (
	"encoding/binary"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/plumtree"
)

// cast is one broadcast, and who has had it.
type cast struct {
	origin   int32
	boot     uint32
	flood    bool
	covered  bool // it is promised
	at       int64
	last     int64 // when it was delivered last
	bits     []uint64
	payloads int // that have come to anybody
	hops     int // of the last delivery over the longest way
	live     int // nodes, when it was judged
	had      int // how many of these had it then
	count    int // deliveries
	spoken   int // how much nodes' parts had broadcast before
}

func (c *cast) has(i int32) bool { return int(i>>6) < len(c.bits) && c.bits[i>>6]&(1<<(i&63)) != 0 }

func (c *cast) set(i int32) {
	for int(i>>6) >= len(c.bits) {
		c.bits = append(c.bits, 0)
	}
	c.bits[i>>6] |= 1 << (i & 63)
}

// book holds all broadcasts of a run. What is broadcast is the number of its
// cast.
type book struct{ casts []cast }

// restarted forgets what an earlier incarnation of node i has had.
func (b *book) restarted(i int32) {
	for k := range b.casts {
		if c := &b.casts[k]; c.has(i) {
			c.bits[i>>6] &^= 1 << (i & 63)
		}
	}
}

// judgement is when a broadcast's reliability is taken: when nothing of it is
// under way, but long before an exchange of digests must have repaired it.
const judgement = 5 * time.Second

// broadcast has node i broadcast, over the trees or by flooding.
func (w *world) broadcast(i int32, flood bool) int {
	id := len(w.book.casts)
	w.book.casts = append(w.book.casts, cast{
		origin: i, boot: w.boot(i), flood: flood, at: w.now, spoken: w.speech.count(), bits: make([]uint64, (len(w.nodes)+63)/64),
	})
	w.note(&event{at: w.now, kind: kinds + noteBroadcast, to: i, boot: w.boot(i), link: int32(id)})
	w.queue.push(event{at: w.now + int64(judgement), kind: judged, to: i, link: int32(id)})
	payload := binary.BigEndian.AppendUint32(nil, uint32(id))
	switch {
	case flood:
		w.flood(i, -1, int32(id), 0)
	case w.cfg.Directory:
		w.tell(i, overlay.Broadcast{Payload: payload})
	default:
		w.tellTree(i, plumtree.Broadcast{Payload: payload})
	}
	return id
}

// flood delivers a flooded broadcast at node i, and passes it on to its
// neighbors.
func (w *world) flood(i, from, id int32, hops uint8) {
	c := &w.book.casts[id]
	if c.has(i) {
		return
	}
	w.reached(i, c, int(hops))
	for _, nb := range w.nodes[i].near {
		if nb.node != from {
			w.transmit(i, nb.node, nb.boot, event{kind: flooded, boot: uint32(id), flag: hops + 1})
		}
	}
}

func (w *world) flooded(e *event) {
	w.book.casts[e.boot].payloads++
	w.flood(e.to, e.from, int32(e.boot), e.flag)
}

func (w *world) reached(i int32, c *cast, hops int) {
	c.set(i)
	c.count++
	c.last = w.now
	c.hops = max(c.hops, hops)
}

// delivered is what plumtree gives to the application.
func (w *world) delivered(i int32, d plumtree.Deliver) {
	id := int(binary.BigEndian.Uint32(d.Payload))
	c := &w.book.casts[id]
	w.note(&event{at: w.now, kind: kinds + noteDeliver, to: i, boot: w.boot(i), from: c.origin, link: int32(id)})
	w.checkDelivered(i, id, d)
	w.reached(i, c, d.Hops)
}

// countPayloads counts what a message brings of broadcasts, whether it is known
// already or not.
func (w *world) countPayloads(m any) {
	switch m := m.(type) {
	case plumtree.Gossip:
		w.countPayload(&m)
	case plumtree.Repair:
		for i := range m.Messages {
			w.countPayload(&m.Messages[i])
		}
	}
}

func (w *world) countPayload(m *plumtree.Gossip) {
	if id := w.castOf(m.Payload); id >= 0 {
		w.book.casts[id].payloads++
	}
}

// castOf returns the number of a broadcast, by what plumtree passes on of it; -1 if
// it is one of a node's parts, which are longer: see encode.
func (w *world) castOf(payload []byte) int {
	if w.cfg.Directory {
		payload = payload[1:] // whose it is
	}
	if len(payload) != 4 {
		return -1
	}
	return int(binary.BigEndian.Uint32(payload))
}

// judge takes a broadcast's reliability: of the nodes that live since before it.
func (w *world) judge(e *event) {
	c := &w.book.casts[e.link]
	for i := range w.nodes {
		if n := &w.nodes[i]; n.state == live && n.since <= c.at {
			c.live++
			if c.has(int32(i)) {
				c.had++
			}
		}
	}
}
