package strong

import (
	"errors"
	"testing"
)

// The same over real connections, with folders, in real time.
func TestRegistriesWorkOverTCP(t *testing.T) {
	regs := overTCP(t, 4, func(i int, c *Config) {
		if i == 3 {
			c.Client, c.Bootstrap = true, false
		} else {
			c.Dir = t.TempDir()
		}
		c.Voters = c.Voters[:3]
	})
	ctx := wait(t)
	pid := (&world{names: []string{"n0@h:1"}}).process(0, 1)
	e, err := regs[3].Register(ctx, "name", pid, IfFree())
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range regs {
		if got, err := r.LookupLinearizable(ctx, "name"); err != nil || got != e {
			t.Errorf("node %d: %v, %v", i, got, err)
		}
	}
	h, err := regs[3].Hold(ctx, "lease")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := regs[0].Acquire(ctx, "lease"); !errors.Is(err, ErrHeld) {
		t.Errorf("%v", err)
	}
	if err := h.Release(ctx); err != nil {
		t.Error(err)
	}
	if token, err := regs[0].Acquire(ctx, "lease"); err != nil || !h.Token().Less(token) {
		t.Errorf("%v, %v", token, err)
	}
}
