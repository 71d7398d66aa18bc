package discovery

import (
	"math/rand/v2"
	"time"
)

// pace decides how long to wait for the next lookup of one source. It is pure.
type pace struct {
	interval, retryMin, retryMax time.Duration
	jitter                       float64
	rand                         *rand.Rand
	failures                     int // in a row
}

// next returns the pause after a lookup.
func (p *pace) next(failed bool) time.Duration {
	if !failed {
		p.failures = 0
		return p.vary(p.interval)
	}
	wait := p.retryMin
	for range p.failures {
		if wait *= 2; wait >= p.retryMax {
			break
		}
	}
	if p.failures < 63 {
		p.failures++
	}
	return p.vary(min(wait, p.retryMax))
}

// vary returns d within its jitter, evenly.
func (p *pace) vary(d time.Duration) time.Duration {
	return d + time.Duration((2*p.rand.Float64()-1)*p.jitter*float64(d))
}
