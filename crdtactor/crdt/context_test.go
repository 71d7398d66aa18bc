package crdt

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func drawContext(t *rapid.T, label string) (*CausalContext, map[Dot]bool) {
	c, dots := new(CausalContext), map[Dot]bool{}
	for range rapid.IntRange(0, 12).Draw(t, label+" dots") {
		d := Dot{
			ReplicaID(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "replica")),
			rapid.Uint64Range(1, 9).Draw(t, "seq"),
		}
		if c.Add(d) == dots[d] {
			t.Fatalf("adding %v to %v reports %v", d, c, dots[d])
		}
		dots[d] = true
	}
	return c, dots
}

func sortedDots(dots map[Dot]bool) []Dot {
	var list []Dot
	for d := range dots {
		list = append(list, d)
	}
	slices.SortFunc(list, Dot.Compare)
	return list
}

func TestContextIsASetOfDots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, inA := drawContext(t, "a")
		b, inB := drawContext(t, "b")
		if err := a.valid(); err != nil {
			t.Fatal(err)
		}
		if got := slices.Collect(a.All()); !slices.Equal(got, sortedDots(inA)) {
			t.Fatalf("%v yields %v", a, got)
		}
		if a.Len() != uint64(len(inA)) || a.IsZero() != (len(inA) == 0) {
			t.Fatalf("%v has %d dots, want %d", a, a.Len(), len(inA))
		}
		if a.Equal(b) != slices.Equal(sortedDots(inA), sortedDots(inB)) {
			t.Fatalf("%v equals %v: %v", a, b, a.Equal(b))
		}
		left := a.minus(b)
		for d := range left.All() {
			if !inA[d] || inB[d] {
				t.Fatalf("%v minus %v is %v", a, b, &left)
			}
		}

		joined := a.Clone()
		changed := joined.Join(b)
		for d := range inB {
			inA[d] = true
		}
		if got := slices.Collect(joined.All()); !slices.Equal(got, sortedDots(inA)) {
			t.Fatalf("%v joined with %v is %v", a, b, joined)
		}
		if changed == joined.Equal(a) {
			t.Fatalf("joining %v to %v reports %v", b, a, changed)
		}

		data, _ := joined.MarshalBinary()
		var decoded CausalContext
		if err := decoded.UnmarshalBinary(data); err != nil || !decoded.Equal(joined) {
			t.Fatalf("%v decodes to %v, %v", joined, &decoded, err)
		}
	})
}

func TestContextClaimsNothingBelowAGap(t *testing.T) {
	var c CausalContext
	c.Add(Dot{"a", 1})
	c.Add(Dot{"a", 7})
	for seq := uint64(2); seq < 7; seq++ {
		if c.Contains(Dot{"a", seq}) {
			t.Errorf("claims a:%d, which it never heard of", seq)
		}
	}
	if got := c.String(); got != "{a:1,7}" {
		t.Error(got)
	}
}

func TestContextIsOneSpanAReplicaOnceGapsAreFilled(t *testing.T) {
	var c CausalContext
	for seq := uint64(1000); seq > 0; seq-- { // the worst order
		c.Add(Dot{"a", seq})
		c.Add(Dot{"b", (seq*7)%1000 + 1})
	}
	if got := c.String(); got != "{a:1-1000 b:1-1000}" {
		t.Error(got)
	}
	if data, _ := c.MarshalBinary(); len(data) > 20 {
		t.Errorf("%d bytes", len(data))
	}
}

func TestNextDotComesAfterEverythingHeardOfGapsIncluded(t *testing.T) {
	var c CausalContext
	c.Add(Dot{"a", 2})
	c.Add(Dot{"a", 5})
	if got := c.Next("a"); got != (Dot{"a", 6}) {
		t.Error(got)
	}
	if got := c.Next("b"); got != (Dot{"b", 1}) {
		t.Error(got)
	}
	if got := c.Next("b"); got != (Dot{"b", 2}) {
		t.Error(got)
	}
}

func TestContextRefusesDotsThatNameNothing(t *testing.T) {
	var c CausalContext
	if c.Add(Dot{"a", 0}) || c.Add(Dot{"a", maxSeq + 1}) || !c.IsZero() {
		t.Errorf("%v", &c)
	}
	if !c.Add(Dot{"a", maxSeq}) {
		t.Error("refuses the last sequence number")
	}
	mustPanic(t, "past the last sequence number", func() { c.Next("a") })
	mustPanic(t, "on an empty replica id", func() { c.Next("") })
	mustPanic(t, "on an empty replica id", func() { c.Add(Dot{"", 1}) })
	data, _ := c.MarshalBinary()
	var decoded CausalContext
	if err := decoded.UnmarshalBinary(data); err != nil || !decoded.Equal(&c) {
		t.Errorf("%v: %v", &decoded, err)
	}
}

func TestContextLeavesItsArgumentAlone(t *testing.T) {
	var a, b CausalContext
	b.Next("b")
	a.Join(&b)
	a.Next("b")
	if b.Last("b") != 1 {
		t.Errorf("the joined context grew to %v", &b)
	}
	clone := a.Clone()
	clone.Next("b")
	if a.Last("b") != 2 {
		t.Errorf("the cloned context grew to %v", &a)
	}
	if a.Join(nil) || a.Join(&a) {
		t.Error("joining nothing changes something")
	}
}

func TestContextDecodesOnlyItsCanonicalForm(t *testing.T) {
	for what, data := range map[string]string{
		"nothing":               "",
		"another kind":          "D\x00",
		"no count":              "X",
		"bytes left over":       "X\x00\x00",
		"integer too long":      "X\x80\x00",
		"empty id":              "X\x01\x00\x01\x00\x00",
		"no spans":              "X\x01\x01a\x00\x00\x00",
		"ids out of order":      "X\x02\x01b\x01\x00\x00\x01a\x01\x00\x00",
		"id twice":              "X\x02\x01a\x01\x00\x00\x01a\x01\x00\x00",
		"cut short":             "X\x01\x01a\x01\x00",
		"more ids than bytes":   "X\xff\xff\xff\xff\x0f",
		"more spans than bytes": "X\x01\x01a\xff\xff\xff\xff\x0f\x00\x00",
		"span past the last":    "X\x01\x01a\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
		"seq above the last":    "X\x01\x01a\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00",
	} {
		c := CausalContext{known: []known{{replica: "kept", seqs: spans{{1, 1}}}}}
		if err := c.UnmarshalBinary([]byte(data)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", what, err)
		}
		if !c.Contains(Dot{"kept", 1}) {
			t.Errorf("%s: a failed decode changed the context", what)
		}
	}
}

func mustPanic(t *testing.T, why string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("no panic %s", why)
		}
	}()
	f()
}
