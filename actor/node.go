package actor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unique"
)

// NodeID names one incarnation of one node. Two NodeIDs with the same Name
// and different Incarnations are the same place started twice: nothing that
// belonged to the first reaches the second.
//
// NodeID is comparable and can be a map key. The zero NodeID names no node.
type NodeID struct {
	// Name is the node's name for people and for dialling, "name@host:port".
	Name string
	// Incarnation tells this start of the node from every other start.
	Incarnation Incarnation
}

// Incarnation identifies one start of a node. Incarnations of one name are
// ordered by Boot; Unique keeps two starts apart whose clocks agreed.
type Incarnation struct {
	// Boot grows from start to start of the same node name.
	Boot uint64
	// Unique is a short random text without '/' and without white space.
	Unique string
}

// IsZero reports whether n names no node.
func (n NodeID) IsZero() bool { return n == NodeID{} }

// Less orders NodeIDs by name, then by incarnation: the order in which ties
// between nodes are settled everywhere in Topos.
func (n NodeID) Less(m NodeID) bool {
	if n.Name != m.Name {
		return n.Name < m.Name
	}
	if n.Incarnation.Boot != m.Incarnation.Boot {
		return n.Incarnation.Boot < m.Incarnation.Boot
	}
	return n.Incarnation.Unique < m.Incarnation.Unique
}

// Newer reports whether i is a later start than j.
func (i Incarnation) Newer(j Incarnation) bool {
	if i.Boot != j.Boot {
		return i.Boot > j.Boot
	}
	return i.Unique > j.Unique
}

// String formats i as "boot-unique".
func (i Incarnation) String() string {
	return strconv.FormatUint(i.Boot, 36) + "-" + i.Unique
}

// String formats n as "name/boot-unique".
func (n NodeID) String() string {
	if n.IsZero() {
		return ""
	}
	return n.Name + "/" + n.Incarnation.String()
}

// ParseNodeID is the inverse of [NodeID.String].
func ParseNodeID(s string) (NodeID, error) {
	if s == "" {
		return NodeID{}, nil
	}
	slash := strings.LastIndexByte(s, '/')
	if slash < 0 {
		return NodeID{}, fmt.Errorf("actor: node %q has no incarnation", s)
	}
	boot, uniq, ok := strings.Cut(s[slash+1:], "-")
	if !ok {
		return NodeID{}, fmt.Errorf("actor: node %q has no boot number", s)
	}
	n, err := strconv.ParseUint(boot, 36, 64)
	if err != nil || strconv.FormatUint(n, 36) != boot {
		return NodeID{}, fmt.Errorf("actor: node %q has a malformed boot number", s)
	}
	id := NodeID{Name: s[:slash], Incarnation: Incarnation{Boot: n, Unique: uniq}}
	return id, id.valid()
}

// valid reports what keeps n from being a node's identity.
func (n NodeID) valid() error {
	var errs []error
	if n.Name == "" || strings.ContainsAny(n.Name, "/<> \t\r\n") {
		errs = append(errs, fmt.Errorf("actor: node name %q must not be empty nor contain '/', '<', '>' or white space", n.Name))
	}
	if strings.ContainsAny(n.Incarnation.Unique, "/<> \t\r\n") {
		errs = append(errs, fmt.Errorf("actor: incarnation %q must not contain '/', '<', '>' or white space", n.Incarnation.Unique))
	}
	return errors.Join(errs...)
}

// NodeHandle is a NodeID made one word long: equal handles are equal nodes.
type NodeHandle = unique.Handle[NodeID]
