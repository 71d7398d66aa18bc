package pcbroadcast

import (
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := New[int](Config{
		Self: overlay.Node{Name: "x"}, Timeout: -1, Rounds: -1, Hops: -1, MaxBuffer: -1, MaxOrigins: 1, Forget: time.Nanosecond,
	})
	for _, want := range []string{`"x" is not name@address`, "Timeout", "Rounds", "Hops", "MaxBuffer", "MaxOrigins 1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %s in: %v", want, err)
		}
	}
	if _, err := New[int](Config{Self: overlay.Node{Name: "x@y"}, Forget: time.Second}); err == nil || !strings.Contains(err.Error(), "Forget 1s") {
		t.Errorf("%v", err)
	}
	if _, err := New[int](Config{Self: overlay.Node{Name: "x@y"}}); err != nil {
		t.Errorf("the defaults are not valid: %v", err)
	}
}
