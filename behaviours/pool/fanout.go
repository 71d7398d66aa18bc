package pool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
)

// fanOut is the request to give a job to all workers. It cannot travel.
type fanOut struct {
	msg    any
	mode   fanMode
	within time.Duration
	good   func(value any) bool
}

type fanMode uint8

const (
	broadcast fanMode = iota
	scatter
	first
)

// result is what came of a job at one worker.
type result struct {
	slot  int
	value any
	err   error
}

// gather is a fan-out whose parts are being done.
type gather struct {
	fanOut
	from    actor.From
	cancel  context.CancelFunc
	results []result // by part
	left    int
}

// fan gives a job to all workers that are there.
func (p *process) fan(self *actor.Self, now time.Time, f fanOut) {
	g := &gather{fanOut: f, from: self.From()}
	ctx := p.life
	if f.mode != broadcast {
		ctx = self.Context()
		if f.within > 0 {
			ctx, g.cancel = context.WithTimeout(ctx, f.within)
		} else {
			ctx, g.cancel = context.WithCancel(ctx)
		}
	}
	var parts []*work
	var jobs []*job
	for slot := range p.desk.slots {
		if p.desk.slots[slot].state != up {
			continue
		}
		w := &work{msg: f.msg, ctx: ctx, part: g, partOf: len(parts), job: job{slot: slot, call: f.mode != broadcast}}
		p.note(w)
		parts, jobs = append(parts, w), append(jobs, &w.job)
		g.results = append(g.results, result{slot: slot})
	}
	if g.left = len(parts); g.left == 0 {
		g.answer(nil, ErrNoWorkers)
		return
	}
	effects := p.desk.offer(now, jobs...)
	if len(effects) > 0 && effects[0].kind == refuse { // all of them are
		g.answer(nil, ErrFull)
	} else if f.mode == broadcast {
		g.answer(len(parts), nil)
	}
	p.perform(self, effects)
	for _, w := range parts {
		p.watch(self, w)
	}
}

// answer tells who has asked.
func (g *gather) answer(value any, err error) {
	if g.cancel != nil {
		g.cancel() // whoever is still at it need not be
	}
	if err != nil {
		g.from.ReplyError(err)
	} else {
		g.from.Reply(value)
	}
}

// judge reports whether a reply is good. A judge that panics finds none.
func (g *gather) judge(r *result) (good bool) {
	defer func() {
		if v := recover(); v != nil {
			good, r.err = false, fmt.Errorf("judge: %w", actor.NewPanicError(v))
		}
	}()
	return g.good(r.value)
}

// settle notes how the i-th part went, and answers if that says enough.
func (g *gather) settle(i int, value any, err error) {
	g.left--
	r := &g.results[i]
	r.value, r.err = value, err
	switch {
	case g.mode == first && err == nil && g.judge(r):
		g.answer(*r, nil)
	case g.left > 0:
	case g.mode == first:
		errs := []error{ErrNoneGood}
		for _, r := range g.results {
			errs = append(errs, r.err)
		}
		g.answer(nil, errors.Join(errs...))
	case g.mode == scatter:
		g.answer(g.results, nil)
	}
}
