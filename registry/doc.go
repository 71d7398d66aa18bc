// Package registry makes processes findable and keeps services running across
// the cluster: names that every node knows, and children that are declared
// once for all nodes and started again elsewhere when their node is lost.
//
//	node a                        node b                        node c
//	Register("cart/1", pid)  ──▶  Whereis("cart/1") = pid  ◀──  Whereis("cart/1") = pid
//	   │ a owns its names: it numbers the changes and tells every member
//	   ╳ a is lost           ──▶  its names vanish; Placement starts the child on b or c
//
// # Names
//
// [Names] implements actor.Names. Every node owns the names of its own
// processes and no others; it tells all members of each change, and a member
// that has missed one asks for the whole table. So Whereis is a local read. It
// is eventually consistent: for a moment, and for as long as a partition lasts,
// two nodes may see different holders. When two processes turn out to hold the
// same name, the one that was registered first keeps it; the other gets an exit
// signal with a [*ConflictError].
//
// # When a node crashes
//
// Its names vanish on every node as soon as that node sees the loss, and come
// back if it was only unreachable. The placement of each remaining node then
// computes, from the members alone, who runs the children of the lost one, and
// starts its own share under its own supervisor.
package registry
