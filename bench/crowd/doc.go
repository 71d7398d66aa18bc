// Package crowd starts the nodes of a benchmark as operating-system processes, and
// lets them be killed, stopped and started again.
//
//	director                          member, the same program once more
//	Start(i, setup)   ── -member ──▶  Serve(setup, in, out)
//	Tell(i, command)  ── JSON ─────▶
//	Next              ◀── JSON ─────  events
//	Kill, Stop, Continue, End
//
// A member whose director is gone reads the end of its input and ends itself.
// A process that was killed has its [Heard] with Gone after all of its events; it
// can then be started again, at the same address, as the next life of that member.
package crowd
