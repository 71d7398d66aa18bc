// Package groups finds processes that do the same work, on all nodes: process
// groups as in Erlang's pg.
//
//	node a                          node b
//	Join("workers", p1)   ──▶       Members("workers") = p1, p2
//	                      ◀──       Join("workers", p2)
//	Watch("workers", f):  f(Event{Joined: p1}), f(Event{Joined: p2})
//	   ╳ p2 ends          ◀──       Event{Left: p2}, on every node
//
// The smallest program:
//
//	g, err := groups.Start(ctx, groups.Config{System: sys, Cluster: cluster})
//	err = g.Join("workers", pid, map[string]string{"zone": "eu"})
//	for _, m := range g.Members("workers") {
//		err = sys.Send(m.PID, work)
//	}
//
// A group is there as long as somebody is in it. Anybody may make a process a
// member, on the node where it runs. A process may join a group several times;
// it is then listed as often, and leaves as often.
//
// # What happens when a process or node crashes
//
// A process that ends, for whatever reason, leaves all its groups, on every
// node. When a node is lost, its members leave on the others; each side of a
// partition sees its own. When the partition heals, the members are back, and
// only what has changed meanwhile is sent.
//
// # What is promised
//
// Membership is eventually consistent: a node sees its own members at once and
// those of others a message later; if that message is lost, a few seconds
// later. A member may have ended by the time it is sent to. There is no order
// between the changes of two nodes, but watchers on one node see the changes of
// a group in the order in which that node did: who watches and counts has what
// Members says. [Groups.Members] is a read without lock and allocation, of a
// list that is made anew when the group has changed.
//
// # Options
//
// [Config] says how often nodes compare what they have. [Groups.Watch] calls a
// function, [Groups.Monitor] sends messages to a process; [Groups.WatchAll] is
// for all groups at once.
package groups
