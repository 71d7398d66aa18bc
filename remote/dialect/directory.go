package dialect

import (
	"fmt"
	"math"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
)

func encodeDirectory(m directory.Message) (kind, encoded, error) {
	switch m := m.(type) {
	case directory.Ask:
		return kindAsk, &Ask{
			Id: m.ID, Sums: each(m.Sums, sum), Facts: facts(m.Facts), Values: registers(m.Values), Registers: m.Registers,
		}, nil
	case directory.Answer:
		return kindAnswer, &Answer{Id: m.ID, Done: uint64(m.Done), Parts: each(m.Parts, part), Values: registers(m.Values)}, nil
	case directory.Tell:
		return kindTell, &Tell{Facts: facts(m.Facts)}, nil
	}
	return 0, nil, fmt.Errorf("%w: %T", ErrUnknown, m)
}

func facts(all []directory.Fact) []*Fact {
	return each(all, func(f directory.Fact) *Fact {
		return &Fact{
			Node: node(f.Node), Status: uint32(f.Status), Number: f.Number, Version: f.Version, Meta: f.Meta, Age: int64(f.Age),
		}
	})
}

func parseFacts(all []*Fact) []directory.Fact {
	return each(all, func(f *Fact) directory.Fact {
		return directory.Fact{
			Node: f.Node.node(), Status: directory.Status(min(f.Status, math.MaxUint8)),
			Number: f.Number, Version: f.Version, Meta: f.Meta, Age: time.Duration(f.Age),
		}
	})
}

func registers(all []directory.Register) []*Register {
	return each(all, func(r directory.Register) *Register {
		return &Register{Name: r.Name, Epoch: r.Epoch, Proposer: node(r.Proposer), Value: r.Value}
	})
}

func parseRegisters(all []*Register) []directory.Register {
	return each(all, func(r *Register) directory.Register {
		return directory.Register{Name: r.Name, Epoch: r.Epoch, Proposer: r.Proposer.node(), Value: r.Value}
	})
}

func sum(s directory.Sum) *Sum {
	return &Sum{Range: &Range{s.Range.Prefix, uint32(s.Range.Bits)}, Sum: s.Sum, Count: uint64(s.Count)}
}

func (s *Sum) message() directory.Sum {
	return directory.Sum{Range: s.Range.message(), Sum: s.Sum, Count: count(s.Count)}
}

// count turns a number of things into an int, that of absurdly many into many.
func count(n uint64) int { return int(min(n, math.MaxInt32)) }

func (r *Range) message() directory.Range {
	if r == nil {
		return directory.Range{}
	}
	return directory.Range{Prefix: r.Prefix, Bits: uint8(min(r.Bits, math.MaxUint8))}
}

func part(p directory.Part) *Part {
	return &Part{Range: &Range{p.Range.Prefix, uint32(p.Range.Bits)}, Sums: each(p.Sums, sum), Facts: facts(p.Facts)}
}

func (p *Part) message() directory.Part {
	return directory.Part{Range: p.Range.message(), Sums: each(p.Sums, (*Sum).message), Facts: parseFacts(p.Facts)}
}

func parseDirectory(k kind, b []byte) (overlay.Message, error) {
	switch k {
	case kindAsk:
		var w Ask
		err := w.Unmarshal(b)
		return directory.Ask{
			ID: w.Id, Sums: each(w.Sums, (*Sum).message), Facts: parseFacts(w.Facts), Values: parseRegisters(w.Values), Registers: w.Registers,
		}, err
	case kindAnswer:
		var w Answer
		err := w.Unmarshal(b)
		return directory.Answer{
			ID: w.Id, Done: count(w.Done), Parts: each(w.Parts, (*Part).message), Values: parseRegisters(w.Values),
		}, err
	case kindTell:
		var w Tell
		err := w.Unmarshal(b)
		return directory.Tell{Facts: parseFacts(w.Facts)}, err
	case kindNews:
		var w News
		err := w.Unmarshal(b)
		return directory.Broadcast{Facts: parseFacts(w.Facts), Hearsay: w.Hearsay, Values: parseRegisters(w.Values)}, err
	}
	return nil, errKind
}
