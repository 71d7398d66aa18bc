package pcbroadcast

import "github.com/topos-go/topos/overlay"

// Message is what one [Core] sends to another over a link.
type Message struct {
	// Link is what the receiver calls the link, so that what comes from an
	// earlier link with the same node is told apart; 0 in a [Hello].
	Link uint64
	Body Body
}

// Body is what a [Message] says: [Data], [Skip] and [Ping], which are the stream
// that a safe link carries, or [Hello], [Open], [Shut], [Refuse], [Ask], [Pong]
// and [Adopt], which are about the link itself.
type Body interface{ body() }

// Data is a broadcast. What it takes besides the payload depends neither on the
// number of nodes nor on that of messages.
type Data[T any] struct {
	Origin  overlay.Node
	Seq     uint64
	Payload T
}

// Mark says that all messages of Origin up to number Seq are settled, and all of
// earlier incarnations of its name: delivered, or never to be.
type Mark struct {
	Origin overlay.Node
	Seq    uint64
}

// Skip says that the sender has settled Marks without having delivered all.
type Skip struct{ Marks []Mark }

// Ping is passed on over safe links until it reaches To, after Hops of them at
// most. To answers with a [Pong] over its link to From.
type Ping struct {
	From, To overlay.Node
	Number   uint64
	Hops     int
}

// Hello is the first message of a link. Mine is what the sender calls the link,
// Yours what it knows the receiver to call it, 0 if nothing yet.
type Hello struct{ Mine, Yours uint64 }

// Open begins a stream, number Number of the sender. The receiver has settled
// Marks, or does so now. Adopt is set if the receiver has asked for it.
type Open struct {
	Number uint64
	Marks  []Mark
	Adopt  bool
}

// Shut ends a stream: it will begin anew.
type Shut struct{}

// Refuse says that the stream Number has not been let begin, or not go on; Full
// that there is no place for its marks.
type Refuse struct {
	Number uint64
	Full   bool
}

// Ask is a [Ping] without a way: it is answered when the receiver has settled
// Marks.
type Ask struct {
	Number uint64
	Marks  []Mark
}

// Pong answers the [Ping] or [Ask] with the same number.
type Pong struct{ Number uint64 }

// Adopt says that no stream leads to the sender, and asks for one.
type Adopt struct{}

func (Data[T]) body() {}
func (Skip) body()    {}
func (Ping) body()    {}
func (Hello) body()   {}
func (Open) body()    {}
func (Shut) body()    {}
func (Refuse) body()  {}
func (Ask) body()     {}
func (Pong) body()    {}
func (Adopt) body()   {}
