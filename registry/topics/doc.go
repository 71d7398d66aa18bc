// Package topics is publish and subscribe for the whole cluster, on process
// groups.
//
//	Publish("news", m) on node a
//	   ├──▶ relay of "news" on a ──▶ subscribers on a
//	   └──▶ relay of "news" on b ──▶ subscribers on b     one message for b,
//	                                                      however many they are
//
// The smallest program:
//
//	t, err := topics.Start(ctx, topics.Config{System: sys, Groups: g})
//	err = t.Subscribe(ctx, "news", pid)
//	_, err = t.Publish(sys, "news", Headline{"..."})
//
// Each node has, for each topic that somebody on it subscribes to, one process,
// the relay, which is a member of the topic's group. Publishing is sending to
// the members of that group; a subscriber receives the message itself. On one
// node it is not copied or encoded: all subscribers share it, and must not
// change it.
//
// # What is promised
//
// A message reaches each subscriber at most once, and not at all if its node is
// lost on the way; with actor.Ack it is in the relay's mailbox of each node that
// was known to subscribe, once, or a dead letter says that this is unknown.
// What one process publishes to a topic reaches each subscriber in that order;
// there is no order between publishers. Who subscribes hears what is published
// on the same node after Subscribe has returned, and on other nodes as soon as
// they know of it.
//
// # What happens when something crashes
//
// A subscriber that ends is forgotten. A node that is lost has no subscribers
// any more, until it is back. A relay that ends is replaced; what was in its
// mailbox is lost, as with the node. A subscriber whose mailbox is bounded and
// blocks holds up the others of its topic on its node: let it drop instead.
//
// # Options
//
// Publish takes the options of a send: actor.Ack, actor.Channel, actor.Key,
// actor.Causal, actor.Unordered, actor.Traced.
package topics
