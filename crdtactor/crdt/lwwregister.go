package crdt

import (
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// LWWRegister holds a string; of two that were set at once the one with the
// later timestamp stays and the other is lost. Use it for values where losing
// one of two concurrent writes is harmless, and an [MVRegister] where it is
// not. Never keep a whole structure in it: replacing a structure because a
// clock is newer loses the concurrent work in the older one.
//
// Timestamps are nanoseconds since 1970, from 1678 to 2262. Clocks that
// disagree make the register prefer the node whose clock is ahead, but never
// lose a write to one its writer had seen; see [LWWRegister.Set]. Ties go to
// the greater [ReplicaID].
//
// The zero LWWRegister has no value and is ready to use. See [State] for
// concurrency and ownership. It is small and always sent whole.
type LWWRegister struct {
	by    ReplicaID // "" while there is no value
	nanos int64
	value string
}

// Set replaces the value on behalf of replica, whose clock shows at, and
// returns the delta. If the clock is not past the timestamp the register has,
// the write gets the next nanosecond: it comes after everything replica has
// seen, whatever the clock says.
func (r *LWWRegister) Set(replica ReplicaID, at time.Time, value string) (delta *LWWRegister) {
	replica.mustBeNamed()
	next := LWWRegister{replica, nanoseconds(at), value}
	if r.by != "" && next.nanos <= r.nanos {
		next.nanos = r.nanos
		if r.nanos < math.MaxInt64 {
			next.nanos++
		}
	}
	delta = &next
	r.Join(delta)
	return delta
}

// nanoseconds returns at in nanoseconds since 1970, or the nearest int64.
func nanoseconds(at time.Time) int64 {
	switch {
	case at.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case at.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return at.UnixNano()
}

// Value returns the value and whether there is one.
func (r *LWWRegister) Value() (string, bool) { return r.value, r.by != "" }

// Written returns who set the value and its timestamp, in UTC; "" and the zero
// time if there is none.
func (r *LWWRegister) Written() (by ReplicaID, at time.Time) {
	if r.by == "" {
		return "", time.Time{}
	}
	return r.by, time.Unix(0, r.nanos).UTC()
}

// IsZero reports whether no value was ever set.
func (r *LWWRegister) IsZero() bool { return r.by == "" }

// Join implements [State].
func (r *LWWRegister) Join(other *LWWRegister) bool {
	if other == nil || !r.before(other) {
		return false
	}
	*r = *other
	return true
}

// before reports whether other replaces r. Values decide only when one
// [ReplicaID] has two writers; some rule must, or the states would differ.
func (r *LWWRegister) before(other *LWWRegister) bool {
	switch {
	case r.by == "" || other.by == "":
		return other.by != ""
	case r.nanos != other.nanos:
		return r.nanos < other.nanos
	case r.by != other.by:
		return r.by < other.by
	}
	return strings.Compare(r.value, other.value) < 0
}

// Clone implements [State].
func (r *LWWRegister) Clone() *LWWRegister {
	c := *r
	return &c
}

// Equal implements [State].
func (r *LWWRegister) Equal(other *LWWRegister) bool { return *r == *other }

// MarshalBinary implements [State].
func (r *LWWRegister) MarshalBinary() ([]byte, error) {
	b := appendString([]byte(kindLWWRegister), r.by)
	if r.by != "" {
		b = binary.AppendVarint(b, r.nanos)
		b = appendString(b, r.value)
	}
	return b, nil
}

// UnmarshalBinary implements [State].
func (r *LWWRegister) UnmarshalBinary(data []byte) error {
	in := reader{rest: data}
	in.kinds(kindLWWRegister)
	decoded := LWWRegister{by: ReplicaID(in.text())}
	if decoded.by != "" {
		decoded.nanos = in.varint()
		decoded.value = in.text()
	}
	if err := in.end(); err != nil {
		return err
	}
	*r = decoded
	return nil
}
