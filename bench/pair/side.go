package pair

import "time"

// Shape is what a message is to the library.
type Shape uint8

const (
	// Note is a small message as peers of different versions would exchange it: a
	// protobuf message with one field of bytes, where the library has that.
	Note Shape = iota
	// Bytes is a small message that is the library's cheapest carrier of bytes.
	Bytes
	// Bulk is a large message; its receiver owns the bytes.
	Bulk
	// Struct is a small message of a plain type of the language.
	Struct
	// Lent is a large message whose bytes the receiver has only while it
	// handles them, so that they need not be copied or allocated.
	Lent
)

// Way is from one sender to one receiver.
type Way struct {
	// Sink is the number of the receiver.
	Sink  int
	Shape Shape
	// Apart asks for a way that what goes over others does not hold up, if
	// Side.Apart says that there is one.
	Apart bool
}

// Send sends one message. The payload is the message's from then on, except
// that of a Bulk or Lent message, which is used again and never changed. An
// error means that it was not sent, and may be tried again.
type Send func(payload []byte) error

// Client is a side's node in the client process.
type Client interface {
	// Run lets a process, or what comes closest, run f, and returns what f does.
	Run(way Way, f func(Send) error) error
	// Request sends payload to the server's echo and returns the reply.
	Request(payload []byte, timeout time.Duration) ([]byte, error)
	Close() error
}

// Server is a side's node in the server process.
type Server interface {
	// Addr is what Side.Dial is given to reach it.
	Addr() string
	Close() error
}

// Receivers are what the server's processes hand their messages to.
type Receivers struct {
	// Sinks are one for each receiving process.
	Sinks []*Sink
}

// Sinks is how many receiving processes a server has.
const Sinks = 17

// Side adapts one library.
type Side struct {
	// Serve starts a node that listens at addr: receivers that hand each
	// message's payload to Sink.Got, and an echo that answers with what it got.
	Serve func(addr string, to Receivers) (Server, error)
	// Dial starts a node that may listen at addr and is connected to the server.
	Dial func(addr, server string) (Client, error)
	// Window bounds the bytes of large messages on their way, for libraries that
	// take everything at once and then fall over. Zero means that the library
	// has back-pressure of its own.
	Window int
	// Apart says that Way.Apart is honoured, Lends that Lent is, and Bytes and
	// Structs that Bytes and Struct are something else than Note.
	Apart, Lends, Bytes, Structs bool
	// Only names the works that the side can do; nil means all.
	Only []string
}
