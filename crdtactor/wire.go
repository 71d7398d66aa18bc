package crdtactor

// The messages that replicas on different nodes send to each other. They are
// exported for the wire codec only; see [WireTypes].
type (
	// Hello says that the replica ID on Node is new.
	Hello struct {
		Node string
		ID   string
	}
	// Delta carries the changes After+1 … UpTo of the replica ID on Node or, if
	// Full, its whole state after the change UpTo. UpTo is zero if no
	// acknowledgement is wanted.
	Delta struct {
		Node  string
		ID    string
		After uint64
		UpTo  uint64
		Full  bool
		Data  []byte
	}
	// Ack says that the replica ID on Node holds all changes of the replica Of
	// up to UpTo.
	Ack struct {
		Node string
		ID   string
		Of   string
		UpTo uint64
	}
	// Sum is a hash of the state of the replica ID on Node. With Ask the
	// receiver answers even if its own is the same.
	Sum struct {
		Node string
		ID   string
		Sum  uint64
		Ask  bool
	}
)

// WireTypes returns a value of every type that replicas send to other nodes,
// to be registered with the cluster's codec.
func WireTypes() []any { return []any{Hello{}, Delta{}, Ack{}, Sum{}} }
