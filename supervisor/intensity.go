package supervisor

import (
	"math"
	"time"
)

// Intensity is how many restarts a supervisor tolerates within its Period; see
// [AtMost]. The zero Intensity tolerates one, which is OTP's default.
//
// It is not a plain number so that zero can be said and be told from silence.
type Intensity struct{ limit int } // 0: the default; n > 0: n-1; negative: as given

// defaultIntensity is OTP's.
const defaultIntensity = 1

// AtMost tolerates n restarts within the Period. AtMost(0) tolerates none: the
// first child that would have to be restarted ends the supervisor.
func AtMost(n int) Intensity {
	if n < 0 {
		return Intensity{n}
	}
	return Intensity{min(n, math.MaxInt-1) + 1}
}

func (i Intensity) max() int {
	switch {
	case i.limit == 0:
		return defaultIntensity
	case i.limit > 0:
		return i.limit - 1
	}
	return i.limit
}

// window is the restarts of the last Period, the oldest first.
type window struct{ at []time.Time }

// add counts a restart and reports whether it is still tolerated: whether there
// have been no more than limit within period, both ends included.
func (w *window) add(now time.Time, limit int, period time.Duration) bool {
	old := 0
	for old < len(w.at) && now.Sub(w.at[old]) > period {
		old++
	}
	w.at = w.at[old:]
	if len(w.at) >= limit {
		return false
	}
	w.at = append(w.at, now)
	return true
}
