package actor

// Loan is the memory that a message lies in, if its receiver only has it until
// the handler returns: then it is returned, to be used for another message. A
// [Router] that lends sets it in [Signal]. A loan that is not returned is the
// garbage collector's.
type Loan interface {
	// Return gives the memory back. It is called at most once.
	Return()
}

// Retain makes the message in hand this process's own, in case it was lent: a
// []byte that came over a channel that lends is the process's only until its
// handler returns. Whoever keeps it longer, or sends it on, calls Retain before.
// [Self.Stash] retains by itself. Messages that were not lent are one's own
// anyway, and so is what was decoded from others.
func (s *Self) Retain() {
	if a := s.proc().annex.Load(); a != nil {
		a.loan = nil
	}
}

// returnLoan ends the loan of the message in hand, unless it was retained.
func (a *annex) returnLoan() {
	if a.loan != nil {
		a.loan.Return()
		a.loan = nil
	}
}
