package dialect

import (
	"errors"
	"fmt"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/pcbroadcast"
)

const (
	// maxMarks bounds the marks in a message, and so the names of nodes that have
	// broadcast in causal order: as many as package pcbroadcast remembers by default.
	// It is part of the protocol between nodes.
	maxMarks = 1 << 14
	// marksField is where they are.
	marksField = 7
)

// errCausal is why a message is malformed that lacks what makes it one.
var errCausal = errors.New("incomplete")

// encodeCausal makes a message of m. One with too many marks is refused, not cut:
// what a mark says must not be lost.
func encodeCausal(m pcbroadcast.Message) (kind, encoded, error) {
	k, w := greeted(m)
	switch body := m.Body.(type) {
	case pcbroadcast.Hello:
	case pcbroadcast.Data[[]byte]:
		k, w.Number, w.From, w.Payload = kindCausalData, body.Seq, node(body.Origin), body.Payload
	case pcbroadcast.Skip:
		k, w.Marks = kindCausalSkip, each(body.Marks, mark)
	case pcbroadcast.Ping:
		k, w.Number, w.From, w.To, w.Hops = kindCausalPing, body.Number, node(body.From), node(body.To), uint32(max(body.Hops, 0))
	case pcbroadcast.Open:
		k, w.Number, w.Marks, w.Yes = kindCausalOpen, body.Number, each(body.Marks, mark), body.Adopt
	case pcbroadcast.Shut:
		k = kindCausalShut
	case pcbroadcast.Refuse:
		k, w.Number, w.Yes = kindCausalRefuse, body.Number, body.Full
	case pcbroadcast.Ask:
		k, w.Number, w.Marks = kindCausalAsk, body.Number, each(body.Marks, mark)
	case pcbroadcast.Pong:
		k, w.Number = kindCausalPong, body.Number
	case pcbroadcast.Adopt:
		k = kindCausalAdopt
	default:
		return 0, nil, fmt.Errorf("%w: %T of %T", ErrUnknown, body, m)
	}
	if err := w.complete(k); err != nil {
		return 0, nil, fmt.Errorf("%w: %T: %w", ErrUnknown, m.Body, err)
	}
	return k, w, nil
}

// greeted begins a message: a greeting says what the link is called, the others are
// for a link that has a name.
func greeted(m pcbroadcast.Message) (kind, *Causal) {
	if hello, ok := m.Body.(pcbroadcast.Hello); ok {
		return kindCausalHello, &Causal{Link: hello.Yours, Number: hello.Mine}
	}
	return 0, &Causal{Link: m.Link}
}

func mark(m pcbroadcast.Mark) *Mark { return &Mark{Origin: listed(m.Origin), Seq: m.Seq} }

func (m *Mark) message() pcbroadcast.Mark {
	return pcbroadcast.Mark{Origin: m.Origin.node(), Seq: m.Seq}
}

// complete says what keeps w from being a message of kind k.
func (w *Causal) complete(k kind) error {
	if len(w.Marks) > maxMarks {
		return fmt.Errorf("%w: more than %d", errLong, maxMarks)
	}
	for _, m := range w.Marks {
		if m.Seq == 0 {
			return fmt.Errorf("%w: a mark of number 0", errCausal)
		}
		if err := m.Origin.node().Valid(); err != nil {
			return err
		}
	}
	switch k {
	case kindCausalData, kindCausalPing, kindCausalOpen, kindCausalAsk, kindCausalPong, kindCausalHello, kindCausalRefuse:
		if w.Number == 0 {
			return fmt.Errorf("%w: no number", errCausal)
		}
	}
	switch k {
	case kindCausalPing:
		return errors.Join(w.From.node().Valid(), w.To.node().Valid())
	case kindCausalData:
		return w.From.node().Valid()
	}
	return nil
}

func parseCausal(k kind, b []byte) (overlay.Message, error) {
	var w Causal
	if k > kindCausalAdopt {
		return nil, errKind
	}
	if err := w.Unmarshal(b); err != nil {
		return nil, err
	}
	if err := w.complete(k); err != nil {
		return nil, err
	}
	if k == kindCausalHello {
		return pcbroadcast.Message{Body: pcbroadcast.Hello{Mine: w.Number, Yours: w.Link}}, nil
	}
	return pcbroadcast.Message{Link: w.Link, Body: w.body(k)}, nil
}

// body returns what w says, which is complete and no greeting.
func (w *Causal) body(k kind) pcbroadcast.Body {
	marks := each(w.Marks, (*Mark).message)
	switch k {
	case kindCausalData:
		data := pcbroadcast.Data[[]byte]{Origin: w.From.node(), Seq: w.Number}
		if len(w.Payload) > 0 { // an empty one is none, said or not
			data.Payload = w.Payload
		}
		return data
	case kindCausalSkip:
		return pcbroadcast.Skip{Marks: marks}
	case kindCausalPing:
		return pcbroadcast.Ping{From: w.From.node(), To: w.To.node(), Number: w.Number, Hops: int(min(w.Hops, maxTTL))}
	case kindCausalOpen:
		return pcbroadcast.Open{Number: w.Number, Marks: marks, Adopt: w.Yes}
	case kindCausalShut:
		return pcbroadcast.Shut{}
	case kindCausalRefuse:
		return pcbroadcast.Refuse{Number: w.Number, Full: w.Yes}
	case kindCausalAsk:
		return pcbroadcast.Ask{Number: w.Number, Marks: marks}
	case kindCausalPong:
		return pcbroadcast.Pong{Number: w.Number}
	}
	return pcbroadcast.Adopt{}
}
