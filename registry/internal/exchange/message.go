package exchange

import (
	"github.com/fxamacker/cbor/v2"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
)

// message is one of its fields.
type message[V any] struct {
	Update *ledger.Update[V] `cbor:"1,keyasint,omitempty"`
	Have   *ledger.Have      `cbor:"2,keyasint,omitempty"`
	Ask    *ledger.Ask       `cbor:"3,keyasint,omitempty"`
	Page   *ledger.Page[V]   `cbor:"4,keyasint,omitempty"`
	Digest *uint64           `cbor:"5,keyasint,omitempty"`
	Vector *vector           `cbor:"6,keyasint,omitempty"`
}

// encode never fails: a message holds only plain data.
func encode[V any](m message[V]) []byte {
	payload, err := cbor.Marshal(m)
	if err != nil {
		panic("registry: " + err.Error())
	}
	return payload
}

// handle takes a message from another node.
func (x *Exchange[V]) handle(from actor.NodeID, payload []byte) {
	m, ok := x.decode(from, payload)
	if !ok {
		return
	}
	direct := x.direct()
	var changes []ledger.Change[V]
	x.mu.Lock()
	before := x.ledger.Complete()
	switch {
	case m.Update != nil:
		var gap bool
		if changes, gap = x.ledger.Apply(from, *m.Update, true); gap && direct {
			x.ledger.Pull(from)
		}
	case m.Have != nil:
		x.ledger.Heard(from, *m.Have)
	case m.Page != nil:
		changes = x.ledger.Turn(from, *m.Page)
		x.goOn(from, m.Page.Last && !direct)
	case m.Ask != nil:
		x.asked(from, *m.Ask)
	case m.Digest != nil:
		if *m.Digest != x.ledger.Digest() {
			x.vectors[from] = vector{}
		}
	case m.Vector != nil:
		changes = x.compare(from, m.Vector)
	}
	turned := x.ledger.Complete() != before
	busy := x.ledger.Asking() || len(x.answers)+len(x.vectors)+len(x.sums) > 0
	x.conclude(changes) // unlocks
	if busy {
		x.rouse()
	}
	if turned {
		x.turned()
	}
}

// asked notes a question, in place of an earlier one after the same part.
func (x *Exchange[V]) asked(from actor.NodeID, ask ledger.Ask) {
	asks := x.answers[from]
	for i := range asks {
		if asks[i].Owner == ask.Owner {
			asks[i] = ask
			return
		}
	}
	if len(asks) < maxAsks {
		x.answers[from] = append(asks, ask)
	}
}

func (x *Exchange[V]) decode(from actor.NodeID, payload []byte) (m message[V], ok bool) {
	if err := cbor.Unmarshal(payload, &m); err != nil {
		x.cfg.Logger.Warn("malformed control message", "topic", x.cfg.Topic, "from", from.Name, "error", err)
		return m, false
	}
	return m, true
}
