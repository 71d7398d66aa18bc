//go:build unix

package crowd_test

import (
	"os"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/crowd"
)

func TestStoppedMemberAnswersWhenItGoesOn(t *testing.T) {
	c := newCrowd(t, 1)
	started(t, c, 0, "")
	if err := c.Stop(0); err != nil {
		t.Fatal(err)
	}
	// A thread that runs is stopped at its next interrupt, so the first may be answered.
	silent := false
	for range 20 {
		c.Tell(0, order{Word: "this"})
		if _, err := next(t, c, 200*time.Millisecond); err != nil {
			silent = true
			break
		}
	}
	if !silent {
		t.Fatal("a stopped member goes on answering")
	}
	if err := c.Continue(0); err != nil {
		t.Fatal(err)
	}
	expect(t, c, crowd.Heard[string]{Event: "heard this"})
}

func TestEndEndsStoppedMembersToo(t *testing.T) {
	c := newCrowd(t, 2)
	for i := range c.Len() {
		started(t, c, i, "")
	}
	if err := c.Stop(1); err != nil {
		t.Fatal(err)
	}
	c.End()
	for i := range c.Len() {
		if p, err := os.FindProcess(c.Pid(i)); err == nil && p.Kill() == nil {
			t.Errorf("member %d has not been waited for", i)
		}
	}
}
