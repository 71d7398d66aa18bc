package crdt_test

import (
	"encoding"
	"testing"
	"time"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// specimen is a state and its encoding, written down. Nodes of different
// versions meet in one cluster, so the encoding of a kind must never change: a
// new format takes a new letter. If this table stops matching, the code is
// wrong, not the table.
type specimen struct {
	state interface {
		encoding.BinaryMarshaler
		encoding.BinaryUnmarshaler
	}
	encoding string
}

func specimens() map[string]specimen {
	pn := new(crdt.PNCounter)
	pn.Add("a", 5)
	pn.Add("b", -300)
	g := new(crdt.GCounter)
	g.Add("a", 7)
	lww := new(crdt.LWWRegister)
	lww.Set("a", time.Unix(0, 100), "v")
	mv := new(crdt.MVRegister)
	mv.Set("a", "u")
	mv.Set("a", "v")
	gs := new(crdt.GSet)
	gs.Add("y")
	gs.Add("x")
	or := new(crdt.ORSet)
	or.Add("a", "x")
	or.Add("b", "y")
	or.Remove("x")
	flag := new(crdt.EnableFlag)
	flag.Enable("a")
	mm := new(crdt.MaxMap)
	mm.Raise("x", -1)
	tally := new(crdt.Tally)
	tally.Add("a", 3)
	tally.Reset("b")
	tally.Join(new(crdt.Tally))
	cart := new(crdt.Cart)
	cart.Add("a", "x", 2)
	cart.Add("a", "y", 1)
	alone := cart.Clone()
	cart.Remove("b", "x")
	cart.Join(alone.Add("a", "x", 3))
	cart.Add("b", "x", 1)
	m := new(crdt.ORMap[*crdt.ORSet])
	m.Update("k", func(s *crdt.ORSet) *crdt.ORSet { return s.Add("a", "x") })
	deep := new(crdt.ORMap[*crdt.ORMap[*crdt.Tally]])
	deep.Update("k", func(in *crdt.ORMap[*crdt.Tally]) *crdt.ORMap[*crdt.Tally] {
		return in.Update("l", func(c *crdt.Tally) *crdt.Tally { return c.Add("a", 1) })
	})
	context := new(crdt.CausalContext)
	context.Add(crdt.Dot{Replica: "a", Seq: 1})
	context.Add(crdt.Dot{Replica: "a", Seq: 4})
	context.Add(crdt.Dot{Replica: "a", Seq: 5})
	count := new(crdt.PNCounter)
	count.Add("n#1", 5)
	count.Add("n#2", -1)
	count.Fold("n#2")
	up := new(crdt.GCounter)
	up.Add("n#1", 7)
	up.Add("o", 1)
	up.Fold("n#2")
	folded := new(crdt.ORSet)
	folded.Add("n#1", "x")
	folded.Add("n#1", "y")
	folded.Remove("x")
	folded.Fold("n#2")
	return map[string]specimen{
		"PNCounter folded":    {count, "p\x01\x03n#2\x05\x01\x01"},
		"GCounter folded":     {up, "g\x02\x03n#2\x07\x01\x01o\x01\x00"},
		"ORSet folded":        {folded, "WS\x02\x03n#1\x01\x01\x00\x00\x03n#2\x01\x00\x00\x01\x01\x01y\x01\x00\x02"},
		"Digest of folded":    {folded.Digest(), "WD\x02\x03n#1\x01\x01\x00\x00\x03n#2\x01\x00\x00\x01\x01\x01\x00\x00\x00\x00"},
		"PNCounter":           {pn, "P\x02\x01a\x05\x00\x01b\x00\xac\x02"},
		"GCounter":            {g, "G\x01\x01a\x07"},
		"LWWRegister":         {lww, "L\x01a\xc8\x01\x01v"},
		"MVRegister":          {mv, "V\x01\x01a\x01\x00\x01\x01\x01v\x01\x00\x02"},
		"GSet":                {gs, "E\x02\x01x\x01y"},
		"ORSet":               {or, "S\x02\x01a\x01\x00\x00\x01b\x01\x00\x00\x01\x01y\x01\x01\x01"},
		"EnableFlag":          {flag, "F\x01\x01a\x01\x00\x00\x01\x00\x01"},
		"MaxMap":              {mm, "A\x01\x01x\x01"},
		"Tally":               {tally, "T\x01\x01a\x01\x00\x00\x01\x00\x01\x01\x06\x01\x06"},
		"Cart":                {cart, "C\x02\x01a\x01\x00\x01\x01b\x01\x00\x00\x02\x01x\x02\x00\x01\x02\x0a\x01\x04\x01\x01\x01\x02\x00\x01y\x01\x00\x02\x01\x02\x00"},
		"ORMap[*ORSet]":       {m, "MS\x01\x01a\x01\x00\x00\x01\x01k\x01\x01x\x01\x00\x01"},
		"ORMap[*ORMap...]":    {deep, "MMT\x01\x01a\x01\x00\x00\x01\x01k\x01\x01l\x01\x00\x01\x01\x02\x00"},
		"CausalContext":       {context, "X\x01\x01a\x02\x00\x00\x01\x01"},
		"Digest of the cart":  {cart.Digest(), "D\x02\x01a\x01\x00\x01\x01b\x01\x00\x00\x02\x00\x00\x02\x01\x00\x00\x01\x00\x01\x00\x00\x01\x00"},
		"Digest of the count": {pn.Digest(), "D\x02\x01a\x01\x00\x04\x01b\x01\x00\xab\x02\x00\x00"},
	}
}

func TestEncodingNeverChanges(t *testing.T) {
	for kind, s := range specimens() {
		if data, err := s.state.MarshalBinary(); err != nil || string(data) != s.encoding {
			t.Errorf("%s: %+q, written down as %+q, %v", kind, data, s.encoding, err)
		}
		if err := s.state.UnmarshalBinary([]byte(s.encoding)); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestNoKindTakesTheEncodingOfAnother(t *testing.T) {
	all := specimens()
	for kind, s := range all {
		for other, alien := range all {
			if kind[:4] != other[:4] && s.state.UnmarshalBinary([]byte(alien.encoding)) == nil {
				t.Errorf("a %s takes the encoding of a %s", kind, other)
			}
		}
	}
	var sets crdt.ORMap[*crdt.ORSet]
	var registers crdt.ORMap[*crdt.MVRegister]
	sets.Update("k", func(s *crdt.ORSet) *crdt.ORSet { return s.Add("a", "x") })
	data, _ := sets.MarshalBinary()
	if registers.UnmarshalBinary(data) == nil {
		t.Error("a map of registers takes the encoding of a map of sets")
	}
}

func TestEveryCutOffEncodingIsRefused(t *testing.T) {
	for kind, s := range specimens() {
		for n := range len(s.encoding) {
			if s.state.UnmarshalBinary([]byte(s.encoding[:n])) == nil {
				t.Errorf("%s: takes %d of %d bytes", kind, n, len(s.encoding))
			}
		}
	}
}
