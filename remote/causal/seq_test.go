package causal

import (
	"errors"
	"testing"
)

func TestNumbersThatAreUsedUpAreAnError(t *testing.T) {
	s := newStage(t, Config{})
	s.send("a", "b", "m1")
	s.group("a").members[node("b")].last = makeSeq(0, maxCount)
	if _, err := s.group("a").Stamp(node("b")); !errors.Is(err, ErrExhausted) {
		t.Fatal(err)
	}
	// A new epoch has new ones, until there is none.
	s.obituary("a", "b", false)
	s.met("a", "b")
	if s.send("a", "b", "m2") == 0 {
		t.Fatal(s.out.String())
	}
	s.group("a").version = maxEpoch + 10
	for _, to := range []string{"b", "c"} {
		s.obituary("a", to, false)
		s.met("a", to)
		if _, err := s.group("a").Stamp(node(to)); !errors.Is(err, ErrExhausted) {
			t.Fatal(err)
		}
	}
}

func TestSeqIsWrittenAsEpochAndCount(t *testing.T) {
	s := makeSeq(3, 14)
	if s.String() != "3.14" || s.Epoch() != 3 || s.Count() != 14 || s <= makeSeq(2, maxCount) || s.over() != makeSeq(4, 0) {
		t.Fatalf("%v: epoch %d, count %d, over %v", s, s.Epoch(), s.Count(), s.over())
	}
}
