package directory

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	names := make([]string, maxRegisters)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	_, err := New(Config{
		Self: overlay.Node{Name: "x"}, Interval: -1, MaxMeta: 1, Meta: "two", MaxMembers: 7, MaxTombstones: 7, MaxFacts: 5000,
		TryMin: time.Hour, Registers: names, SplitMin: 1, SplitPercent: 101, Doubt: time.Hour, Forget: time.Hour, MaxReports: -3,
	})
	for _, want := range []string{
		`"x" is not name@address`, "Rand", "negative: -1ns", "negative: -3", "Meta has 3", "MaxTombstones 7", "MaxFacts 5000", "TryMin", "Registers",
		"SplitMin 1", "SplitPercent 101", "Doubt",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in: %v", want, err)
		}
	}
	if _, err := New(Config{Self: overlay.Node{Name: "x@y"}, Rand: rand.New(rand.NewPCG(1, 1))}); err != nil {
		t.Errorf("the defaults are not valid: %v", err)
	}
}

func TestProposalsThatCannotBeAreErrors(t *testing.T) {
	c := quiet(t, "b", Config{Registers: []string{"weather"}, MaxValue: 3})
	for _, p := range []struct {
		name, value string
		want        error
	}{
		{"weather", "sun", nil}, {Topology, "one", nil}, {"news", "", ErrUnknownRegister}, {"weather", "rain", ErrTooLarge},
	} {
		if _, err := c.Propose(start, p.name, p.value); err != p.want {
			t.Errorf("%s=%s: %v", p.name, p.value, err)
		}
	}
	c.Step(start, Met{node("a")})
	if _, err := c.Propose(start, "weather", "fog"); err != ErrNotLowest {
		t.Error(err)
	}
	c.Step(start, Obituary{Node: node("a")})
	effects, err := c.Propose(start, "weather", "fog")
	if r, ok := c.Register("weather"); err != nil || !ok || r != (Register{"weather", 2, node("b"), "fog"}) {
		t.Errorf("%v, %v, %v", r, effects, err)
	}
	c.Step(start, Heard{Broadcast{Values: []Register{{"weather", MaxNumber, node("b"), "end"}}}})
	if _, err := c.Propose(start, "weather", "new"); err != ErrExhausted {
		t.Error(err)
	}
	if _, err := c.SetMeta(start, strings.Repeat("m", DefaultMaxMeta+1)); err != ErrTooLarge {
		t.Error(err)
	}
}
