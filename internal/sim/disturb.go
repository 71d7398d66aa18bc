package sim

import "time"

// disturb is the phase of faults. Broadcasts go on.
func (r *run) disturb() bool {
	f := &r.cfg.Faults
	if !f.disturbs() {
		return true
	}
	r.cuts.salt = r.rng.Uint64()
	r.calm = false
	r.brokenAt, r.healedAt, r.cleanAt, r.agreedAt = r.now, 0, 0, 0
	end, next := r.now+int64(r.cfg.FaultTime), r.now
	churn, breaks := 0.0, 0.0
	every := r.cfg.FaultTime / time.Duration(max(1, r.cfg.Broadcasts))
	for r.now < end {
		r.part((r.now-r.brokenAt)/int64(partitionPeriod/2)%2 == 0)
		if i := r.alive(); i >= 0 && r.now >= next {
			r.broadcast(i, false)
			next = r.now + int64(every)
		}
		const pause = 100 * time.Millisecond
		churn += f.Churn * float64(r.living) * pause.Minutes()
		breaks += f.Breaks * float64(r.living) * pause.Minutes()
		for ; churn > r.rng.Float64(); churn-- {
			r.churn()
		}
		for ; breaks > r.rng.Float64(); breaks-- {
			r.breakLink()
		}
		if !r.run(pause) {
			return false
		}
		if r.now/int64(cycle) != (r.now-int64(pause))/int64(cycle) {
			r.demand(safety())
		}
	}
	r.say("faults are over: %d nodes live, in parts of %v", r.living, first(r.parts(), 5))
	return true
}

// part begins or ends partitions.
func (r *run) part(on bool) {
	f, c := &r.cfg.Faults, &r.cuts
	if on == (c.parted || c.oneWay) || f.Partition == 0 && f.Asymmetric == 0 {
		return
	}
	if on {
		r.cuts.salt = r.rng.Uint64()
		for i := range r.nodes {
			r.nodes[i].group = 0
			if r.rng.Float64() < f.Partition {
				r.nodes[i].group = 1
			}
		}
		c.below = uint64(f.Asymmetric * (1 << 63) * 2)
		if f.Asymmetric >= 1 {
			c.below = 1<<64 - 1
		}
	}
	c.parted, c.oneWay = on && f.Partition > 0, on && f.Asymmetric > 0
	r.note(&event{at: r.now, kind: kinds + noteCut, flag: bit(c.parted) | bit(c.oneWay)<<1})
	r.say("parted %v, one-way links %v", c.parted, c.oneWay)
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// churn has one node crash, start again, join or leave. Half of the nodes at
// least stay alive.
func (r *run) churn() {
	few := 2*r.living < r.cfg.Nodes
	switch d := r.rng.IntN(10); {
	case d < 4 && !few:
		r.stop(r.alive(), r.way())
	case d < 5 && !few:
		r.leave(r.alive())
	case d < 6 && len(r.nodes) < 2*r.cfg.Nodes && len(r.nodes) < maxNodes:
		r.start(r.add())
	case d < 7: // it is back before the others have noticed
		if i := r.alive(); i >= 0 {
			r.stop(i, r.way())
			r.start(i)
		}
	default:
		at := r.rng.IntN(len(r.nodes))
		for k := range r.nodes {
			if i := int32((at + k) % len(r.nodes)); r.nodes[i].state == dead {
				r.start(i)
				return
			}
		}
	}
}

// way is how a node crashes.
func (r *run) way() Notice {
	switch {
	case r.rng.Float64() < r.cfg.Faults.Silent:
		return Silence
	case r.rng.IntN(2) == 0:
		return Reset
	}
	return OnSend
}

// breakLink breaks a random link of a random node, or puts another in its place.
func (r *run) breakLink() {
	i := r.alive()
	if i < 0 || len(r.nodes[i].ties) == 0 {
		return
	}
	t := r.nodes[i].ties[r.rng.IntN(len(r.nodes[i].ties))]
	r.sever(t.link)
}

// mend ends everything that is wrong with the world, but not what has come of
// it. Seeds that are dead start again.
func (r *run) mend() {
	f := &r.cfg.Faults
	f.Loss, f.Duplicate, f.Churn, f.Breaks = 0, 0, 0, 0
	r.cuts.parted, r.cuts.oneWay = false, false
	r.note(&event{at: r.now, kind: kinds + noteCut})
	for i := range min(r.cfg.Seeds, len(r.nodes)) {
		if r.nodes[i].state == dead {
			r.start(int32(i))
		}
	}
}
