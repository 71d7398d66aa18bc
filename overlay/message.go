package overlay

// Message is what the protocols of two nodes say to each other: [Ping], [Pong],
// [Nodes] or [Leaving].
type Message interface{ message() }

// Ping asks for a [Pong] with the same number.
type Ping struct{ Seq uint64 }

// Pong answers a [Ping].
type Pong struct{ Seq uint64 }

// Nodes are members that the sender knows of.
type Nodes struct{ Nodes []Node }

// Leaving says that the sender leaves the cluster, for good.
type Leaving struct{}

func (Ping) message()    {}
func (Pong) message()    {}
func (Nodes) message()   {}
func (Leaving) message() {}
