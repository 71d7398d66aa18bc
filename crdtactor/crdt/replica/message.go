package replica

// The messages that the replicas of one state send to one another. Node is the
// name of the sending node and ID the replica on it. Their fields are encoded
// by position, so that a message costs what it says and no names.
type (
	// Root sums up a replica's state: two with equal sums hold the same. With
	// Ask the receiver answers with a Root of its own.
	Root struct {
		_      struct{} `cbor:",toarray"`
		Node   string
		ID     string
		Seq    uint64 // the last change of the sender's log that is in the sum
		Sum    uint64
		Keys   uint64 // how many there are
		Roster uint64 // the sum of the roster
		// Settled is as in Delta: equal sums say nothing where another one is
		// settled.
		Settled uint64
		Ask     bool
	}
	// Delta carries the changes After+1 … UpTo of the sender's log. Here as in
	// whatever carries states, Settled is the sum of what is settled where it
	// comes from.
	Delta struct {
		_       struct{} `cbor:",toarray"`
		Node    string
		ID      string
		Settled uint64
		After   uint64
		UpTo    uint64
		Items   []Item
	}
	// Ack says that the sender holds, on disk if it has one, all changes of
	// the log of the replica Of up to UpTo.
	Ack struct {
		_    struct{} `cbor:",toarray"`
		Node string
		ID   string
		Of   string
		UpTo uint64
	}
	// Write is a single change that must reach more nodes than its maker has
	// neighbours, or that a neighbour did not confirm in time.
	Write struct {
		_       struct{} `cbor:",toarray"`
		Node    string
		ID      string
		Settled uint64
		Seq     uint64
		Item    Item
	}
	// Wrote says that the sender holds, on disk if it has one, the Write Seq
	// of the replica Of.
	Wrote struct {
		_    struct{} `cbor:",toarray"`
		Node string
		ID   string
		Of   string
		Seq  uint64
	}
	// Pull asks the replica Of for what the sender lacks: under all keys, of
	// which Keys are those that the sender has, if Whole; under the leaves of
	// the hash tree that are named; or else for Branches where Sums differ.
	Pull struct {
		_      struct{} `cbor:",toarray"`
		Node   string
		ID     string
		Of     string
		Token  uint64
		Chunk  uint64
		Whole  bool
		Keys   []Known
		Leaves []uint64
		Sums   []Sum
	}
	// Branches answers a Pull that has Sums with the sums of the leaves below
	// those that differ.
	Branches struct {
		_       struct{} `cbor:",toarray"`
		Node    string
		ID      string
		Settled uint64
		Token   uint64
		Tops    []uint64
		Sums    []Sum
	}
	// Answer answers a Pull of keys, in as many parts as it takes. If the Pull
	// came twice there are two answers, with other serials and perhaps cut into
	// other parts.
	Answer struct {
		_       struct{} `cbor:",toarray"`
		Node    string
		ID      string
		Settled uint64
		Token   uint64
		Chunk   uint64
		Serial  uint64
		Part    uint64
		Parts   uint64
		Items   []Item
	}
	// Outdated tells the replica Of that a later one of its node is known: Latest.
	Outdated struct {
		_      struct{} `cbor:",toarray"`
		Node   string
		Of     string
		Latest string
	}
	// Roster is who is known to the sender; see [Core.Forget]. If it is whole, it
	// is all of them from the name From on and before the name To, if that is not
	// empty, and the receiver answers with what it knows better, if anything.
	Roster struct {
		_       struct{} `cbor:",toarray"`
		Node    string
		ID      string
		Whole   bool
		From    string
		To      string
		Members []Member
	}
)

// Item is a state or delta under a key.
type Item struct {
	_    struct{} `cbor:",toarray"`
	Key  string
	Data []byte
}

// Known says what a replica has under a key: the sum of its state and, if it
// has one, the encoded digest.
type Known struct {
	_      struct{} `cbor:",toarray"`
	Key    string
	Sum    uint64
	Digest []byte
}

// Sum is the sum of the states under one node of the hash tree.
type Sum struct {
	_   struct{} `cbor:",toarray"`
	At  uint64
	Sum uint64
}

// Member is what is known of one node. All of its numbers only grow, so of two
// the greater is the later. Next, Lost and Settled bound the replicas of the
// node by when they started, as their ids say; see [Core.Forget].
type Member struct {
	_    struct{} `cbor:",toarray"`
	Node string
	// Version is odd if the node may hold something that no other node does,
	// and even if it was forgotten.
	Version uint64
	// Next is above the starts of all its replicas that were heard of.
	Next uint64
	// Lost is above the starts of those that nothing is taken in from any more.
	Lost uint64
	// Settled is above the starts of those whose shares are in the past.
	Settled uint64
}

// Messages returns a value of every type of message.
func Messages() []any {
	return []any{Root{}, Delta{}, Ack{}, Write{}, Wrote{}, Pull{}, Branches{}, Answer{}, Outdated{}, Roster{}}
}
