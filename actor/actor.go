package actor

// Actor is the behaviour of one process. Receive is called with one message
// after the other, never concurrently, on goroutines that change from message
// to message; so an actor's fields need no locks and must not be touched from
// outside.
//
// A nil error goes on with the next message. Any other error ends the process
// with that error as its exit reason; so does a panic, as a [*PanicError].
// Return [ErrNormal] when the work is done.
//
// Messages are shared with the sender on the same node and copied between
// nodes: whoever sends a pointer, slice or map gives it away.
type Actor interface {
	Receive(self *Self, msg any) error
}

// Initializer is an [Actor] that wants to prepare before its first message.
// Init runs on the spawner's goroutine before Spawn returns; its error is
// Spawn's. [ErrIgnore] says that no process is wanted.
type Initializer interface {
	Init(self *Self) error
}

// Terminator is an [Actor] that wants to clean up. Terminate runs once, after
// the last message and before links, monitors and callers learn of the end and
// the names are freed. It runs for every end except a kill and a failed Init.
// A panic in it becomes the exit reason.
//
// OTP differs in one point: there an untrapped exit signal skips terminate.
type Terminator interface {
	Terminate(self *Self, reason error)
}

// Func is an [Actor] without state of its own.
type Func func(self *Self, msg any) error

// Receive calls f.
func (f Func) Receive(self *Self, msg any) error { return f(self, msg) }

// Down is the message a monitor sends when the process it watches has ended,
// is unknown, or its node is lost. It comes after every message the process
// sent before it ended, and after its Terminate.
type Down struct {
	// Ref is what [Self.Monitor] returned.
	Ref MonitorRef
	// Of is the address that was monitored.
	Of Address
	// Reason is the exit reason; ErrNoProc for a process that was not there,
	// ErrNoConnection for one whose node is lost.
	Reason error
}

// Exit is the message a process that traps exits receives in place of an exit
// signal.
type Exit struct {
	// From is the process that sent the signal: a linked process that ended,
	// or the one that called [Self.Exit].
	From PID
	// Reason is the exit reason.
	Reason error
}

// ReceiveTimeout is the message sent to a process that has handled none for
// the time given to [Self.SetReceiveTimeout].
type ReceiveTimeout struct{}
