package swim

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := New(Config{
		Self: overlay.Node{Name: "x"}, Period: time.Second, Timeout: 2 * time.Second, Late: -1, Indirect: -1,
		Suspicion: -1, MaxFacts: 2, Witnesses: 5,
	})
	for _, want := range []string{`"x" is not name@address`, "Rand is missing", "Timeout 2s", "Late -1ns", "Indirect -1", "Suspicion -1", "MaxFacts 2", "Witnesses 5"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in: %v", want, err)
		}
	}
	if _, err := New(Config{Self: overlay.Node{Name: "x@y"}, Rand: rand.New(rand.NewPCG(1, 1))}); err != nil {
		t.Errorf("the defaults are not valid: %v", err)
	}
}
