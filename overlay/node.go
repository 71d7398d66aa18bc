package overlay

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Node is one incarnation of one node: the same place started twice is two
// Nodes. It is comparable; the zero Node is none.
//
// It says the same as the kernel's node identity, and is a type of its own
// because the overlay's protocols stand beside the kernel, not on it.
type Node struct {
	// Name is "name@host:port": what people call the node, and where it
	// listens.
	Name string
	// Boot grows from start to start of one name.
	Boot uint64
	// Unique keeps two starts apart whose Boot is the same.
	Unique string
}

// IsZero reports whether n is no node.
func (n Node) IsZero() bool { return n == Node{} }

// Addr returns where n listens: what follows the first '@' of its name.
func (n Node) Addr() string {
	_, addr, _ := strings.Cut(n.Name, "@")
	return addr
}

// Compare orders nodes by name, then by incarnation.
func (n Node) Compare(m Node) int {
	return cmp.Or(cmp.Compare(n.Name, m.Name), cmp.Compare(n.Boot, m.Boot), cmp.Compare(n.Unique, m.Unique))
}

// Newer reports whether n is a later start of m's name than m.
func (n Node) Newer(m Node) bool { return n.Name == m.Name && n.Compare(m) > 0 }

// String formats n as "name/boot-unique".
func (n Node) String() string {
	if n.IsZero() {
		return ""
	}
	return n.Name + "/" + strconv.FormatUint(n.Boot, 36) + "-" + n.Unique
}

// Valid reports what keeps n from being a node that others can reach.
func (n Node) Valid() error {
	if n.Addr() == "" || strings.HasPrefix(n.Name, "@") {
		return fmt.Errorf("overlay: node name %q is not name@address", n.Name)
	}
	return nil
}
