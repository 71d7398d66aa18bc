package sim

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Faults are what goes wrong, and how often.
type Faults struct {
	// Loss and Duplicate are the fractions of messages that are lost, and that
	// come twice.
	Loss, Duplicate float64
	// Delay is the mean time from one node to another, without Jitter, which
	// is by what fraction of its least time a message may be late.
	Delay  time.Duration
	Jitter float64
	// Churn is how often each node crashes, starts again, joins anew or leaves
	// in a minute. Breaks is how often each loses one of its connections.
	Churn, Breaks float64
	// Silent is the fraction of crashes that are Silence. The others are half
	// OnSend, half Reset.
	Silent float64
	// Partition is the fraction of nodes that the others cannot reach, nor they
	// these, for every other half of partitionPeriod.
	Partition float64
	// Asymmetric is the fraction of ordered pairs of which the first does not
	// reach the second, at those times.
	Asymmetric float64
}

// partitionPeriod is the time from one partition to the next: half of it is
// long enough for links to break, and for views to change.
const partitionPeriod = 40 * time.Second

// String lists the rates.
func (f Faults) String() string {
	var b strings.Builder
	rate := func(name string, v float64) {
		fmt.Fprintf(&b, ", %s %s", name, strconv.FormatFloat(v, 'g', 4, 64))
	}
	fmt.Fprintf(&b, "delay %v", f.Delay)
	rate("jitter", f.Jitter)
	rate("loss", f.Loss)
	rate("duplicate", f.Duplicate)
	rate("churn", f.Churn)
	b.WriteString("/min")
	rate("breaks", f.Breaks)
	b.WriteString("/min")
	rate("silent", f.Silent)
	rate("partition", f.Partition)
	rate("asymmetric", f.Asymmetric)
	return b.String()
}

func (f Faults) valid() error {
	var errs []error
	for _, rate := range []struct {
		name string
		v    float64
		most float64
	}{
		{"Loss", f.Loss, 1}, {"Duplicate", f.Duplicate, 1}, {"Silent", f.Silent, 1},
		{"Partition", f.Partition, 1}, {"Asymmetric", f.Asymmetric, 1},
		{"Jitter", f.Jitter, 100}, {"Churn", f.Churn, 60}, {"Breaks", f.Breaks, 60},
	} {
		if !(rate.v >= 0 && rate.v <= rate.most) {
			errs = append(errs, fmt.Errorf("sim: Faults.%s %v is not between 0 and %v", rate.name, rate.v, rate.most))
		}
	}
	if f.Delay <= 0 || f.Delay > time.Second {
		errs = append(errs, fmt.Errorf("sim: Faults.Delay %v is not between 0 and 1 s", f.Delay))
	}
	return errors.Join(errs...)
}

// slowest returns the longest that a message takes, from one corner of the map to the
// other.
func (f Faults) slowest() time.Duration {
	return time.Duration(float64(f.Delay) * (1 + f.Jitter) * (nearest + (1-nearest)/meanDistance*math.Sqrt2))
}

// disturbs says whether there are faults besides those of messages.
func (f Faults) disturbs() bool {
	return f.Churn > 0 || f.Breaks > 0 || f.Partition > 0 || f.Asymmetric > 0
}

// cuts says who does not reach whom.
type cuts struct {
	parted bool   // groups do not reach each other
	oneWay bool   // some pairs are one-way
	salt   uint64 // which
	below  uint64 // a pair is one-way if its hash is below that
}

// blocked reports whether what node i sends does not reach node j.
func (w *world) blocked(i, j int32) bool {
	c := &w.cuts
	if c.parted && w.nodes[i].group != w.nodes[j].group {
		return true
	}
	return c.oneWay && mix(c.salt^uint64(uint32(i))<<32^uint64(uint32(j))) < c.below
}

// parted reports whether one of the two does not reach the other: then they
// cannot make a link, and one that they have breaks.
func (w *world) parted(i, j int32) bool { return w.blocked(i, j) || w.blocked(j, i) }

// mix is a hash of x: splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
