package actor

import (
	"context"
	"time"
)

// Patient returns ctx for calls that are to wait however long it takes: if it has
// no deadline, one that nobody lives to see, so that [DefaultCallTimeout] does not
// apply.
func Patient(ctx context.Context) context.Context {
	if _, ok := ctx.Deadline(); ok {
		return ctx
	}
	return patient{ctx, time.Now().Add(100 * 365 * 24 * time.Hour)}
}

type patient struct {
	context.Context
	deadline time.Time
}

func (p patient) Deadline() (time.Time, bool) { return p.deadline, true }
