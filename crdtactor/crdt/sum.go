package crdt

import (
	"math"
	"math/bits"
)

// sum adds up 64-bit numbers in 128 bits of two's complement, so that the
// order of adding never matters and only the result is cut to size. The zero
// sum is 0.
type sum struct {
	hi, lo uint64
}

func (s *sum) addUnsigned(n uint64) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, n, 0)
	s.hi += carry
}

func (s *sum) subUnsigned(n uint64) {
	var borrow uint64
	s.lo, borrow = bits.Sub64(s.lo, n, 0)
	s.hi -= borrow
}

// add adds n.
func (s *sum) add(n int64) {
	if n >= 0 {
		s.addUnsigned(uint64(n))
	} else {
		s.subUnsigned(magnitude(n))
	}
}

// sub subtracts n.
func (s *sum) sub(n int64) {
	if n >= 0 {
		s.subUnsigned(uint64(n))
	} else {
		s.addUnsigned(magnitude(n))
	}
}

// int64 returns the sum, or the nearest int64.
func (s *sum) int64() int64 {
	switch fits := int64(s.hi) == int64(s.lo)>>63; {
	case fits:
		return int64(s.lo)
	case int64(s.hi) < 0:
		return math.MinInt64
	default:
		return math.MaxInt64
	}
}

// uint64 returns the sum, which must not be negative, or the nearest uint64.
func (s *sum) uint64() uint64 {
	if s.hi != 0 {
		return math.MaxUint64
	}
	return s.lo
}

// magnitude returns the absolute value of a negative number.
func magnitude(n int64) uint64 { return -uint64(n) }
