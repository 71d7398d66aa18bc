package rpc

// course is the course of one call: how often which server is asked. It is a
// value that knows neither time nor servers.
type course struct {
	tries      int  // at most at one server
	servers    int  // at most
	idempotent bool // the request may run on more than one server

	made    int  // tries at the present server
	visited int  // servers, the present one not counted
	total   int  // tries
	unknown bool // some try may have run
}

// step is what a call does next.
type step uint8

const (
	giveUp  step = iota
	again        // after a pause, at the same server
	move         // at once, at another one
	rebound      // after a pause, at whoever has the name now
)

// options say where else a call can go.
type options struct {
	other bool // there is another server
	named bool // the server was found by a name, which may have another holder soon
	back  bool // the server may be reached again: only its node was lost
}

// began notes that a try is made.
func (c *course) began() {
	c.made++
	c.total++
}

// failed returns what comes after a try that failed. The course is then at the
// server that the step leads to.
//
// No step leads from a server that may have run the request to another one
// unless the request is idempotent: on one server its number keeps it from
// running twice, on two nothing does.
func (c *course) failed(v Verdict, o options) step {
	c.unknown = c.unknown || v.ran()
	if v == Final {
		return giveUp
	}
	free := c.idempotent || !c.unknown
	if v.lost() || c.made >= c.tries {
		if free && o.other && c.visited+1 < c.servers {
			c.visited++
			c.made = 0
			return move
		}
	}
	switch {
	case c.made >= c.tries:
		return giveUp
	case !v.lost(), o.back && !o.named:
		return again
	case o.named && free:
		return rebound
	case o.back:
		return again
	}
	return giveUp
}

// answered notes that the outcome is known after all: the server has answered.
func (c *course) answered() { c.unknown = false }
