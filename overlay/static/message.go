package static

// Messages between two nodes that are linked. A relation is of one link: it
// ends, for both, with the link, so that messages need no numbers.
type (
	// Ask says that the sender has the receiver among its peers. It is
	// answered, and repeated if it is not.
	Ask struct{}

	// Agree says that the sender takes the receiver for its neighbor.
	Agree struct{}

	// Refuse says that the sender does not have the receiver among its peers
	// and does not accept others. It closes the link.
	Refuse struct{}

	// Leave says that the sender leaves the cluster, for good.
	Leave struct{}
)
