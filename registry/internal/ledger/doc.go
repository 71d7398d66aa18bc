// Package ledger is a table that every node has a copy of and in which each
// node writes its own part only: the pure core below names, groups and
// placement.
//
//	owner a                          replica of a's part on b
//	Put, Delete ──▶ Update{changes} ──▶ applied in order, held if early
//	             ──▶ Have{seq, sum} ──▶ another sum? something was lost:
//	             ◀── Ask{256 sums}  ──── this is what I have
//	Page{buckets that differ} ──▶ … until the last page
//
//	c, who has a's part, too         b
//	Vector{owner, seq, sum} ──▶ further than here? Ask it instead of a
//
// Since there is one writer for each part there are no conflicts here; what it
// means that two parts have the same key is for the layer above to say. For the
// same reason a copy is told by how many of its owner's changes it has: it is the
// owner's part as that once was, or it is known not to be ([replica]), and then
// nobody is given it.
//
// A part's records are spread over 256 buckets by a hash of their keys, and
// each bucket has a sum of its records' keys and versions. So two copies find
// out what differs by 2 KiB, and send that only. Pages have a bounded size, and
// are sent one at a time, as they are asked for.
//
// # What happens when a node is lost
//
// Its part is parked: it is as if it were empty, but kept for a while. When the
// same incarnation is back, only what differs is sent, by its owner and nobody
// else; until that is complete the part stays hidden, lest something long gone
// come back for a moment. Another's copy might be from before the loss.
//
// A node that is lost in the middle of a change has told some of it and others
// not. Who has it tells the others by vectors, as long as it is not known to be
// lost; then the part is hidden everywhere.
//
// # What it needs
//
// Updates may come in any order, twice, and not at all. Those that are said to
// have come in order, and what an Ask is answered with, must arrive in the order
// sent by one node, or not at all.
package ledger
