package dialect

import (
	"fmt"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/gossip"
)

const (
	// maxSample bounds the nodes in a message: thirty-two times as many as a node
	// takes by default, for those that are told to take more. It is part of the
	// protocol between nodes.
	maxSample = 256
	// sampleField is where they are.
	sampleField = 2
)

func encodeGossip(m overlay.Message) (kind, encoded, error) {
	switch m := m.(type) {
	case gossip.Ask:
		return kindSampleAsk, &Sampling{Urgent: m.Urgent}, nil
	case gossip.Agree:
		return sampled(kindSampleAgree, m.Nodes)
	case gossip.Refuse:
		return sampled(kindSampleRefuse, m.Nodes)
	case gossip.Part:
		return kindSamplePart, &Sampling{}, nil
	case gossip.Sample:
		return sampled(kindSample, m.Nodes)
	case gossip.Leave:
		return kindSampleLeave, &Sampling{}, nil
	}
	return 0, nil, fmt.Errorf("%w: %T", ErrUnknown, m)
}

func sampled(k kind, nodes []overlay.Node) (kind, encoded, error) {
	nodes = first(nodes, maxSample)
	if err := valid(nodes, overlay.Node.Valid); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return k, &Sampling{Nodes: each(nodes, listed)}, nil
}

func parseGossip(k kind, b []byte) (overlay.Message, error) {
	var w Sampling
	if err := w.Unmarshal(b); err != nil {
		return nil, err
	}
	nodes := each(w.Nodes, (*Node).node)
	if err := valid(nodes, overlay.Node.Valid); err != nil {
		return nil, err
	}
	switch k {
	case kindSampleAsk:
		return gossip.Ask{Urgent: w.Urgent}, nil
	case kindSampleAgree:
		return gossip.Agree{Nodes: nodes}, nil
	case kindSampleRefuse:
		return gossip.Refuse{Nodes: nodes}, nil
	case kindSamplePart:
		return gossip.Part{}, nil
	case kindSample:
		return gossip.Sample{Nodes: nodes}, nil
	case kindSampleLeave:
		return gossip.Leave{}, nil
	}
	return nil, errKind
}
