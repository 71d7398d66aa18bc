package plumtree

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := New(Config{
		Self: overlay.Node{Name: "x"}, Lazy: -1, First: -2, Exchange: time.Nanosecond, Retain: time.Hour, Forget: time.Minute,
		Threshold: -1, MaxBytes: 5, MaxPayload: 6, MaxOrigins: -1, MaxIHave: -1,
	})
	for _, want := range []string{`"x" is not name@address`, "Rand", "Lazy", "First", "Exchange", "Forget", "Threshold",
		"MaxPayload 6 is more", "MaxOrigins", "MaxIHave"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in: %v", want, err)
		}
	}
}

func TestZeroConfigMeansTheDefaults(t *testing.T) {
	c, err := New(Config{Self: node("a"), Rand: rand.New(rand.NewPCG(1, 1)), Retain: 20 * time.Hour, MaxBytes: 100})
	if err != nil {
		t.Fatal(err)
	}
	if c.cfg.First != DefaultFirst || c.cfg.MaxIHave != DefaultMaxIHave {
		t.Errorf("%+v", c.cfg)
	}
	if c.cfg.Forget != 40*time.Hour || c.cfg.MaxPayload != 100 {
		t.Errorf("what follows from other fields is Forget %v, MaxPayload %d", c.cfg.Forget, c.cfg.MaxPayload)
	}
	if !c.Deadline().IsZero() {
		t.Error("there is something to do before the first event")
	}
}
