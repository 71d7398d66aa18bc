package directory

import "github.com/topos-go/topos/overlay"

// Effects are what a [Core] wants done, in this order. Nil is nothing.
type Effects []Effect

// Effect is one thing that a [Core] wants done: [Broadcast], [Send] or [Try];
// or lets others know: [Up], [Down], [Departed], [Returned],
// [Restarted], [Updated], [Changed], [Displaced], [Full], [PartitionDetected],
// [PartitionHealed] or [PartitionEnded].
type Effect interface{ effect() }

// Broadcast: have all nodes of the cluster [Heard] this. It may be lost.
type Broadcast struct {
	// Facts are Config.MaxFacts at most.
	Facts []Fact
	// Hearsay is set if the deaths among Facts are not news: they have been
	// heard of in an exchange, and are doubted until those concerned have had
	// time to refute them.
	Hearsay bool
	// Values are registers.
	Values []Register
}

// Send: send Message to To, a member or one that has just been met, whether
// there is a link or one must be made. It may be lost.
type Send struct {
	To      overlay.Node
	Message Message
}

// Try: connect to Node, which is down but may be behind a partition. To be
// answered by a [Met] or a [TryFailed].
type Try struct{ Node overlay.Node }

// Up: Node is a member from now on, and was not known before or had left. The failure
// detector watches it as long as it is one: so with all that is up, back or restarted.
type Up struct{ Node overlay.Node }

// Down: Node is no member any more, because of Reason: [overlay.ErrSilent],
// [overlay.ErrUnreachable], or [overlay.ErrRestarted] if a newer incarnation is
// known, which is dead as well.
type Down struct {
	Node   overlay.Node
	Reason error
}

// Departed: Node is no member any more, because it has left.
type Departed struct{ Node overlay.Node }

// Returned: Node, which was down, is a member again, and has been alive all the
// time: it had been taken for dead, or was behind a partition.
type Returned struct{ Node overlay.Node }

// Restarted: New is a member, and Old, which was one or was down, is none: it
// has died. Noticed is whether it was down.
type Restarted struct {
	Old, New overlay.Node
	Noticed  bool
}

// Updated: the metadata of a member has changed.
type Updated struct{ Fact Fact }

// Changed: a register has a new value.
type Changed struct{ Register Register }

// Displaced: this node is a member no more for the others, and cannot become one
// again as this incarnation, because of Reason: [ErrSuperseded], [ErrLeft] or
// [ErrExhausted]. It must start again as a newer one, or give up. By is who has
// its name now, if it is another.
type Displaced struct {
	By     overlay.Node
	Reason error
}

// Full: there are Config.MaxMembers names, so that Node finds no place. It is
// said again only when there has been place meanwhile.
type Full struct{ Node overlay.Node }

// PartitionDetected: so many members have fallen silent at about the same time
// that the network between Sides[0], this node's, and Sides[1] is probably
// broken. It is said again, with the same ID, when the sides have changed.
// Sides are sorted and must not be changed; Leaders are the lowest of each.
type PartitionDetected struct {
	ID      uint64
	Sides   [2][]overlay.Node
	Leaders [2]overlay.Node
}

// PartitionHealed: Returned of the partition's other side are members again, as
// the same incarnations. Sides and Leaders are as last detected. Restarted have
// died meanwhile, of which a newer incarnation has been met; Missing are still
// silent, and may be behind another partition: this may be said again.
type PartitionHealed struct {
	ID                           uint64
	Sides                        [2][]overlay.Node
	Leaders                      [2]overlay.Node
	Returned, Restarted, Missing []overlay.Node
}

// PartitionEnded: nobody is missing any more of the other side. Those who never
// came back within Config.Forget count as Crashed. If none has Returned, it may
// have been no partition.
type PartitionEnded struct {
	ID                                     uint64
	Returned, Restarted, Crashed, Departed []overlay.Node
}

func (Broadcast) effect()         {}
func (Send) effect()              {}
func (Try) effect()               {}
func (Up) effect()                {}
func (Down) effect()              {}
func (Departed) effect()          {}
func (Returned) effect()          {}
func (Restarted) effect()         {}
func (Updated) effect()           {}
func (Changed) effect()           {}
func (Displaced) effect()         {}
func (Full) effect()              {}
func (PartitionDetected) effect() {}
func (PartitionHealed) effect()   {}
func (PartitionEnded) effect()    {}
