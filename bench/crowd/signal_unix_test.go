//go:build unix

package crowd

import (
	"context"
	"testing"
	"time"
)

func TestStoppedMemberAnswersWhenItGoesOn(t *testing.T) {
	c := newCrowd(t, 1)
	if err := c.Start(0, nil); err != nil {
		t.Fatal(err)
	}
	hear(t, c, limit)
	if err := c.Stop(0); err != nil {
		t.Fatal(err)
	}
	c.Tell(0, "this")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if h, err := c.Next(ctx); err == nil {
		t.Fatalf("a stopped member says %+v", h)
	}
	if err := c.Continue(0); err != nil {
		t.Fatal(err)
	}
	if h := hear(t, c, limit); h.Event != "heard this" {
		t.Fatalf("%+v", h)
	}
}

func TestEndEndsStoppedMembersToo(t *testing.T) {
	c := newCrowd(t, 2)
	for i := range c.Len() {
		if err := c.Start(i, nil); err != nil {
			t.Fatal(err)
		}
		hear(t, c, limit)
	}
	if err := c.Stop(1); err != nil {
		t.Fatal(err)
	}
	c.End()
	for i, p := range c.members {
		if p.cmd.ProcessState == nil {
			t.Errorf("member %d has not been waited for", i)
		}
	}
}
