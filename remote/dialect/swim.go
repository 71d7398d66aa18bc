package dialect

import (
	"fmt"
	"math"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/swim"
)

// The bodies of a message of the failure detector.
const (
	bodyPing = iota + 1
	bodyAck
	bodyPingReq
	bodyNack
	bodyGossip
)

func encodeSwim(m swim.Message) (kind, encoded, error) {
	w := &Swim{Incarnation: m.Incarnation, Facts: each(m.Facts, rumor)}
	switch b := m.Body.(type) {
	case swim.Ping:
		w.Body, w.Seq = bodyPing, b.Seq
	case swim.Ack:
		w.Body, w.Seq = bodyAck, b.Seq
	case swim.PingReq:
		w.Body, w.Seq, w.Target, w.LinkReset = bodyPingReq, b.Seq, node(b.Target), b.Reset
	case swim.Nack:
		w.Body, w.Seq, w.Refused = bodyNack, b.Seq, b.Refused
	case swim.Gossip:
		w.Body = bodyGossip
	default:
		return 0, nil, fmt.Errorf("%w: %T", ErrUnknown, m.Body)
	}
	return kindSwim, w, nil
}

func rumor(f swim.Fact) *Rumor {
	return &Rumor{State: uint32(f.State), Node: node(f.Node), Incarnation: f.Incarnation, By: node(f.By), Refused: f.Refused}
}

func (r *Rumor) fact() swim.Fact {
	return swim.Fact{
		State: swim.State(min(r.State, math.MaxUint8)), Node: r.Node.node(), Incarnation: r.Incarnation, By: r.By.node(), Refused: r.Refused,
	}
}

func parseSwim(k kind, b []byte) (overlay.Message, error) {
	switch k {
	case kindRumor:
		var w Rumor
		err := w.Unmarshal(b)
		return w.fact(), err
	case kindSwim:
		var w Swim
		if err := w.Unmarshal(b); err != nil {
			return nil, err
		}
		return w.message()
	}
	return nil, errKind
}

func (w *Swim) message() (overlay.Message, error) {
	m := swim.Message{Incarnation: w.Incarnation, Facts: each(w.Facts, (*Rumor).fact)}
	switch w.Body {
	case bodyPing:
		m.Body = swim.Ping{Seq: w.Seq}
	case bodyAck:
		m.Body = swim.Ack{Seq: w.Seq}
	case bodyPingReq:
		m.Body = swim.PingReq{Seq: w.Seq, Target: w.Target.node(), Reset: w.LinkReset}
	case bodyNack:
		m.Body = swim.Nack{Seq: w.Seq, Refused: w.Refused}
	case bodyGossip:
		m.Body = swim.Gossip{}
	default:
		return nil, fmt.Errorf("%w: body %d", errKind, w.Body)
	}
	return m, nil
}
