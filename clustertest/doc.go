// Package clustertest runs a cluster within a test: real nodes in one process,
// on a network that the test controls, in virtual time.
//
//	test --Partition, Kill, Pause, Latency--> network in memory
//	  |                                        |     |     |
//	  |                                       n0    n1    n2    topos.Nodes
//	  |                                        |     |     |
//	  +--Hold, Drop, Delay, Duplicate--> messages as they arrive
//
// The smallest test:
//
//	func TestNodesMeetAgainAfterAPartition(t *testing.T) {
//		clustertest.Run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
//			c.Partition([]int{0, 1}, []int{2})
//			c.WaitMembers(2, 0, 1)
//			c.WaitMembers(1, 2)
//			c.Heal()
//			c.WaitMembers(3)
//		})
//	}
//
// It takes seconds of virtual time and milliseconds of real time, because
// everything runs in a bubble of [testing/synctest], whose clock goes on when
// nothing else can. [Run] makes the bubble; a test that is in one already calls
// [New]. Outside a bubble, [New] gives a cluster in real time.
//
// # What happens when a node crashes
//
// That is what this package is for. [Cluster.Kill] ends a node as SIGKILL does
// and [Cluster.Restart] starts it anew, as a newer incarnation with the folder
// it had; [Cluster.Stop] lets it leave in order. [Cluster.Pause] is SIGSTOP: the
// node falls silent and later comes back as the same. [Cluster.Partition],
// [Cluster.Part], [Cluster.Block] and [Cluster.Isolate] keep nodes from each
// other that are all well, and [Cluster.Heal] ends that.
//
// What a handler does to its node, and what the nodes do about it, is as in
// production: nothing of them is replaced but the transport.
//
// # Messages
//
// The network carries bytes as TCP does: it can delay them or break connections,
// but not lose, double or reorder messages. Rules do that, where a message has
// just arrived at a node:
//
//	held := c.Hold(clustertest.PayloadOf[Order](), clustertest.To(2))
//	// ... something sends orders to n2 ...
//	first := held.Await()
//	first.Duplicate()
//	held.Release()
//
// [Cluster.Hold] holds what its matches match until the test delivers or drops
// it; [Cluster.Drop], [Cluster.Delay] and [Cluster.Duplicate] act by themselves;
// [Cluster.PauseDelivery] holds everything. A rule keeps messages of one sender
// and receiver in order, as the nodes promise, unless [Held.Overtake] or
// [Rule.Overtake] asks for something else. What is sent with acknowledgement or
// causal order is repaired above the rules: a dropped message is sent again, and
// one that comes too early waits.
//
// # Waiting
//
// [Cluster.Settle] returns when all that can happen now has happened,
// [Cluster.Pass] lets time pass, [Cluster.Eventually] and [Cluster.Never] look
// at a condition, and [Cluster.WaitMembers] waits until nodes see each other.
// Timeouts may be generous: virtual time costs nothing.
//
// # When a test fails
//
// It prints what was done to the cluster and to messages, and when, with the
// seed of what was drawn at random; the nodes' logs carry the same clock. The
// same seed, given by [Seed] or in the environment as TOPOS_CLUSTERTEST_SEED,
// draws the same again: [Cluster.Rand], jitter and breaks of each link, chances.
//
// A bubble makes time virtual, not the order of goroutines: two runs with one
// seed may differ in which of two things happens first that happen at the same
// moment, and so in what is drawn for which message, as well as in the nodes'
// own randomness. Exact replay needs a world with a single thread; for the
// protocols' pure cores there is one, and it is not this.
//
// # Options
//
// [Types] registers message types, [Errors] errors, [WithConfig] changes nodes'
// configurations, [Seed] repeats. Messages within a node are not copied, here as in production:
// a test that is to find shared memory runs with the race detector.
package clustertest
