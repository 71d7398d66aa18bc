// Package trial measures a failure detector, whoever's it is: how soon a group
// of nodes knows that one of them has fallen silent, how often it is wrong, and
// what it costs.
//
//	Measure(plan, group, book)
//	   |  Wait, Kill, Replace ...      group: nodes on a network in memory
//	   |                                 |  Suspected, Failed, Sent
//	   +------------- book <-------------+
//
// A group has the nodes and the network, and writes down in a [Book] what they
// say. [Measure] first lets the group alone, and then has one node after the
// other fall silent. Time is the group's: virtual in a simulator, and in a bubble
// of testing/synctest what that says.
//
// The package imports nothing but the standard library, and is linked into the
// modules that are measured beside Topos.
package trial
