// Package memory is a network within one process, for tests: hosts that listen
// and dial, and a network that can be slow, cut and parted.
//
//	host a --Dial--> network --Accept--> host b
//	                 latency, Cut, Partition, Kill
//
//	network := memory.NewNetwork()
//	listener, err := network.Host("a").Listen("a:0")
//	conn, err := network.Host("b").Dial(ctx, listener.Addr().String())
//
// A [Host] is a remote.Transport. Everything waits on channels and timers only,
// so that it works in a testing/synctest bubble, in virtual time.
//
// What happens when a host crashes is up to the test: [Network.Kill] closes its
// connections, as an operating system does for a process that has ended;
// [Network.Partition] keeps the others from noticing.
package memory
