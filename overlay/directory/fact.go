package directory

import (
	"cmp"
	"fmt"
	"time"

	"github.com/topos-go/topos/internal/hash"
	"github.com/topos-go/topos/overlay"
)

// Status is what is known of one incarnation. The zero Status is none.
type Status uint8

const (
	// Alive: it has said so, and nobody has said otherwise since.
	Alive Status = iota + 1
	// Failed: it has been silent for too long. Nobody knows why.
	Failed
	// Crashed: its machine has answered that nobody listens there any more.
	Crashed
	// Left: it has left the cluster, for good.
	Left
)

// Dead reports whether s is no member's.
func (s Status) Dead() bool { return s > Alive }

// String returns the name of s.
func (s Status) String() string {
	switch s {
	case Alive:
		return "alive"
	case Failed:
		return "failed"
	case Crashed:
		return "crashed"
	case Left:
		return "left"
	}
	return fmt.Sprintf("status %d", uint8(s))
}

const (
	// MaxNumber is the highest Number, Version and Epoch that is taken. It is
	// beyond what anything counts to, and far enough from an overflow.
	MaxNumber = 1 << 60

	// maxName bounds the name and the unique part of a node that is taken.
	maxName = 512
)

// Fact is what is said of one incarnation of one node. It is a value.
type Fact struct {
	Node   overlay.Node
	Status Status
	// Number is SWIM's incarnation number, raised by the node itself only, to
	// refute that it has failed. It has nothing to do with the node's
	// incarnation, which never changes.
	Number uint64
	// Version is that of Meta, which the node alone sets: some opaque bytes.
	Version uint64
	Meta    string
	// Age is for how long the node has been dead, 0 if it is alive. It makes
	// all nodes forget the dead at about the same time, whenever they have
	// heard of them.
	Age time.Duration
}

// Merge returns what is known if both f and g are: the least upper bound in a
// join-semilattice, so that the order in which facts come, and how often, does
// not matter. A newer incarnation has all there is to know of a name. Of one
// incarnation, [Left] is final; else the higher Number counts, and at the same
// one the higher Status; and by itself the highest Version. If f and g have
// different names, the result is f.
func (f Fact) Merge(g Fact) Fact {
	switch c := f.Node.Compare(g.Node); {
	case f.Node.Name != g.Node.Name || c > 0:
		return f
	case c < 0:
		return g
	}
	switch c := cmp.Compare(f.stamp()&^statusBits, g.stamp()&^statusBits); {
	case c < 0:
		f.Status, f.Number, f.Age = g.Status, g.Number, g.Age
	case c == 0: // of one death, the worse news and the earlier time
		f.Status, f.Age = max(f.Status, g.Status), max(f.Age, g.Age)
	}
	if c := cmp.Compare(f.Version, g.Version); c < 0 || c == 0 && f.Meta < g.Meta {
		f.Version, f.Meta = g.Version, g.Meta
	}
	return f
}

// Same reports whether f and g say the same, whatever the age.
func (f Fact) Same(g Fact) bool {
	f.Age = g.Age
	return f == g
}

// stamp is the number and the status in their order.
func (f Fact) stamp() uint64 {
	stamp := f.Number<<2 | uint64(f.Status-Alive)
	if f.Status == Left {
		stamp |= final
	}
	return stamp
}

const (
	// final is set in the stamps of those who have left.
	final = 1 << 63
	// statusBits are the status in a stamp.
	statusBits = 3
)

// unstamp is the inverse of stamp.
func unstamp(stamp uint64) (Status, uint64) {
	return Alive + Status(stamp&statusBits), stamp &^ final >> 2
}

// valid reports what keeps f from being taken.
func (f Fact) valid(maxMeta int) error {
	switch {
	case f.Status < Alive || f.Status > Left:
		return fmt.Errorf("directory: %v of %v", f.Status, f.Node)
	case f.Number > MaxNumber || f.Version > MaxNumber:
		return fmt.Errorf("directory: number %d or version %d of %v", f.Number, f.Version, f.Node)
	case len(f.Meta) > maxMeta:
		return fmt.Errorf("directory: %d bytes of metadata of %v", len(f.Meta), f.Node)
	case f.Age < 0:
		return fmt.Errorf("directory: %v is dead for %v", f.Node, f.Age)
	}
	return validNode(f.Node)
}

func validNode(n overlay.Node) error {
	if len(n.Name) > maxName || len(n.Unique) > maxName {
		return fmt.Errorf("directory: the name of a node has %d bytes", max(len(n.Name), len(n.Unique)))
	}
	return n.Valid()
}

// keyOf places a name: its first bits are the bucket. All nodes agree on it, so
// it must never change.
func keyOf(name string) uint64 { return mix(hashString(offset, name)) }

// offset and prime are FNV-1a's.
const (
	offset = 14695981039346656037
	prime  = 1099511628211
)

func hashString(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return (h ^ uint64(len(s))) * prime
}

// mix spreads what FNV leaves in the low bits: a step of SplitMix64.
func mix(h uint64) uint64 { return hash.Mix(h + 0x9e3779b97f4a7c15) }
