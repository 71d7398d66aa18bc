package dialect

import (
	"fmt"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/plumtree"
)

func encodePlumtree(m plumtree.Message) (kind, encoded, error) {
	switch m := m.(type) {
	case plumtree.Gossip:
		return kindGossip, gossiped(m), nil
	case plumtree.IHave:
		return kindIHave, &IHave{Messages: each(m.Messages, announcement)}, nil
	case plumtree.Graft:
		return kindGraft, &Graft{Origin: node(m.ID.Origin), Seq: m.ID.Seq, Once: m.Once}, nil
	case plumtree.Prune:
		return kindPrune, &Prune{Origin: node(m.Origin)}, nil
	case plumtree.Digest:
		return kindDigest, &Digest{
			After: node(m.After), Until: node(m.Until), Origins: each(m.Origins, have), Partial: m.Partial,
		}, nil
	case plumtree.Repair:
		return kindRepair, &Repair{Messages: each(m.Messages, gossiped), Gone: each(m.Gone, gone), More: m.More}, nil
	}
	return 0, nil, fmt.Errorf("%w: %T", ErrUnknown, m)
}

func gossiped(g plumtree.Gossip) *Gossip {
	return &Gossip{Origin: node(g.ID.Origin), Seq: g.ID.Seq, Round: uint32(g.Round), Age: int64(g.Age), Payload: g.Payload}
}

func (g *Gossip) message() plumtree.Gossip {
	m := plumtree.Gossip{ID: id(g.Origin, g.Seq), Round: int(g.Round), Age: time.Duration(g.Age)}
	if len(g.Payload) > 0 { // an empty one is none, said or not
		m.Payload = g.Payload
	}
	return m
}

func id(origin *Node, seq uint64) plumtree.ID { return plumtree.ID{Origin: origin.node(), Seq: seq} }

func announcement(a plumtree.Announcement) *Announcement {
	return &Announcement{Origin: node(a.ID.Origin), Seq: a.ID.Seq, Round: uint32(a.Round)}
}

func (a *Announcement) message() plumtree.Announcement {
	return plumtree.Announcement{ID: id(a.Origin, a.Seq), Round: int(a.Round)}
}

func have(h plumtree.Have) *Have {
	return &Have{Origin: node(h.Origin), Low: h.Low, Above: each(h.Above, func(s plumtree.Span) *Span { return &Span{s.First, s.Last} })}
}

func (h *Have) message() plumtree.Have {
	return plumtree.Have{
		Origin: h.Origin.node(), Low: h.Low,
		Above: each(h.Above, func(s *Span) plumtree.Span { return plumtree.Span{First: s.First, Last: s.Last} }),
	}
}

func gone(g plumtree.Gone) *Gone {
	return &Gone{Origin: node(g.Origin), First: g.First, Last: g.Last, Age: int64(g.Age)}
}

func (g *Gone) message() plumtree.Gone {
	return plumtree.Gone{Origin: g.Origin.node(), First: g.First, Last: g.Last, Age: time.Duration(g.Age)}
}

func parsePlumtree(k kind, b []byte) (overlay.Message, error) {
	switch k {
	case kindGossip:
		var w Gossip
		err := w.Unmarshal(b)
		return w.message(), err
	case kindIHave:
		var w IHave
		err := w.Unmarshal(b)
		return plumtree.IHave{Messages: each(w.Messages, (*Announcement).message)}, err
	case kindGraft:
		var w Graft
		err := w.Unmarshal(b)
		return plumtree.Graft{ID: id(w.Origin, w.Seq), Once: w.Once}, err
	case kindPrune:
		var w Prune
		err := w.Unmarshal(b)
		return plumtree.Prune{Origin: w.Origin.node()}, err
	case kindDigest:
		var w Digest
		err := w.Unmarshal(b)
		return plumtree.Digest{
			After: w.After.node(), Until: w.Until.node(), Origins: each(w.Origins, (*Have).message), Partial: w.Partial,
		}, err
	case kindRepair:
		var w Repair
		err := w.Unmarshal(b)
		return plumtree.Repair{Messages: each(w.Messages, (*Gossip).message), Gone: each(w.Gone, (*Gone).message), More: w.More}, err
	}
	return nil, errKind
}
