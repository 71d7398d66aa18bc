package pcbroadcast

import "fmt"

// set is a set of small numbers.
type set []uint64

func (s set) has(i int) bool { return i/64 < len(s) && s[i/64]&(1<<(i%64)) != 0 }

func (s *set) add(i int) {
	for i/64 >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[i/64] |= 1 << (i % 64)
}

func (s *set) union(o set) {
	for i, w := range o {
		if i >= len(*s) {
			*s = append(*s, 0)
		}
		(*s)[i] |= w
	}
}

// oracle knows what happened before what, of which the protocol is told nothing:
// it numbers the broadcasts, and keeps for each those that happened before it,
// and for each incarnation of a node those that it has delivered or that happened
// before one of them.
type oracle struct {
	past      []set // by broadcast
	origin    []string
	known     map[string]*set // by incarnation
	delivered map[string]*set
}

func newOracle() *oracle {
	return &oracle{known: make(map[string]*set), delivered: make(map[string]*set)}
}

func of(m map[string]*set, at string) *set {
	if m[at] == nil {
		m[at] = new(set)
	}
	return m[at]
}

// broadcast numbers what at is about to broadcast.
func (o *oracle) broadcast(at string) int {
	past := append(set(nil), *of(o.known, at)...)
	o.past, o.origin = append(o.past, past), append(o.origin, at)
	return len(o.past) - 1
}

// deliver says what is wrong with at's delivering m now.
func (o *oracle) deliver(at string, m int, origin string) error {
	known, delivered := of(o.known, at), of(o.delivered, at)
	switch {
	case m < 0 || m >= len(o.past) || o.origin[m] != origin:
		return fmt.Errorf("%s delivers %d of %s, which has not broadcast it", at, m, origin)
	case delivered.has(m):
		return fmt.Errorf("%s delivers %d again", at, m)
	case known.has(m):
		for later := range o.past {
			if delivered.has(later) && o.past[later].has(m) {
				return fmt.Errorf("%s delivers %d after %d, before which it happened", at, m, later)
			}
		}
	}
	known.union(o.past[m])
	known.add(m)
	delivered.add(m)
	return nil
}
