// Package pair measures one side of a comparison between two processes of the
// operating system: a server with receivers, and a client that sends to them
// and takes the figures.
//
//	parent ---- starts, ends ----+
//	  |                          |
//	client ==== the side's own connections ==== server
//	  |                                           |
//	  +------------- control connection ----------+
//
// A side is Topos, bare Go or another library, adapted by a [Side]: how to
// start its node, how to send, how to request. What is sent, counted, checked
// and timed is the same code for all of them, here, and imports nothing but the
// standard library, so that the modules of the peers can have it too: each has a
// folder pair whose files are links to these.
//
// [Main] is what such a program runs. Started with -pair server it prints one
// line, a [Ready], and serves until its standard input ends; started with
// -pair client it does one work and prints one line, a [Result].
//
// The control connection carries what is expected and what has arrived. It is
// no part of what is measured: while messages flow it is silent, except for the
// credits of sides that have no back-pressure of their own; see Side.Window.
package pair
