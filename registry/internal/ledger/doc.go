// Package ledger is a table that every node has a copy of and in which each
// node writes its own part only: the pure core below names, groups and
// placement.
//
//	owner a                          replica of a's part on b
//	Put, Delete ──▶ Update{changes} ──▶ applied in order
//	             ──▶ Have{seq, sum} ──▶ another sum? something was lost:
//	             ◀── Ask{256 sums}  ──── this is what I have
//	Page{buckets that differ} ──▶ … until the last page
//
// Since there is one writer for each part there are no conflicts here; what it
// means that two parts have the same key is for the layer above to say.
//
// A part's records are spread over 256 buckets by a hash of their keys, and
// each bucket has a sum of its records' keys and versions. So two copies find
// out what differs by 2 KiB, and send that only. Pages have a bounded size, and
// are sent one at a time, as they are asked for.
//
// # What happens when a node is lost
//
// Its part is parked: it is as if it were empty, but kept for a while. When the
// same incarnation is back, only what differs is sent; until that is complete
// the part stays hidden, lest something long gone come back for a moment.
//
// # What it needs
//
// Between two nodes messages must arrive in the order sent, and may be lost.
package ledger
