package sim

import (
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/cluster"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/pcbroadcast"
	"github.com/topos-go/topos/overlay/plumtree"
	"github.com/topos-go/topos/overlay/swim"
)

func (n *node) core() stepper {
	if n.whole != nil {
		return n.whole
	}
	return n.wires
}

// composite makes all of node n around the topology that it has. The limits are
// those of a live node, but for how many may broadcast: here, all of them do.
func (w *world) composite(i int32) (*cluster.Core, error) {
	n, k := &w.nodes[i], w.ahead.of(i)
	tree := w.plumtree(n)
	tree.MaxOrigins = max(plumtree.DefaultMaxOrigins, 2*w.cfg.Nodes)
	causal := pcbroadcast.Config{}
	if !w.cfg.Causal {
		causal.MaxLinks = 1 // none could have fewer
	}
	n.ups, n.views = 0, make([]uint64, (len(w.nodes)+63)/64)
	return cluster.New(cluster.Config{
		Self: n.self, Topology: n.wires, Wiring: string(w.cfg.Topology), Rand: w.newRand(),
		Directory: directory.Config{Pool: &k.records}, Swim: swim.Config{Pool: &k.names},
		Plumtree: tree, Causal: causal, Decode: w.speech.decode,
		Encode: func(v any) ([]byte, error) { return w.speech.encode(i, v), nil },
	})
}

// heard says of a broadcast over how many links it has come, which is in the message
// that brings it.
func (w *world) heard(d overlay.Deliver) plumtree.Deliver {
	got := plumtree.Deliver{ID: plumtree.ID{Origin: d.Origin}, Payload: d.Payload}
	switch m := w.hears.(type) {
	case plumtree.Gossip:
		got.Hops = m.Round
	case plumtree.Repair:
		for _, one := range m.Messages {
			if string(one.Payload[1:]) == string(d.Payload) {
				got.Hops = one.Round
			}
		}
	}
	return got
}

// reported counts whom the failure detector suspects by itself, and is alive.
func (w *world) reported(i int32, what any) {
	if s, ok := what.(swim.Suspected); ok && s.By == w.nodes[i].self {
		if j := w.index(s.Node.Name); w.runs(j, uint32(s.Node.Boot)) {
			w.counts.suspected++
		}
	}
}

// post sends a message to a node that need not be linked: over a connection that is
// the driver's, and is counted as there.
func (w *world) post(i int32, to overlay.Node, m any) {
	j, boot := w.index(to.Name), uint32(to.Boot)
	if j < 0 || j == i {
		return
	}
	w.counts.sent++
	for range w.copies() {
		w.queue.push(event{
			at: w.now + w.latency(i, j), kind: posted, to: j, boot: boot, from: i, gen: w.boot(i), message: m,
		})
	}
}

// posted is at the machine to which a message was posted.
func (w *world) posted(e *event) {
	n := &w.nodes[e.to]
	switch {
	case w.parted(e.from, e.to), n.state == dead && n.death == Silence:
	case w.runs(e.to, e.boot):
		w.hear(e.to, w.who(e.from, e.gen), e.message)
	default:
		w.queue.push(event{
			at: w.now + w.latency(e.to, e.from), kind: rejected, to: e.from, boot: e.gen, from: e.to, gen: e.boot,
		})
	}
}

// rejected is at the one who has posted a message to a node that is not there.
func (w *world) rejected(e *event) {
	if w.runs(e.to, e.boot) && !w.parted(e.to, e.from) {
		w.tell(e.to, overlay.DialFailed{Node: w.who(e.from, e.gen), Refused: true})
	}
}
