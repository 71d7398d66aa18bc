// Package dialect encodes what the overlay's protocols say to each other.
//
//	overlay.Message --Append--> kind, protobuf --Parse--> overlay.Message
//
//	b, err := dialect.Append(nil, hyparview.Join{Number: 1})
//	m, err := dialect.Parse(b)
//
// The protocols are pure and know nothing of bytes; this package knows all their
// messages, those of HyParView and X-BOT, of the client-server, gossip and static
// topologies, Plumtree, causal broadcast, SWIM and the directory, and also what the directory and SWIM
// have broadcast. It is pure as well, and all of it may be called concurrently.
//
// # What can come in
//
// Parse takes any bytes. What is none of these messages is an error that wraps
// [ErrMalformed], and never more memory than a small multiple of the bytes. Whether
// a message makes sense is for its protocol to say, which takes what others tell
// with care: a TTL of a million, or a node without a name, passes here.
//
// The messages of the client-server and gossip topologies are held to more, by Append
// as by Parse: each node has a name and an address, each claim is one that is made,
// and lists have an end, which Parse looks for before it takes memory. What their
// cores say keeps to that, whatever they are told. So are those of causal broadcast,
// of which each mark and each broadcast is of a node and has a number.
package dialect
