package dialect

import (
	"fmt"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/hyparview"
)

func encodeHyParView(m overlay.Message) (kind, encoded, error) {
	switch m := m.(type) {
	case hyparview.Join:
		return kindJoin, &HyParView{Number: m.Number}, nil
	case hyparview.ForwardJoin:
		return kindForwardJoin, &HyParView{Node: node(m.Node), Ttl: uint32(m.TTL)}, nil
	case hyparview.Neighbor:
		return kindNeighbor, &HyParView{Number: m.Number, Yes: m.High}, nil
	case hyparview.NeighborReply:
		return kindNeighborReply, &HyParView{Of: m.Of, Number: m.Number, Yes: m.Accepted}, nil
	case hyparview.Disconnect:
		return kindDisconnect, &HyParView{Of: m.Of, Number: m.Number, Yes: m.Wait}, nil
	case hyparview.Alive:
		return kindAlive, &HyParView{Of: m.Of, Number: m.Number}, nil
	case hyparview.Leave:
		return kindLeave, &HyParView{}, nil
	case hyparview.Shuffle:
		return kindShuffle, &HyParView{Node: node(m.Origin), Number: m.Number, Ttl: uint32(m.TTL), Nodes: each(m.Nodes, listed)}, nil
	case hyparview.ShuffleReply:
		return kindShuffleReply, &HyParView{Number: m.Number, Nodes: each(m.Nodes, listed)}, nil
	}
	return encodeXBot(m)
}

func encodeXBot(m overlay.Message) (kind, encoded, error) {
	switch m := m.(type) {
	case hyparview.Optimization:
		return kindOptimization, &HyParView{Number: m.Number, Old: node(m.Old)}, nil
	case hyparview.OptimizationReply:
		return kindOptimizationReply, &HyParView{Of: m.Of, Number: m.Number, Yes: m.Accepted, Replaced: m.Replaced}, nil
	case hyparview.Replace:
		return kindReplace, &HyParView{Of: m.Of, Exchange: m.Exchange, Node: node(m.Initiator), Old: node(m.Old)}, nil
	case hyparview.ReplaceReply:
		return kindReplaceReply, &HyParView{Of: m.Of, Exchange: m.Exchange, Yes: m.Accepted}, nil
	case hyparview.Switch:
		return kindSwitch, &HyParView{Number: m.Number, Node: node(m.Initiator)}, nil
	case hyparview.SwitchReply:
		return kindSwitchReply, &HyParView{Of: m.Of, Number: m.Number, Yes: m.Accepted}, nil
	}
	return 0, nil, fmt.Errorf("%w: %T", ErrUnknown, m)
}

// maxTTL is the greatest TTL that is not cut.
const maxTTL = 1 << 20

func parseHyParView(k kind, b []byte) (overlay.Message, error) {
	var w HyParView
	if err := w.Unmarshal(b); err != nil {
		return nil, err
	}
	ttl, nodes := int(min(w.Ttl, maxTTL)), each(w.Nodes, (*Node).node)
	switch k {
	case kindJoin:
		return hyparview.Join{Number: w.Number}, nil
	case kindForwardJoin:
		return hyparview.ForwardJoin{Node: w.Node.node(), TTL: ttl}, nil
	case kindNeighbor:
		return hyparview.Neighbor{Number: w.Number, High: w.Yes}, nil
	case kindNeighborReply:
		return hyparview.NeighborReply{Of: w.Of, Number: w.Number, Accepted: w.Yes}, nil
	case kindDisconnect:
		return hyparview.Disconnect{Of: w.Of, Number: w.Number, Wait: w.Yes}, nil
	case kindAlive:
		return hyparview.Alive{Of: w.Of, Number: w.Number}, nil
	case kindLeave:
		return hyparview.Leave{}, nil
	case kindShuffle:
		return hyparview.Shuffle{Origin: w.Node.node(), Number: w.Number, TTL: ttl, Nodes: nodes}, nil
	case kindShuffleReply:
		return hyparview.ShuffleReply{Number: w.Number, Nodes: nodes}, nil
	}
	return w.parseXBot(k)
}

func (w *HyParView) parseXBot(k kind) (overlay.Message, error) {
	switch k {
	case kindOptimization:
		return hyparview.Optimization{Number: w.Number, Old: w.Old.node()}, nil
	case kindOptimizationReply:
		return hyparview.OptimizationReply{Of: w.Of, Number: w.Number, Accepted: w.Yes, Replaced: w.Replaced}, nil
	case kindReplace:
		return hyparview.Replace{Of: w.Of, Exchange: w.Exchange, Initiator: w.Node.node(), Old: w.Old.node()}, nil
	case kindReplaceReply:
		return hyparview.ReplaceReply{Of: w.Of, Exchange: w.Exchange, Accepted: w.Yes}, nil
	case kindSwitch:
		return hyparview.Switch{Number: w.Number, Initiator: w.Node.node()}, nil
	case kindSwitchReply:
		return hyparview.SwitchReply{Of: w.Of, Number: w.Number, Accepted: w.Yes}, nil
	}
	return nil, errKind
}
