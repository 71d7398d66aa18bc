package directory

import "github.com/topos-go/topos/overlay"

// Pool has what directories know, once, for all that share it and are used by one goroutine
// at a time: see [Config]. The zero Pool is empty. It forgets what none of them knows any more; one that is
// thrown away goes on knowing.
type Pool struct{ records overlay.Pool[record] }

// record is what a fact says, but for its age, and what follows from that. It is not
// changed, but replaced.
type record struct {
	node    overlay.Node
	key     uint64
	stamp   uint64
	version uint64
	meta    string
	weight  uint64 // what it adds to a sum
}

// slot is an entry of a table, with nothing in it that the collector of garbage would have
// to look at: a simulation has 10^8.
type slot struct {
	number uint32 // of its record
	order  uint32 // the first bits of the key
	up     bool   // a member, in this node's view
	faded  bool   // dead for so long that nobody is told any more
}

// entry is what a directory knows of one name; the zero entry is none. It is good until
// something is added to the table, or removed.
type entry struct {
	*slot
	*record
}

func (e entry) none() bool { return e.slot == nil }

// recordOf returns what f says.
func recordOf(f Fact) record {
	r := record{node: f.Node, key: keyOf(f.Node.Name), stamp: f.stamp(), version: f.Version, meta: f.Meta}
	h := hashString(r.key, r.node.Unique)
	h = mix(h ^ r.node.Boot)
	h = mix(h ^ r.stamp)
	h = mix(h ^ r.version)
	r.weight = mix(hashString(h, r.meta)) // of all that Same compares
	return r
}

// orderOf orders keys: that two have the same is rare, so that searching one name among
// others looks at one record.
func orderOf(key uint64) uint32 { return uint32(key >> 32) }

// fact returns what is known but the age.
func (r *record) fact() Fact {
	status, number := unstamp(r.stamp)
	return Fact{Node: r.node, Status: status, Number: number, Version: r.version, Meta: r.meta}
}

func (r *record) status() Status {
	status, _ := unstamp(r.stamp)
	return status
}
