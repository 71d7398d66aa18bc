package overlay

// Message is what a protocol of one node says to the same protocol of another.
// Each protocol declares types of its own, and takes no others; [Ping], [Pong],
// [Nodes] and [Leaving] belong to no one of them. A message is a value: neither
// side changes it, or what it refers to, once it is sent.
type Message any

// Ping asks for a [Pong] with the same number.
type Ping struct{ Seq uint64 }

// Pong answers a [Ping].
type Pong struct{ Seq uint64 }

// Nodes are members that the sender knows of.
type Nodes struct{ Nodes []Node }

// Leaving says that the sender leaves the cluster, for good.
type Leaving struct{}
