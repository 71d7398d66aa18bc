// Package memory is a network within one process, for tests: hosts that listen
// and dial, and a network that can be slow, cut and parted.
//
//	host a --Dial--> network --Accept--> host b
//	                 latency, bandwidth, Block, Cut, Freeze, Kill
//
//	network := memory.NewNetwork()
//	listener, err := network.Host("a").Listen("a:0")
//	conn, err := network.Host("b").Dial(ctx, listener.Addr().String())
//
// A [Host] is a remote.Transport. Everything waits on channels and timers only
// and nothing has goroutines of its own, so that it works in a testing/synctest
// bubble, in virtual time, as well as outside.
//
// # What happens when a host crashes
//
// That is up to the test. [Network.Kill] closes its connections, as an operating
// system does for a process that has ended. [Network.Freeze] is a process that
// is stopped: its connections stay, and nobody reads. [Network.Partition] keeps
// the others from noticing anything but silence.
//
// # What connections promise
//
// What TCP does. Bytes arrive once and in order or the connection breaks, and
// the end comes after them. A writer is held up when 256 KiB have not been read
// and confirmed. A connection is half open when one side has closed it, or
// given it up, while nothing passes to the other. What is written in a partition
// arrives when it has healed, unless the connection was cut; here it arrives at
// once, where TCP may take a minute until it tries again.
package memory
