package actor

// Address is what a message can be sent to: a [PID], a [Name] on this node, a
// [NameAt] another node or a [ClusterName]. The set is closed. A typed [Ref] is
// made of one of them.
type Address interface {
	address()
}

// Name is a name registered on one node. As an Address it means the process
// that holds the name on the sender's own node, at the moment of sending; as a
// [SpawnOption] it registers the new process under that name.
type Name string

// NameAt is a [Name] on the node called Node ("name@host:port"), whichever
// incarnation of it is running.
type NameAt struct {
	Name Name
	Node string
}

// ClusterName is a name registered for the whole cluster through the system's
// [Names]. As a [SpawnOption] it registers the new process under that name.
type ClusterName string

func (PID) address()         {}
func (Name) address()        {}
func (NameAt) address()      {}
func (ClusterName) address() {}

// String formats n as "name on node".
func (n NameAt) String() string { return string(n.Name) + " on " + n.Node }
